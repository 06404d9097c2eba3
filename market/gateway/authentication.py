"""Whose key a request carries, and whether it is any good."""

from __future__ import annotations

from datetime import datetime

from market.gateway.http import Request
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from settlement.entitlements import keys
from settlement.entitlements.access import Access, key_refusal


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
