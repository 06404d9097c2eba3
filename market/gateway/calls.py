"""The call: key → entitlement → runtime → usage event committed → answer with its receipt.

A 2xx is answered only after the commit. Everything else is a ``Problem``, costs nothing and is kept as a refusal.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import translation

from market.gateway import signing
from market.gateway.http import Request, Response, encode, problem_response
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.clock import business_date, now
from products.record.refusals import Refused
from products.runtimes import host
from products.runtimes.base import InputRefused, Loaded, RunResult, RuntimeBusy, RuntimeTimeout
from products.runtimes.limits import ADMIT_SQL, SubjectLimitReached, parameters, raise_unless_admitted
from settlement.entitlements import keys
from settlement.entitlements.access import Access, call_refusal, key_refusal
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.metering.journal import NewRefusal
from settlement.metering.recorder import QueueFull, RecordingFailed, RecordingUnknown
from settlement.metering.rules import usage_id

MOST_BYTES = 256 * 1024
SANDBOX_PER_MINUTE = 60
_PURPOSE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+){0,9}\Z")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,120}\Z")


@dataclass(slots=True)
class Call:
    """What is known of a call so far; a refusal is kept with it."""

    request: Request
    code: str
    at: datetime
    kind: str = "call"
    access: Access | None = None
    product_id: int | None = None
    purpose: str = ""
    headers: dict[str, str] | None = None


async def answer(held: Resources, request: Request, code: str) -> Response:
    """``POST /v1/products/{code}``."""
    began = time.perf_counter()
    call = Call(request, code, now())
    reason = ""
    try:
        response = await _serve(held, call)
    except Problem as problem:
        reason = problem.code
        with translation.override(request.language):
            response = problem_response(problem)
        _keep_refusal(held, call, problem)
    if call.headers:
        response.headers = call.headers | response.headers
    held.metrics.answered(call.kind, response.status, reason, time.perf_counter() - began)
    return response


async def authenticate(held: Resources, request: Request, at: datetime) -> Access:
    """The key of the request. A typo is refused without asking the database. Raises ``Problem`` (401, 403)."""
    scheme, _space, text = request.header(b"authorization").partition(" ")
    if not text or scheme.lower() != "bearer":
        raise Problem("key-missing")
    text = text.strip()
    if keys.mode_of(text) is None:
        raise Problem("key-malformed")
    access = await held.access.get(keys.digest(text))
    refusal = key_refusal(access, at)
    if refusal is not None:
        raise Problem(refusal)
    assert access is not None
    held.journal.used(access.key_id, at)
    return access


async def _serve(held: Resources, call: Call) -> Response:
    access = call.access = await authenticate(held, call.request, call.at)
    if access.mode == "test":
        return await _sandbox(held, call, access)
    if access.mode != "live":
        raise Problem("key-mode")
    await _check_product(held, call, access)
    _check_purpose(call, access)
    refusal = call_refusal(access, purpose=call.purpose or None, at=call.at, day=business_date(call.at))
    if refusal is not None:
        raise Problem(refusal)
    call.purpose = call.purpose or access.purposes[0]  # type: ignore[index]  # a database constraint: at least one
    _take_rate(held, call, access.key_id, access.rate_per_minute or 0)
    body, raw = await call.request.json(MOST_BYTES)
    digest = signing.request_digest(call.code, call.purpose, raw)
    name = call.request.header(b"idempotency-key")
    if name:
        if not _IDEMPOTENCY_KEY.match(name):
            raise Problem("header-refused", header="Idempotency-Key")
        first = await _first_answer(held, access, name, digest, call.at)
        if first is not None:
            return first
    if access.quota_limit is not None and (access.quota_used or 0) >= access.quota_limit:
        raise _quota_problem(access)
    result = await _run(held, call, access, body)
    return await _meter(held, call, access, result, name=name, digest=digest)


async def _check_product(held: Resources, call: Call, access: Access) -> None:
    if access.product == call.code:
        call.product_id = access.product_id
        return
    product = await held.products.get(call.code) if len(call.code) <= 60 else None
    if product is None:
        raise Problem("product-unknown")
    call.product_id = product["product_id"]
    raise Problem("product-not-covered", product=access.product)


def _check_purpose(call: Call, access: Access) -> None:
    stated = call.request.header(b"purpose")
    if stated and (len(stated) > 80 or not _PURPOSE.match(stated)):
        raise Problem("header-refused", header="Purpose")
    call.purpose = stated


def _take_rate(held: Resources, call: Call, key_id: int, per_minute: int) -> None:
    """Headers of draft-ietf-httpapi-ratelimit-headers-10: the rate of the key and, where there is one, the quota."""
    allowance = held.rates.take(key_id, per_minute, time.monotonic())
    policy, state = f'"rate";q={per_minute};w=60', f'"rate";r={allowance.remaining};t={allowance.seconds}'
    access = call.access
    if access is not None and access.quota_limit is not None:
        policy += f', "quota";q={access.quota_limit}'
        state += f', "quota";r={max(0, access.quota_limit - (access.quota_used or 0))}'
    call.headers = {"ratelimit-policy": policy, "ratelimit": state}
    if not allowance.is_allowed:
        raise Problem("rate-limit", headers={"retry-after": str(allowance.seconds)})


def _quota_problem(access: Access) -> Problem:
    """A quota does not fill up by waiting; a day is when it is worth looking again."""
    return Problem("quota-used-up", headers={"retry-after": "86400"}, limit=access.quota_limit)


async def _sandbox(held: Resources, call: Call, access: Access) -> Response:
    """Any product, made-up data: the input is checked, the release's sample is answered, nothing is metered."""
    call.kind = "sandbox"
    product = await held.products.get(call.code) if len(call.code) <= 60 else None
    if product is None:
        raise Problem("product-unknown")
    call.product_id = product["product_id"]
    if product["state"] != "listed" or product["release_id"] is None:
        raise Problem("product-suspended")
    _take_rate(held, call, access.key_id, SANDBOX_PER_MINUTE)
    body, _raw = await call.request.json(MOST_BYTES)
    loaded, release = await _load(held, product["release_id"])
    _check_input(call, loaded, body)
    return Response(200, encode({"data": release["sample_output"], "sandbox": True, "receipt": None}))


