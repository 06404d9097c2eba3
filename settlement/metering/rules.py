"""Choices of metering, pure: ids that carry their month, months of moments, what a quota counts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
QUOTA_BASES = ("calls", "products", "records", "periods")
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM = (1 << 80) - 1 - (0xF << 76) - (0b11 << 62)


def usage_id(moment: datetime) -> UUID:
    """A new id (UUID version 7, RFC 9562): its first 48 bits are the moment in milliseconds, so it names its partition."""
    milliseconds = int(moment.timestamp() * 1000)
    noise = int.from_bytes(os.urandom(10), "big") & _RANDOM
    return UUID(int=(milliseconds << 80) | _VERSION_7 | _VARIANT | noise)


def month_of_id(identifier: UUID) -> date:
    """The event month that the id carries."""
    return month_of(datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC))


def month_of(moment: datetime) -> date:
    """First day of the business month (Asia/Shanghai) of an aware moment."""
    return business_day(moment).replace(day=1)


def business_day(moment: datetime) -> date:
    """The day in Asia/Shanghai on which an aware moment falls."""
    return moment.astimezone(BUSINESS_ZONE).date()


def quota_units(units: Mapping[str, str]) -> int:
    """What an event takes from a quota: its calls, else products, records or periods, whole; an event without them is one.

    A correction (negative units) gives back.
    """
    for basis in QUOTA_BASES:
        if basis in units:
            return math.ceil(Decimal(units[basis]))
    return 1
