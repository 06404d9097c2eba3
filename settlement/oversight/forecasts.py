"""Forecasts of charged volume: fed from usage, made once for each closed month, kept unchanged, held against what came.

``forecasts_make`` is the monthly job; pages only read what it kept, so a page never fits. Volumes are charged units by product
and component: free use never counts (F2), and neither a month still open nor use that came in late is known to a forecast.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from pricing.estimation import months
from pricing.estimation.demand import Forecast, Series, forecast
from products.catalogue.models import DataProduct
from products.record import audit
from settlement.billing.models import BillingMonth
from settlement.oversight.comparables import sector_of
from settlement.oversight.models import ChargedVolume, DemandForecast, DemandOutlook
from settlement.sql import query

CENT = Decimal("0.01")
Key = tuple[int, str]


@dataclass(frozen=True)
class ExpectedYear:
    """Charged units in the twelve months from ``made_from``: 80 % lie between low and high.

    ``reason`` is too_little_data where nothing can be said, and the numbers are None; else it says why the method was taken.
    """

    low: Decimal | None
    middle: Decimal | None
    high: Decimal | None
    made_from: date | None
    method: str
    reason: str


@dataclass(frozen=True)
class Came:
    """One month that was forecast the month before it, and what came of it; units of the component."""

    month: date
    method: str
    low: Decimal
    middle: Decimal
    high: Decimal
    baseline: Decimal
    units: Decimal

    @property
    def is_within(self) -> bool:
        return self.low <= self.units <= self.high

    @property
    def error(self) -> Decimal:
        return abs(self.units - self.middle)

    @property
    def baseline_error(self) -> Decimal:
        return abs(self.units - self.baseline)


@dataclass(frozen=True)
class Record:
    """How the kept forecasts did so far: months compared, how many came within the band, mean absolute errors."""

    months: int
    within: int
    error: Decimal
    baseline_error: Decimal

    @property
    def is_better(self) -> bool:
        return self.error < self.baseline_error


def monthly_units(*, before: date) -> dict[Key, dict[date, Decimal]]:
    """Charged units by (product id, component) and month, of all months before one, as they were known when it began."""
    found: dict[Key, dict[date, Decimal]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(query("charged_volumes"), {"before": before})
        for product_id, component, month, units in cursor.fetchall():
            found[product_id, component][month] = units
    return dict(found)


def latest_made_from() -> date | None:
    """The month after the last closed one; None before any close."""
    closed = BillingMonth.objects.filter(state=BillingMonth.State.CLOSED).aggregate(last=Max("month"))["last"]
    return months.shift(closed, 1) if closed else None


@transaction.atomic
def forecasts_make(*, made_from: date, at: datetime) -> int:
    """Make and keep the forecasts of the twelve months from ``made_from``, with what was known when it began; how many are new.

    Again it makes nothing: a forecast is kept as it was made. One made later than its month began shows that by ``made_at``.
    """
    known = monthly_units(before=made_from)
    kept = set(DemandOutlook.objects.filter(made_from=made_from).values_list("product_id", "component"))
    if kept >= set(known):
        return 0
    said = forecast(_series(known, made_from))
    new = [(key, said[_name(key)]) for key in sorted(known) if key not in kept and _name(key) in said]
    outlooks = [_outlook(key, one, at) for key, one in new]
    rows = [row for key, one in new for row in _rows(key, one, at)]
    DemandOutlook.objects.bulk_create(outlooks, ignore_conflicts=True)
    DemandForecast.objects.bulk_create(rows, ignore_conflicts=True)
    _keep_volumes(known, made_from, at)
    facts = {"made_from": made_from, "products": len(outlooks), "months": len(rows)}
    audit.record(action="demand.forecast_made", obj=("month", f"{made_from:%Y-%m}"), at=at, facts=facts)
    return len(outlooks)


def forecasts_catch_up(*, at: datetime) -> int:
    """Make the rounds that are missing up to the month after the last close; how many outlooks are new.

    The first run starts with the fourth month of use; later ones go on after the last round, and read no usage where none is due.
    """
    last = latest_made_from()
    if last is None:
        return 0
    made = DemandOutlook.objects.aggregate(last=Max("made_from"))["last"]
    if made is None:
        first = min((min(by_month) for by_month in monthly_units(before=last).values()), default=last)
        start = months.shift(first, 3)
    else:
        start = months.shift(made, 1)
    due = months.months_from(start, max(0, months.months_apart(start, last) + 1))
    return sum(forecasts_make(made_from=month, at=at) for month in due)


def expected_year(*, product: DataProduct, component: str, on: date) -> ExpectedYear:
    """Charged units a year to expect of a product's component, by the last forecast that was kept by a day. For caps (F2)."""
    found = DemandOutlook.objects.filter(product=product, component=component, made_from__lte=on).order_by("-made_from").first()
    if found is None or found.year_middle is None:
        method = found.method if found else "too_little_data"
        return ExpectedYear(None, None, None, found.made_from if found else None, method, "too_little_data")
    return ExpectedYear(found.year_low, found.year_middle, found.year_high, found.made_from, found.method, found.reason)


