"""``POST /v1/usage``: usage that an operator's own services report, one CloudEvent or a batch; an answer for each."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from django.db import DatabaseError, close_old_connections, connections
from django.utils import translation

from market.gateway.authentication import authenticate
from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.clock import now
from settlement.entitlements.access import Access
from settlement.metering.reports import report_usage

MOST_BYTES = 8 * 1024 * 1024
MOST_EVENTS = 5_000
TYPES = (b"application/json", b"application/cloudevents+json", b"application/cloudevents-batch+json")


async def answer(held: Resources, request: Request) -> Response:
    """200 with ``{"accepted", "duplicate", "rejected", "items": [{"id", "status", "receipt" | "reason", …}]}``."""
    access = await authenticate(held, request, now(), scope="usage")
    if access.mode != "op":
        raise Problem("key-mode")
    events, _raw = await request.json(MOST_BYTES, TYPES)
    if isinstance(events, dict):
        events = [events]
    if not isinstance(events, list) or not events:
        raise Problem("input-refused", errors=[{"pointer": "", "message": "one CloudEvent or a list of them"}])
    if len(events) > MOST_EVENTS:
        raise Problem("body-too-large", limit_events=MOST_EVENTS)
    try:
        items = await asyncio.to_thread(_record, events, access, request.language)
    except DatabaseError as error:
        raise Problem("recording-failed") from error
    counts = Counter(item["status"] for item in items)
    totals = {status: counts[status] for status in ("accepted", "duplicate", "rejected")}
    return Response(200, encode(totals | {"items": items}))


def _record(events: list[Any], access: Access, language: str) -> list[dict[str, Any]]:
    close_old_connections()
    try:
        answers = report_usage(
            events=events,
            operator_id=access.organisation_id,
            operator_slug=access.organisation_slug,
            key_id=access.key_id,
            at=now(),
        )
        with translation.override(language):
            return [answer.as_dict() for answer in answers]
    finally:
        connections.close_all()
