"""Reported events: their shape (CloudEvents 1.0.2, sections 3.1 and 3.2; design.md section 6) and the checks of one event. Pure.

A batch is read in one go by its type; only where something is wrong is it read event by event to say where. What is the same for
many events of an entitlement (source, purpose, units) is checked once and kept with its terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from settlement.metering.events import NewEvent
from settlement.metering.rules import months_before
from settlement.metering.terms import MOST_SHAPES, Refusal, Terms

EVENT_TYPE = "cn.gongshu.usage.v1"
SKEW = timedelta(seconds=60)
OLDEST_MONTHS = 13
MOST_UNITS = Decimal(10) ** 12  # of one event
MOST_COMPONENTS = 20
_QUANTITY = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,6})?\Z")
# As codes of purposes and of a tariff's components are kept: what a column would not hold must not reach a commit it shares.
_PURPOSE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\Z")
_COMPONENT = re.compile(r"[A-Za-z0-9_.:-]{1,60}\Z")
MOST_PURPOSE, MOST_COMPONENT = 80, 60
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")
_canonical = msgspec.json.Encoder(order="deterministic").encode

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Report(msgspec.Struct, frozen=True, gc=False):
    """A usage event as it is sent. Extension attributes are taken and not kept."""

    specversion: Literal["1.0"]
    type: Literal["cn.gongshu.usage.v1"]
    source: Text
    id: Text
    subject: Text
    time: Moment
    data: msgspec.Raw


class Data(msgspec.Struct, frozen=True):
    """What was used; ``corrects`` names the receipt that the event corrects."""

    purpose: Text
    units: dict[str, Any]
    corrects: UUID | None = None


_reports = msgspec.json.Decoder(list[Report]).decode
_report = msgspec.json.Decoder(Report).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_data = msgspec.json.Decoder(Data).decode


class Shape(msgspec.Struct):
    """What events of one entitlement share, checked. ``begin`` and ``end`` bound the times known to be in order."""

    purpose: str
    units: dict[str, str]
    corrects: UUID | None
    digest: Any
    begin: datetime
    end: datetime


def read_batch(body: bytes) -> Sequence[Report | Refusal]:
    """The events of a body, one or a list of them. Raises ``msgspec.DecodeError`` where it is no JSON, ``TypeError`` where it
    is neither one event nor a list."""
    try:
        return _reports(_listed(body))
    except msgspec.ValidationError:
        pass
    try:
        return [read_one(raw) for raw in raws_of(body)]
    except msgspec.ValidationError:
        raise TypeError("one CloudEvent or a list of them") from None


def raws_of(body: bytes) -> list[msgspec.Raw]:
    """The events of a body as they were sent, one or a list of them."""
    return _raws(_listed(body))


def _listed(body: bytes) -> bytes:
    body = body.strip()
    return b"[" + body + b"]" if body[:1] == b"{" else body


def read_one(raw: bytes | msgspec.Raw) -> Report | Refusal:
    """One event, or what is wrong with it and where. Its id, where it has one, is in ``identifier_of``."""
    try:
        return _report(raw)
    except msgspec.ValidationError as error:
        return Refusal("malformed", _where(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal("malformed", "not JSON")


def identifier_of(raw: bytes | msgspec.Raw) -> str | None:
    """The id of an event that is not well-formed otherwise, for the answer."""
    try:
        event = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = event.get("id") if isinstance(event, dict) else None
    return found if isinstance(found, str) else None


def oldest(at: datetime, months: int = OLDEST_MONTHS) -> datetime:
    """The first moment whose use may still be reported: so many whole months before this one."""
    return months_before(at, months)


def checked(
    report: Report, terms: Terms | None, *, operator_id: int | None, key_id: int | None, at: datetime, since: datetime
) -> NewEvent:
    """The event to record. ``operator_id`` binds a usage key to its operator (None: any), ``since`` is ``oldest``.

    Raises ``Refusal``.
    """
    if terms is None:
        raise Refusal("entitlement", "/subject")
    if operator_id is not None and terms.operator_id != operator_id:
        raise Refusal("other_operator", "/subject")
    time = report.time
    if time > at + SKEW:
        raise Refusal("future", "/time")
    if time < since:
        raise Refusal("too_old", "/time")
    if "\0" in report.id:
        raise Refusal("malformed", "/id")
    shape = _shape(report, terms)
    if not shape.begin <= time < shape.end:
        shape.begin, shape.end = terms.window(time, shape.units)
    moment = time.astimezone(UTC)
    digest = shape.digest.copy()
    digest.update(moment.isoformat(timespec="microseconds").encode())
    return NewEvent(
        entitlement_id=terms.entitlement_id,
        entitlement=terms.code,
        product_id=terms.product_id,
        product=terms.product,
        purpose=shape.purpose,
        units=shape.units,
        event_time=moment,
        request_digest=digest.digest(),
        source=report.source,
        event_id=report.id,
        is_free=terms.is_free,
        is_prepaid=terms.is_prepaid,
        has_quota=terms.has_quota,
        key_id=key_id,
        corrects=shape.corrects,
    )


def _shape(report: Report, terms: Terms) -> Shape:
    key = (report.source, bytes(report.data))
    found = terms.shapes.get(key)
    if found is None:
        if len(terms.shapes) >= MOST_SHAPES:
            terms.shapes.clear()
        found = terms.shapes[key] = _shape_of(report, terms)
    assert isinstance(found, Shape)
    return found


def _shape_of(report: Report, terms: Terms) -> Shape:
    if not report.source.startswith(f"/operators/{terms.operator}/") or "\0" in report.source:
        raise Refusal("source", "/source")
    try:
        data = _data(report.data)
    except msgspec.ValidationError as error:
        raise Refusal("malformed", _where(error, "/data")) from None
    if len(data.purpose) > MOST_PURPOSE or not _PURPOSE.match(data.purpose):
        raise Refusal("malformed", "/data/purpose")
    _check_units(data)
    terms.check_purpose(data.purpose)
    said = [terms.code, data.purpose, sorted(data.units.items()), str(data.corrects) if data.corrects else None]
    begin, end = terms.window(report.time, data.units)
    return Shape(data.purpose, data.units, data.corrects, sha256(_canonical(said)), begin, end)


def _check_units(data: Data) -> None:
    """Decimal strings of at most six places; below zero only in a correction."""
    if not data.units or len(data.units) > MOST_COMPONENTS:
        raise Refusal("malformed", "/data/units")
    for component, quantity in data.units.items():
        if not _COMPONENT.match(component):
            raise Refusal("units", f"/data/units: a component's code has at most {MOST_COMPONENT} letters, digits and _ . : -")
        where = f"/data/units/{component}"
        if not isinstance(quantity, str) or not _QUANTITY.match(quantity):
            raise Refusal("units", f"{where}: a decimal string of at most six places")
        if abs(Decimal(quantity)) > MOST_UNITS:
            raise Refusal("units", f"{where}: too large")
        if data.corrects is None and quantity.startswith("-"):
            raise Refusal("units", f"{where}: only an event that corrects another (/data/corrects) takes units back")


def _where(error: msgspec.ValidationError, start: str = "") -> str:
    """The JSON pointer of a fault and what was expected there."""
    found = _PATH.match(str(error))
    assert found is not None
    pointer = start + (found["path"] or "").replace(".", "/")
    missing = _MISSING.search(found["what"])
    if missing:
        pointer += f"/{missing['name']}"
    return f"{pointer}: {found['what']}".removeprefix(": ")


def codes_of(reports: Iterable[Report | Refusal]) -> set[str]:
    """The entitlements that events name."""
    return {report.subject for report in reports if isinstance(report, Report)}