def latest_outlooks(*, products: QuerySet[DataProduct]) -> QuerySet[DemandOutlook]:
    """The last round's outlook of each product and component, by product code."""
    newest = DemandOutlook.objects.filter(product=OuterRef("product"), component=OuterRef("component"))
    last = newest.order_by("-made_from").values("made_from")[:1]
    found = DemandOutlook.objects.filter(product__in=products, made_from=Subquery(last))
    return found.select_related("product__operator").order_by("product__code", "component", "id")


def months_ahead(*, outlook: DemandOutlook) -> list[DemandForecast]:
    """The twelve months of an outlook, in order; none where there was too little data."""
    same = {"product": outlook.product_id, "component": outlook.component, "made_from": outlook.made_from}
    return list(DemandForecast.objects.filter(**same).order_by("month"))


def volumes(*, product: DataProduct, component: str) -> list[ChargedVolume]:
    """The charged units of the months that were counted, in order."""
    return list(ChargedVolume.objects.filter(product=product, component=component).order_by("month"))


def came(*, product_ids: list[int], since: date | None = None) -> dict[Key, list[Came]]:
    """What was forecast one month ahead and has come, by (product id, component), in order of months."""
    same = {"product": OuterRef("product"), "component": OuterRef("component"), "month": OuterRef("month")}
    truth = ChargedVolume.objects.filter(**same).values("units")[:1]
    found = DemandForecast.objects.filter(product__in=product_ids, month=F("made_from")).annotate(units=Subquery(truth))
    found = found.filter(Q(month__gte=since) if since else Q(), units__isnull=False).order_by("month", "id")
    lists: dict[Key, list[Came]] = defaultdict(list)
    for row in found:
        one = Came(row.month, row.method, row.low, row.middle, row.high, row.baseline, row.units)
        lists[row.product_id, row.component].append(one)
    return dict(lists)


def record_of(found: list[Came]) -> Record | None:
    """The forecasts of a product that came due, summed up; None without any."""
    if not found:
        return None
    count = len(found)
    error, baseline = (
        sum(errors, Decimal(0)) / count for errors in zip(*((c.error, c.baseline_error) for c in found), strict=True)
    )
    return Record(count, sum(one.is_within for one in found), error, baseline)


def _series(known: dict[Key, dict[date, Decimal]], made_from: date) -> list[Series]:
    sectors = {
        pk: sector_of(purposes)
        for pk, purposes in DataProduct.objects.filter(pk__in={k[0] for k in known}).values_list("pk", "purposes")
    }
    found = []
    for key, by_month in sorted(known.items()):
        used = [month for month, units in by_month.items() if units > 0]
        if used:
            span = months.months_from(min(used), months.months_apart(min(used), made_from))
            units = tuple(float(max(Decimal(0), by_month.get(month, Decimal(0)))) for month in span)
            found.append(Series(_name(key), min(used), units, sectors[key[0]]))
    return found


def _name(key: Key) -> str:
    return f"{key[0]}/{key[1]}"


def _exact(value: float) -> Decimal:
    return Decimal(value).quantize(CENT)


def _outlook(key: Key, one: Forecast, at: datetime) -> DemandOutlook:
    year = [one.year.low, one.year.middle, one.year.high] if one.year else [None] * 3
    low, middle, high = (None if value is None else _exact(value) for value in year)
    return DemandOutlook(
        product_id=key[0],
        component=key[1],
        made_from=one.made_from,
        method=one.method,
        reason=one.reason,
        checks=one.back_test.checks,
        model_error=_exact(one.back_test.model_error),
        baseline_error=_exact(one.back_test.baseline_error),
        checked_ahead=one.checked_ahead,
        year_low=low,
        year_middle=middle,
        year_high=high,
        made_at=at,
    )


def _rows(key: Key, one: Forecast, at: datetime) -> list[DemandForecast]:
    return [
        DemandForecast(
            product_id=key[0],
            component=key[1],
            made_from=one.made_from,
            month=ahead.month,
            method=one.method,
            low=_exact(ahead.band.low),
            middle=_exact(ahead.band.middle),
            high=_exact(ahead.band.high),
            baseline=_exact(ahead.baseline),
            made_at=at,
        )
        for ahead in one.ahead
    ]


def _keep_volumes(known: dict[Key, dict[date, Decimal]], made_from: date, at: datetime) -> None:
    """Each month from a product's first on; a month without use between counts as 0."""
    rows = []
    for (product_id, component), by_month in known.items():
        first = min(by_month)
        for month in months.months_from(first, months.months_apart(first, made_from)):
            units = by_month.get(month, Decimal(0))
            rows.append(ChargedVolume(product_id=product_id, component=component, month=month, units=units, counted_at=at))
    ChargedVolume.objects.bulk_create(rows, ignore_conflicts=True)
