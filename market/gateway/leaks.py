"""``POST /v1/keys/reports``: somebody found a key where it should not be. It is revoked and its owner told."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from django.db import close_old_connections, connections

from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.clock import now
from settlement.entitlements import keys
from settlement.entitlements.keyring import key_leaked

MOST_BYTES = 1024
WINDOW_SECONDS = 60
PER_MINUTE = 60  # well-formed keys, of all reporters together, in each process
_reported: deque[float] = deque(maxlen=PER_MINUTE)  # when, by a monotonic clock


async def report(held: Resources, request: Request) -> Response:
    """202 whatever came of it: who reports learns nothing about keys. ``{"key": "gs_…"}``."""
    body, _raw = await request.json(MOST_BYTES)
    text = body.get("key") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise Problem("input-refused", errors=[{"pointer": "/key", "message": "the text of the key"}])
    if keys.mode_of(text.strip()) is None:  # no key of ours: nothing to do, and no room taken from those who found one
        return Response(202, encode({"received": True}))
    at = time.monotonic()
    if len(_reported) == PER_MINUTE and at - _reported[0] < WINDOW_SECONDS:
        raise Problem("rate-limit", headers={"retry-after": str(WINDOW_SECONDS)})
    _reported.append(at)
    await asyncio.to_thread(_revoke, text.strip())
    return Response(202, encode({"received": True}))


def _revoke(text: str) -> None:
    close_old_connections()
    try:
        key_leaked(text=text, at=now())
    finally:
        connections.close_all()
