"""The last steps of a call: its event is committed, then it is answered; a repeat gets the first answer."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from market.gateway import signing
from market.gateway.admission import quota_problem
from market.gateway.call import Call
from market.gateway.continuing import continuing
from market.gateway.http import Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.runtimes.base import RunResult
from settlement.entitlements.access import Access
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.metering.recorder import QueueFull, RecordingFailed, RecordingUnknown
from settlement.metering.rules import usage_id

Told = TypeVar("Told")


async def meter(
    held: Resources, call: Call, access: Access, result: RunResult, *, name: str, digest: bytes, paid: Access | None = None
) -> Response:
    """Commit the event, then answer. With an Idempotency-Key the answer is kept in the same commit.

    A free call that finds its quota used up is committed under the paid right that was chosen beforehand, where there is one;
    ``paid`` is that right where the call was let in under it already.
    """
    identifier = call.identifier or usage_id(call.at)
    body, outcome = await _record(held, call, access, result, identifier, _source(access), name, digest)
    if outcome.status is Status.OVER_QUOTA:
        paid = paid or await continuing(held, call, access)
        body, outcome = await _record(held, call, paid, result, identifier, _source(access), name, digest)
        access = paid
    if outcome.status is Status.ACCEPTED:
        call.receipt = str(identifier)
        return Response(200, body)
    if outcome.status is Status.OVER_QUOTA:
        raise quota_problem(access)
    if outcome.status is Status.OVER_BALANCE:
        raise Problem("balance-empty")
    assert call.access is not None
    first = await first_answer(held, call.access, name, digest, call.at)
    if first is None:
        raise Problem("recording-failed")  # cannot be: the identity was there a moment ago and is never deleted
    return first


async def _record(
    held: Resources, call: Call, access: Access, result: RunResult, identifier: UUID, source: str, name: str, digest: bytes
) -> tuple[bytes, Outcome]:
    """The answer to be, and what became of its event under this right; ``source`` is the key's own, so that a repeat finds it."""
    text = str(identifier)
    answer = {"data": result.output, "receipt": {"id": text, "url": f"/v1/receipts/{text}"}}
    if access is not call.access:
        answer["charged"] = {"entitlement": access.entitlement, "because": "quota-used-up"}
    body = encode(answer)
    assert access.entitlement_id is not None and access.product_id is not None  # a live key, and its own product
    assert access.entitlement is not None and access.product is not None
    event = NewEvent(
        id=identifier,
        entitlement_id=access.entitlement_id,
        entitlement=access.entitlement,
        product_id=access.product_id,
        product=access.product,
        release_id=access.release_id,
        release_version=access.release_version,
        key_id=access.key_id,
        purpose=call.purpose,
        units=access.components_of(result.units),
        event_time=call.at,
        is_free=access.is_free,
        request_digest=digest,
        source=source if name else "/gateway",
        event_id=name,
        has_quota=access.has_quota,
        is_prepaid=bool(access.is_prepaid),
        answer=signing.seal(body) if name else None,
        consent_digest=call.consent,
    )
    return body, await recorded(held.recorder.record(event))


async def recorded(recording: Awaitable[Told]) -> Told:
    """What the recorder tells. Raises ``Problem`` (503) where it could not record."""
    try:
        return await recording
    except QueueFull:
        raise Problem("runtime-busy") from None
    except RecordingUnknown:
        raise Problem("recording-unknown") from None
    except RecordingFailed:
        raise Problem("recording-failed") from None


async def first_answer(held: Resources, access: Access, name: str, digest: bytes, at: datetime) -> Response | None:
    """The answer given before under this Idempotency-Key; None where there was no call. Raises ``Problem`` (409)."""
    row = await held.row("first_answer", source=_source(access), event_id=name, at=at)
    if row is None:
        return None
    receipt = {"id": str(row["usage_id"]), "url": f"/v1/receipts/{row['usage_id']}"}
    if bytes(row["digest"]) != digest:
        raise Problem("idempotency-conflict", receipt=receipt)
    kept = signing.unseal(bytes(row["answer"])) if row["answer"] is not None else None
    if kept is None:
        raise Problem("idempotency-forgotten", receipt=receipt)
    return Response(200, kept, headers={"idempotency-replayed": "true"})


def _source(access: Access) -> str:
    return f"/keys/{access.entitlement}"
