"""Consent of the person asked about (R17, scenario 69): each call of a product that needs it names one, and none taken back.

``Consent: ref="…", sha256="…"`` is a dictionary of two strings (RFC 8941): the reference under which the caller keeps the
consent, and the SHA-256 of the file that proves it, in lower-case hexadecimal. A caller that cannot set headers says the
same in the body, as its member ``consent``. Only keyed digests of them are kept.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from django.db import DatabaseError, close_old_connections, connections
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from market.gateway import signing
from market.gateway.admission import take_key_rate
from market.gateway.authentication import authenticate
from market.gateway.call import Call
from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.organisations.models import Organisation
from products.record.clock import BUSINESS_ZONE, now
from products.record.refusals import Refused
from settlement.entitlements.access import Access
from settlement.entitlements.consents import MOST_NOTE, Withdrawn, consent_withdraw
from settlement.entitlements.models import ApiKey

MOST_BYTES = 16 * 1024
REFERENCE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,120}\Z")  # printable ASCII but the quote and the backslash
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}\Z")
_HEADER = re.compile(r'ref="(?P<ref>[^"\\]{1,120})"\s*,\s*sha256="(?P<sha256>[0-9a-f]{64})"\Z')
_TURNED = re.compile(r'sha256="(?P<sha256>[0-9a-f]{64})"\s*,\s*ref="(?P<ref>[^"\\]{1,120})"\Z')


@cache
def _key() -> bytes:
    return signing.derived("consent")


def reference_digest(organisation: int, reference: str) -> bytes:
    """What is kept of a reference: tells only whoever knows the reference, and only with our key, that it was withdrawn."""
    return hmac.digest(_key(), b"\0".join((b"reference", str(organisation).encode(), reference.encode())), sha256)


def consent_digest(organisation: int, reference: str, evidence: str) -> bytes:
    """What an event keeps of the consent that it named: organisation, reference and the evidence's hash under our key."""
    parts = (b"consent", str(organisation).encode(), reference.encode(), evidence.encode())
    return hmac.digest(_key(), b"\0".join(parts), sha256)


def parse(header: str) -> tuple[str, str]:
    """Reference and evidence hash. Raises ``Problem`` (422) where the header is not of its form."""
    found = _HEADER.match(header) or _TURNED.match(header)
    if found is None or not REFERENCE.match(found["ref"]) or not found["ref"].strip():
        raise Problem("header-refused", header="Consent")
    return found["ref"], found["sha256"]


def stated(call: Call, body: Any) -> tuple[str, str] | None:
    """Reference and evidence hash from the header, else from the body's ``consent``, which is then taken out of it: what is left
    is the product's own input. Raises ``Problem`` (422).
    """
    header = call.request.header(b"consent")
    if header:
        return parse(header)
    given = body.pop("consent", None) if isinstance(body, dict) else None
    if given is None:
        return None
    with translation.override(call.request.language):
        if not isinstance(given, dict) or set(given) != {"ref", "sha256"}:
            raise Problem("input-refused", errors=[_error("/consent", _("must hold ref and sha256, and nothing else"))])
        reference, evidence = given["ref"], given["sha256"]
        errors = []
        if not isinstance(reference, str) or not REFERENCE.match(reference) or not reference.strip():
            errors.append(_error("/consent/ref", _("must be 1 to 120 printable ASCII characters without quote and backslash")))
        if not isinstance(evidence, str) or not _HEXADECIMAL.match(evidence):
            errors.append(_error("/consent/sha256", _("must be 64 hexadecimal digits in lower case")))
    if errors:
        raise Problem("input-refused", errors=errors)
    return reference, evidence


async def named(held: Resources, call: Call, access: Access, body: Any) -> bytes | None:
    """The digest of the consent that the call names; None where the product asks for none. Raises ``Problem`` (403, 422).

    One look-up by an index, on every gateway alike and never cached: a call that begins after a withdrawal was answered is
    refused. A call that is on its way at that moment is before it.
    """
    if not access.needs_consent:
        return None
    found = stated(call, body)
    if found is None:
        raise Problem("consent-missing")
    reference, evidence = found
    organisation = access.organisation_id
    row = await held.row("consent_withdrawn", organisation=organisation, reference=reference_digest(organisation, reference))
    if row is not None:
        raise Problem("consent-withdrawn", withdrawn_at=_said(row["withdrawn_at"]))
    return consent_digest(organisation, reference, evidence)


async def withdraw(held: Resources, request: Request) -> Response:
    """``POST /v1/consents/withdrawals``: 201 for the first, 200 for a repeat, with ``{"withdrawn_at", "recorded_at"}``."""
    access = await authenticate(held, request, now(), scope="calls")  # who may name a consent may take it back
    if access.mode != "live":
        raise Problem("key-mode")
    await take_key_rate(held, Call(request, "", now()), access, access.rate_per_minute or 0)
    body, _raw = await request.json(MOST_BYTES)
    reference, moment, note = _checked(body, request.language)
    try:
        withdrawn = await asyncio.to_thread(_record, access, reference, moment, note)
    except Refused as refused:
        with translation.override(request.language):
            raise Problem("input-refused", errors=[_error("/withdrawn_at", str(refused))]) from refused
    except DatabaseError as error:
        raise Problem("database-away") from error
    kept = withdrawn.withdrawal
    answer = {"withdrawn_at": _said(kept.withdrawn_at), "recorded_at": _said(kept.recorded_at)}
    return Response(201 if withdrawn.is_new else 200, encode(answer | {"is_new": withdrawn.is_new}))


def _record(access: Access, reference: str, moment: datetime | None, note: str) -> Withdrawn:
    close_old_connections()
    try:
        return consent_withdraw(
            organisation=Organisation.objects.get(pk=access.organisation_id),
            reference_digest=reference_digest(access.organisation_id, reference),
            withdrawn_at=moment,
            note=note,
            key=ApiKey.objects.get(pk=access.key_id),
            at=now(),
        )
    finally:
        connections.close_all()


def _checked(body: Any, language: str) -> tuple[str, datetime | None, str]:
    """Reference, moment and note of the body. Raises ``Problem`` (422) with every field at fault."""
    with translation.override(language):
        if not isinstance(body, Mapping):
            raise Problem("input-refused", errors=[_error("", _("must be of type %s") % "object")])
        errors = [_error(f"/{key}", _("is not a field of this input")) for key in sorted(body) if key not in _FIELDS]
        reference, note = body.get("reference"), body.get("note", "")
        if not isinstance(reference, str) or not REFERENCE.match(reference) or not reference.strip():
            errors.append(_error("/reference", _("must be 1 to 120 printable ASCII characters without quote and backslash")))
        if not isinstance(note, str) or len(note) > MOST_NOTE or "\0" in note:
            errors.append(_error("/note", _("must be a text of at most %s characters") % MOST_NOTE))
        moment = _moment(body.get("withdrawn_at"))
        if moment is None and body.get("withdrawn_at") is not None:
            errors.append(_error("/withdrawn_at", _("must be a time with its offset (RFC 3339)")))
    if errors:
        raise Problem("input-refused", errors=errors)
    assert isinstance(reference, str) and isinstance(note, str)
    return reference, moment, note


_FIELDS = ("reference", "withdrawn_at", "note")


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = parse_datetime(value)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and moment.year > 1970 else None


def _said(moment: datetime) -> str:
    return moment.astimezone(BUSINESS_ZONE).isoformat()


def _error(pointer: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "message": message}
