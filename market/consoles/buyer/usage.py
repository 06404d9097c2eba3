"""This month so far: metered units, calls, refusals, and what they cost by the same quote as the invoice will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from market.storefront import expected, pricetags
from pricing.quote import quote
from pricing.tariffs.models import Plan, Tariff
from products.record.clock import business_date
from settlement.entitlements.models import Entitlement
from settlement.metering.selectors import units_counted

ALL_BOOKED = date(9999, 1, 1)


@dataclass(frozen=True)
class MonthSoFar:
    """``quote`` is None where no tariff is in force (a product that is free for all)."""

    first: date
    units: dict[str, Decimal]
    quote: dict[str, Any] | None
    labels: dict[str, str]


def tariff_of(entitlement: Entitlement, on: date) -> Tariff | None:
    """Its plan's tariff; for a grant the product's first one, by which the use is valued."""
    plans = (
        [entitlement.plan] if entitlement.plan else list(Plan.objects.filter(product_id=entitlement.product_id).order_by("id"))
    )
    return next(iter(pricetags.tariffs_of(plans, on).values()), None)


def unit_labels(*, entitlement: Entitlement, on: date) -> dict[str, str]:
    """What each metered component is called in the entitlement's tariff of a day; empty where none is in force."""
    tariff = tariff_of(entitlement, on)
    return _labels(tariff) if tariff else {}


def _labels(tariff: Tariff) -> dict[str, str]:
    return {component["code"]: component.get("label", component["code"]) for component in tariff.document["components"]}


def month_so_far(*, entitlement: Entitlement, today: date) -> MonthSoFar:
    """From the first of the month (or the entitlement's start) to the end of today. The invoice is made at the close."""
    first = today.replace(day=1)
    units = _units(entitlement, first, expected.next_month(first)).get(first, {})
    tariff = tariff_of(entitlement, today)
    if tariff is None:
        return MonthSoFar(first, units, None, {})
    document = tariff.document
    labels = _labels(tariff)
    start = max(first, business_date(entitlement.valid_from))
    end = min(today + timedelta(days=1), business_date(entitlement.valid_to))
    if end <= start:
        return MonthSoFar(first, units, None, labels)
    known = {component["code"] for component in expected.metered(document)}
    usage = {
        "units": {code: f"{value:f}" for code, value in units.items() if code in known},
        "before": _before(entitlement, document, first),
        "from": start.isoformat(),
        "to": end.isoformat(),
        "anchor": entitlement.anchor_date.isoformat(),
        "discounts": list(entitlement.discounts),
        "free": entitlement.is_free,
    }
    return MonthSoFar(first, units, quote(document, usage), labels)


def _before(entitlement: Entitlement, document: dict[str, Any], first: date) -> dict[str, str]:
    """Units used before this month, for components that count over a year or the term."""
    found: dict[str, str] = {}
    for component in expected.metered(document):
        span = component.get("counts_over", "month")
        if span == "month":
            continue
        start = entitlement.anchor_date
        while span == "year" and expected.add_months(start, 12) <= first:
            start = expected.add_months(start, 12)
        by_month = _units(entitlement, start.replace(day=1), first)
        found[component["code"]] = (
            f"{sum((units.get(component['code'], Decimal(0)) for units in by_month.values()), Decimal(0)):f}"
        )
    return found


def _units(entitlement: Entitlement, from_month: date, to_month: date) -> dict[date, dict[str, Decimal]]:
    return units_counted(entitlement_id=entitlement.pk, from_month=from_month, to_month=to_month, booked_before=ALL_BOOKED)