async def _load(held: Resources, release_id: int) -> tuple[Loaded, dict[str, Any]]:
    try:
        return await held.loaded(release_id)
    except Refused as refused:
        raise Problem("runtime-failed", refused.code) from refused


def _check_input(call: Call, loaded: Loaded, body: Any) -> None:
    with translation.override(call.request.language):
        try:
            loaded.check(body)
        except InputRefused as refused:
            raise Problem("input-refused", errors=refused.errors) from refused


async def _run(held: Resources, call: Call, access: Access, body: Any) -> RunResult:
    assert access.release_id is not None
    loaded, release = await _load(held, access.release_id)
    _check_input(call, loaded, body)
    subject = loaded.subject(body)
    if subject is not None:
        await _admit(held, call, access, release["config"]["limits"], subject)
    try:
        with translation.override(call.request.language):
            return await host.run(loaded, body, call.at)
    except InputRefused as refused:
        raise Problem("input-refused", errors=refused.errors) from refused
    except RuntimeBusy as refused:
        wait = str(refused.facts.get("retry_after", 1))
        raise Problem("runtime-busy", headers={"retry-after": wait}) from refused
    except RuntimeTimeout as refused:
        raise Problem("runtime-timeout") from refused
    except Refused as refused:
        raise Problem("runtime-failed") from refused


async def _admit(held: Resources, call: Call, access: Access, limits: dict[str, Any], subject: bytes) -> None:
    """Count the question about a subject, or refuse it: what stops the listing of a protected table."""
    assert access.release_id is not None and access.entitlement is not None
    asked = parameters(release_id=access.release_id, caller=access.entitlement, limits=limits, digest=subject, at=call.at)
    async with held.pool.connection() as connection:
        row = await (await connection.execute(ADMIT_SQL, asked)).fetchone()
    try:
        raise_unless_admitted(row[0] if row else "subjects", limits=limits, at=call.at)
    except SubjectLimitReached as refused:
        with translation.override(call.request.language):
            detail = str(refused)
        raise Problem("subject-limit", detail, headers={"retry-after": str(refused.facts["retry_after"])}) from refused


async def _meter(held: Resources, call: Call, access: Access, result: RunResult, *, name: str, digest: bytes) -> Response:
    """Commit the event, then answer. With an Idempotency-Key the answer is kept in the same commit."""
    identifier = usage_id(call.at)
    receipt = {"id": str(identifier), "url": f"/v1/receipts/{identifier}"}
    body = encode({"data": result.output, "receipt": receipt})
    assert access.entitlement_id is not None and access.product_id is not None
    event = NewEvent(
        id=identifier,
        entitlement_id=access.entitlement_id,
        product_id=access.product_id,
        release_id=access.release_id,
        key_id=access.key_id,
        purpose=call.purpose,
        units=access.components_of(result.units),
        event_time=call.at,
        is_free=access.is_free,
        request_digest=digest,
        source=_source(access) if name else "/gateway",
        event_id=name,
        has_quota=access.has_quota,
        answer=signing.seal(body) if name else None,
    )
    outcome = await _commit(held, event)
    if outcome.status is Status.ACCEPTED:
        return Response(200, body)
    if outcome.status is Status.OVER_QUOTA:
        raise _quota_problem(access)
    first = await _first_answer(held, access, name, digest, call.at)
    if first is None:
        raise Problem("recording-failed")  # cannot be: the identity was there a moment ago and is never deleted
    return first


async def _commit(held: Resources, event: NewEvent) -> Outcome:
    try:
        return await held.recorder.record(event)
    except QueueFull:
        raise Problem("runtime-busy") from None
    except RecordingUnknown:
        raise Problem("recording-unknown") from None
    except RecordingFailed:
        raise Problem("recording-failed") from None


async def _first_answer(held: Resources, access: Access, name: str, digest: bytes, at: datetime) -> Response | None:
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


def _keep_refusal(held: Resources, call: Call, problem: Problem) -> None:
    if call.kind == "sandbox":
        return
    access = call.access
    held.journal.refuse(
        NewRefusal(
            at=call.at,
            status=problem.status,
            reason=problem.code,
            purpose=call.purpose,
            key_id=access.key_id if access else None,
            entitlement_id=access.entitlement_id if access else None,
            product_id=call.product_id,
        )
    )
