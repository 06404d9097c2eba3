"""Whose key a request carries, and whether it is any good."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from market.gateway.addresses import client_address, is_inside
from market.gateway.http import Request
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from settlement.entitlements import keys
from settlement.entitlements.access import Access, key_refusal


async def authenticate(held: Resources, request: Request, at: datetime, *, scope: str) -> Access:
    """The key of the request, good for ``scope`` (``settlement.entitlements.keys.SCOPES``) and from where it is used.

    A typo is refused without asking the database. A key without scopes may do all that its mode lets; whoever answers checks the
    mode. Raises ``Problem`` (401, 403).
    """
    scheme, _space, text = request.header(b"authorization").partition(" ")
    if not text or scheme.lower() != "bearer":
        raise Problem("key-missing")
    text = text.strip()
    digest = keys.digest(text)
    access = held.access.peek(digest)
    if access is None or access.turns_at <= at:
        if keys.mode_of(text) is None:
            raise Problem("key-malformed")
        if access is not None:
            held.access.drop(digest)
        access = await held.access.get(digest)
    refusal = key_refusal(access, at)
    if refusal is not None:
        raise Problem(refusal)
    assert access is not None
    if access.networks:
        address = client_address(request.scope, settings.TRUSTED_PROXIES)
        if not is_inside(address, tuple(access.networks)):
            raise Problem("key-network", address=str(address) if address else None)
    if access.scopes and scope not in access.scopes:
        raise Problem("key-scope", scope=scope)
    held.journal.used(access.key_id, at)
    return access
