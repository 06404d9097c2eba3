"""Reads of usage: what the close rates, what pages show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Count

from settlement.metering import archive
from settlement.metering.models import ArchivedMonth, Refusal, UsageEvent
from settlement.metering.rules import month_of_id
from settlement.sql import query


@dataclass(frozen=True, slots=True)
class MonthUnits:
    """Units of one entitlement used in ``event_month`` and booked into the month asked for, by component code."""

    entitlement_id: int
    event_month: date
    units: dict[str, Decimal]


def units_by_entitlement(*, book_month: date) -> list[MonthUnits]:
    """Everything booked into a month, by entitlement and month of use, in a stable order."""
    found: dict[tuple[int, date], dict[str, Decimal]] = defaultdict(dict)
    for entitlement, month, component, units in _rows("units_by_entitlement", book_month=book_month):
        found[entitlement, month][component] = units
    return [MonthUnits(entitlement, month, units) for (entitlement, month), units in found.items()]


def units_counted(
    *, entitlement_id: int, from_month: date, to_month: date, booked_before: date
) -> dict[date, dict[str, Decimal]]:
    """Units used in [from_month, to_month) that were booked before a month, by month of use and component."""
    rows = _rows(
        "units_counted", entitlement=entitlement_id, from_month=from_month, to_month=to_month, booked_before=booked_before
    )
    found: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for month, component, units in rows:
        found[month][component] = units
    return dict(found)


def calls_by_day(*, entitlement_ids: Sequence[int], since: datetime, until: datetime) -> dict[int, dict[date, int]]:
    """Metered events per entitlement and business day, of hours that begin in [since, until); days without use are left out."""
    found: dict[int, dict[date, int]] = {entitlement: {} for entitlement in entitlement_ids}
    for entitlement, day, events in _rows("calls_by_day", entitlements=list(entitlement_ids), since=since, until=until):
        found[entitlement][day] = events
    return found


def calls_in_month(*, entitlement_ids: Sequence[int], month: date) -> dict[int, int]:
    """Metered events per entitlement whose use was in the month; entitlements without use are left out."""
    return dict(_rows("calls_in_month", month=month, entitlements=list(entitlement_ids)))


def events_counted(*, entitlement_id: int, event_month: date, booked_until: date) -> int:
    """Metered events of an entitlement's month of use that were booked up to a month, it included."""
    rows = _rows("events_counted", entitlement=entitlement_id, event_month=event_month, booked_until=booked_until)
    return rows[0][0]


def product_calls(*, product_ids: Sequence[int], month: date) -> tuple[dict[int, int], dict[int, int]]:
    """Metered events per product whose use was in the month: all, and the free ones among them."""
    rows = _rows("product_calls", month=month, products=list(product_ids))
    return {product: events for product, events, _free in rows}, {product: free for product, _events, free in rows if free}


def refusals_by_reason(
    *, since: datetime, until: datetime, entitlement_ids: Sequence[int] | None = None, product_id: int | None = None
) -> dict[str, int]:
    """Calls not served in [since, until), by reason, the most frequent first."""
    found = Refusal.objects.filter(at__gte=since, at__lt=until)
    if entitlement_ids is not None:
        found = found.filter(entitlement_id__in=entitlement_ids)
    if product_id is not None:
        found = found.filter(product_id=product_id)
    return dict(found.values_list("reason").annotate(calls=Count("*")).order_by("-calls", "reason"))


def usage_event(*, usage_id: UUID) -> UsageEvent | None:
    """The event of a receipt; its partition is read off the id. One of an archived month is read from the month's file.

    Raises ArchiveNotReadable where the month is archived and its file is not at hand.
    """
    month = month_of_id(usage_id)
    found = UsageEvent.objects.filter(event_month=month, id=usage_id).first()
    return found or _archived_event(month, usage_id)


def archived_file(*, event_month: date) -> str:
    """The file that holds the month's events; empty where they are in the database."""
    return ArchivedMonth.objects.filter(pk=event_month).values_list("file_name", flat=True).first() or ""


def _archived_event(month: date, usage_id: UUID) -> UsageEvent | None:
    kept = ArchivedMonth.objects.filter(pk=month).first()
    row = archive.find(archive.folder() / kept.file_name, usage_id) if kept else None
    if row is None:
        return None
    columns = {name: row[name] for name in archive.NAMES if name not in ("entitlement", "product", "release")}
    return UsageEvent(event_month=month, **columns | {"units": msgspec.json.decode(row["units"])})


def _rows(name: str, **parameters: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query(name), parameters)
        return cursor.fetchall()
