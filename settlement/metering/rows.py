"""A batch in PostgreSQL's binary format: an array of rows as one parameter, packed by hand.

psycopg dumps a list element by element in Python, a microsecond each; a batch of events has two dozen columns. Here an event is
packed in one go, with what many events share (entitlement, purpose, units, …) packed once. The row types are in migration
``0021_rows_of_a_batch``; the format is record_recv's and array_recv's (PostgreSQL, src/backend/utils/adt). Decision 0050.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

import msgspec
from psycopg.adapt import AdaptersMap, Buffer, Dumper
from psycopg.pq import Format

from settlement.metering.events import NewEvent
from settlement.metering.items import Item
from settlement.metering.rules import event_digest, micro_units

EVENT_ROW, HOUR_ROW = "settlement_usagerow_1", "settlement_usagehourrow_1"
_BOOL, _BYTEA, _INT8, _TEXT, _DATE, _TIMESTAMPTZ, _UUID, _JSONB = 16, 17, 20, 25, 1082, 1184, 2950, 3802
_EPOCH, _EPOCH_DAY = datetime(2000, 1, 1, tzinfo=UTC), date(2000, 1, 1).toordinal()
_MOST_SHARED = 20_000
HOUR = 3_600_000_000  # microseconds

_ARRAY = Struct(">iiIii").pack
_LENGTH = Struct(">i").pack
_COLUMNS = 19
_START = Struct(">iIiiIi16sIiiIiqIi").pack  # columns, event_month, id, book_month, event_time, event_id's type and length
_DIGESTS = Struct(">Ii32sIi32s").pack  # request_digest, digest
_FIELD = Struct(">Ii").pack
_INT8_FIELD = Struct(">Iiq").pack
_NO_UUID, _NO_BYTES, _NO_NUMBER = _FIELD(_UUID, -1), _FIELD(_BYTEA, -1), _FIELD(_INT8, -1)
_NOTHING_MORE = _NO_UUID + _NO_BYTES + _NO_BYTES
_shared: dict[tuple[Any, ...], bytes] = {}
encode_units = msgspec.json.Encoder(order="sorted").encode


class Rows(NamedTuple):
    """Packed rows of a named row type. The type's number differs from database to database, so it is put in last (``bound``)."""

    type_name: str
    rows: Sequence[bytes]

    def packed(self, oid: int) -> Packed:
        start = _ARRAY(1, 0, oid, len(self.rows), 1) if self.rows else _ARRAY(0, 0, oid, 0, 0)[:12]
        return Packed(start + b"".join([part for row in self.rows for part in (_LENGTH(len(row)), row)]))


class Packed(bytes):
    """Bytes that psycopg hands over as they are."""


class _PackedDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: Packed) -> Buffer:
        return obj


def register(adapters: AdaptersMap) -> None:
    """Teach a connection or cursor to hand over ``Packed``."""
    adapters.register_dumper(Packed, _PackedDumper)


def bound(parameters: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """Parameters with their ``Rows`` packed; ``numbers`` is what ``TYPES_SQL`` found."""
    return {
        name: value.packed(numbers[value.type_name]) if isinstance(value, Rows) else value for name, value in parameters.items()
    }


def hour_rows(items: Iterable[Item], booked: Mapping[date, date]) -> Rows:
    """What the events add to usage by the hour; an event is counted at the first of its components."""
    sums: dict[tuple[int, date, int, str, str], list[int]] = {}
    for item in items:
        event = item.event
        hour = microseconds(event.event_time) // HOUR  # Shanghai is whole hours from UTC
        counted = 1
        for component in sorted(event.units):
            entry = sums.setdefault((event.entitlement_id, item.month, hour, event.purpose, component), [0, 0])
            entry[0] += micro_units(event.units[component])
            entry[1] += counted
            counted = 0
    return Rows(HOUR_ROW, [_hour_row(*key, booked[key[1]], *sums[key]) for key in sums])


def microseconds(moment: datetime) -> int:
    """Since 2000, as PostgreSQL counts."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def event_row(item: Item, book_month: date) -> bytes:
    """An event with the month that bills it, as a ``settlement_usagerow_1``."""
    event = item.event
    units = encode_units(event.units)
    event_id = event.event_id or str(item.id)
    named = event_id.encode()
    if len(event.request_digest) != 32:
        raise ValueError("a request digest has 32 bytes")
    start = _START(
        _COLUMNS, _DATE, 4, _day(item.month), _UUID, 16, item.id.bytes, _DATE, 4, _day(book_month),
        _TIMESTAMPTZ, 8, microseconds(event.event_time), _TEXT, len(named),
    )  # fmt: skip
    digests = _DIGESTS(_BYTEA, 32, event.request_digest, _BYTEA, 32, event_digest(event, item.id, event_id, units))
    return b"".join((start, named, digests, _more(event), _shared_fields(event, units)))


def _more(event: NewEvent) -> bytes:
    """What most events do not have: the event corrected, the consent, an answer to keep."""
    if event.corrects is None and event.consent_digest is None and event.answer is None:
        return _NOTHING_MORE
    corrects = _FIELD(_UUID, 16) + event.corrects.bytes if event.corrects else _NO_UUID
    return corrects + _bytes(event.consent_digest) + _bytes(event.answer)


def _shared_fields(event: NewEvent, units: bytes) -> bytes:
    key = (
        event.entitlement_id, event.product_id, event.release_id, event.key_id, event.source, event.purpose, units,
        event.is_free, event.has_identity,
    )  # fmt: skip
    found = _shared.get(key)
    if found is None:
        if len(_shared) >= _MOST_SHARED:
            _shared.clear()
        found = _shared[key] = b"".join(
            (
                *(_number(n) for n in (event.entitlement_id, event.product_id, event.release_id, event.key_id)),
                _text(event.source),
                _text(event.purpose),
                _FIELD(_JSONB, len(units) + 1) + b"\x01" + units,
                _flag(event.is_free),
                _flag(event.has_identity),
            )
        )
    return found


def _hour_row(
    entitlement: int, month: date, hour: int, purpose: str, component: str, book_month: date, micro: int, events: int
) -> bytes:
    parts = (
        _LENGTH(8),
        _number(entitlement),
        _FIELD(_DATE, 4) + _LENGTH(_day(month)),
        _FIELD(_DATE, 4) + _LENGTH(_day(book_month)),
        _INT8_FIELD(_TIMESTAMPTZ, 8, hour * HOUR),
        _text(purpose),
        _text(component),
        _text(str(micro)),
        _number(events),
    )
    return b"".join(parts)


@lru_cache(maxsize=1_000)
def _day(value: date) -> int:
    return value.toordinal() - _EPOCH_DAY


def _number(value: int | None) -> bytes:
    return _NO_NUMBER if value is None else _INT8_FIELD(_INT8, 8, value)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _FIELD(_TEXT, len(encoded)) + encoded


def _bytes(value: bytes | None) -> bytes:
    return _NO_BYTES if value is None else _FIELD(_BYTEA, len(value)) + value


def _flag(value: bool) -> bytes:
    return _FIELD(_BOOL, 1) + (b"\x01" if value else b"\x00")
