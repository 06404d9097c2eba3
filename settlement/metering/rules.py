"""Choices of metering, pure: ids that carry their month, months of moments, what a quota counts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from settlement.metering.events import NewEvent

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
LAST_MILLISECOND = 253_402_214_400_000  # 9999-12-31T00:00:00Z; anybody may write down an id
QUOTA_BASES = ("calls", "products", "records", "periods")
_canonical = msgspec.json.Encoder(order="deterministic").encode
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM = (1 << 80) - 1 - (0xF << 76) - (0b11 << 62)


def usage_id(moment: datetime) -> UUID:
    """A new id (UUID version 7, RFC 9562): its first 48 bits are the moment in milliseconds, so it names its partition."""
    milliseconds = int(moment.timestamp() * 1000)
    noise = int.from_bytes(os.urandom(10), "big") & _RANDOM
    return UUID(int=(milliseconds << 80) | _VERSION_7 | _VARIANT | noise)


def month_of_id(identifier: UUID) -> date:
    """The event month that the id carries; of an id that carries a moment after the year 9999, the last month there is."""
    return month_of(datetime.fromtimestamp(min(identifier.int >> 80, LAST_MILLISECOND) / 1000, tz=UTC))


def month_of(moment: datetime) -> date:
    """First day of the business month (Asia/Shanghai) of an aware moment."""
    return business_day(moment).replace(day=1)


def months_before(moment: datetime, months: int) -> datetime:
    """The first moment of the business month that began so many months before the moment's own."""
    month = month_of(moment)
    number = month.year * 12 + month.month - 1 - months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=BUSINESS_ZONE)


def business_day(moment: datetime) -> date:
    """The day in Asia/Shanghai on which an aware moment falls."""
    return moment.astimezone(BUSINESS_ZONE).date()


def quota_units(units: Mapping[str, str]) -> int:
    """What an event takes from a quota: its calls, else products, records or periods, whole; an event without them is one, and
    nothing where its units are all zero. Of an event that was corrected: what all of it comes to.
    """
    for basis in QUOTA_BASES:
        if basis in units:
            return math.ceil(Decimal(units[basis]))
    return int(any(map(Decimal, units.values())))


@lru_cache(maxsize=10_000)
def micro_units(quantity: str) -> int:
    """A decimal string of at most six places in millionths, exact."""
    sign, digits, exponent = Decimal(quantity).as_tuple()
    assert isinstance(exponent, int) and exponent >= -6, "more than six places"
    whole = int("".join(map(str, digits))) * 10 ** (exponent + 6)
    return -whole if sign else whole


def content_of(
    *,
    id: UUID,
    time: datetime,
    entitlement: str,
    product: str,
    release: int | None,
    purpose: str,
    units: Mapping[str, str],
    free: bool,
    source: str,
    event_id: str,
    request_digest: bytes,
    corrects: UUID | None,
    consent_digest: bytes | None,
) -> dict[str, Any]:
    """What a usage event says, as its receipt shows it: codes, decimal strings, hexadecimal digests, UTC to the microsecond."""
    return {
        "id": str(id),
        "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "entitlement": entitlement,
        "product": product,
        "release": release,
        "purpose": purpose,
        "units": dict(units),
        "free": free,
        "source": source,
        "event_id": event_id,
        "request_digest": request_digest.hex(),
        "corrects": str(corrects) if corrects else None,
        "consent_digest": consent_digest.hex() if consent_digest else None,
    }


def content_digest(content: Mapping[str, Any]) -> bytes:
    """SHA-256 (32 bytes) of the content's JSON: keys sorted, no spaces, UTF-8. The leaf of the event in its hour's receipts."""
    return sha256(_canonical(content)).digest()


class _Content(msgspec.Struct, gc=False):
    """The members of ``content_of``, in the order of their names."""

    consent_digest: str | None
    corrects: UUID | None
    entitlement: str
    event_id: str
    free: bool
    id: UUID
    product: str
    purpose: str
    release: int | None
    request_digest: str
    source: str
    time: str
    units: msgspec.Raw


_encode = msgspec.json.Encoder().encode


def event_digest(event: NewEvent, identifier: UUID, event_id: str, units: bytes) -> bytes:
    """``content_digest(content_of(...))`` of an event, without the detour; ``units`` is their JSON, keys sorted."""
    content = _Content(
        consent_digest=event.consent_digest.hex() if event.consent_digest else None,
        corrects=event.corrects,
        entitlement=event.entitlement,
        event_id=event_id,
        free=event.is_free,
        id=identifier,
        product=event.product,
        purpose=event.purpose,
        release=event.release_version,
        request_digest=event.request_digest.hex(),
        source=event.source,
        time=f"{event.event_time.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z",
        units=msgspec.Raw(units),
    )
    return sha256(_encode(content)).digest()
