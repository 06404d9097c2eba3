"""``POST /v1/usage``: usage that an operator's own services report, one CloudEvent or a batch; an answer for each.

The events of a request are checked and join a group commit of reports together: all that is in order is on disk when it is
answered. Calls have a recorder of their own, since a late report may wait for a month that is being closed. A large batch is
checked in slices, so that calls beside it do not wait for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec
from django.utils import translation

from market.gateway.authentication import authenticate
from market.gateway.http import Request, Response, encode
from market.gateway.metering import recorded
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.clock import now
from settlement.metering.events import Outcome
from settlement.metering.reported import Report, codes_of, raws_of, read_batch
from settlement.metering.reports import Answer, Checked
from settlement.metering.terms import Refusal, Terms

MOST_BYTES = 8 * 1024 * 1024
MOST_EVENTS = 5_000
SLICE = 500
TYPES = (b"application/json", b"application/cloudevents+json", b"application/cloudevents-batch+json")


async def answer(held: Resources, request: Request) -> Response:
    """200 with ``{"accepted", "duplicate", "rejected", "items": [{"id", "status", "receipt" | "reason", …}]}``."""
    at = now()
    access = await authenticate(held, request, at, scope="usage")
    if access.mode != "op":
        raise Problem("key-mode")
    raw = await request.raw(MOST_BYTES, TYPES)
    reports = _read(raw)
    terms = await _terms(held, codes_of(reports))
    checked: list[Checked] = []
    for start in range(0, len(reports), SLICE):
        part = reports[start : start + SLICE]
        checked.append(Checked(part, terms, operator_id=access.organisation_id, key_id=access.key_id, at=at))
        if len(reports) > SLICE:
            await asyncio.sleep(0)
    outcomes = await recorded(held.reports.record_many([event for part in checked for event in part.events]))
    return _told(_answers(checked, outcomes, raw), request.language)


def _read(raw: bytes) -> Sequence[Report | Refusal]:
    try:
        reports = read_batch(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise Problem("input-refused", errors=[{"pointer": "", "message": str(error)}]) from None
    except RecursionError:
        raise Problem("input-refused", errors=[{"pointer": "", "message": "nested too deeply"}]) from None
    if not reports:
        raise Problem("input-refused", errors=[{"pointer": "", "message": "one CloudEvent or a list of them"}])
    if len(reports) > MOST_EVENTS:
        raise Problem("body-too-large", limit_events=MOST_EVENTS)
    return reports


async def _terms(held: Resources, codes: set[str]) -> dict[str, Terms]:
    """The terms of the entitlements that exist; those not known yet are asked for together."""
    found = {code: held.terms.peek(code) for code in codes}
    missing = [code for code, terms in found.items() if terms is None]
    if missing:
        looked_up = await asyncio.gather(*(held.terms.get(code) for code in missing))
        found.update(zip(missing, looked_up, strict=True))
    return {code: terms for code, terms in found.items() if terms is not None}


def _answers(checked: Sequence[Checked], outcomes: Sequence[Outcome], raw: bytes) -> list[Answer]:
    answers: list[Answer] = []
    start = place = 0
    raws = raws_of(raw) if any(part.has_malformed for part in checked) else None
    for part in checked:
        own = outcomes[start : start + len(part.events)]
        answers += part.answers(own, raws[place : place + len(part)] if raws else None)
        start, place = start + len(own), place + len(part)
    return answers


def _told(answers: Sequence[Answer], language: str) -> Response:
    counts = Counter(answer.status for answer in answers)
    totals = {status: counts[status] for status in ("accepted", "duplicate", "rejected")}
    with translation.override(language):
        items = [answer.as_dict() if answer.reason else answer for answer in answers]
    return Response(200, encode(totals | {"items": items}))
