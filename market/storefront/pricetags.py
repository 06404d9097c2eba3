"""A tariff document as a tag: the first thing to know about a price, and its parts as rows. Reads documents, computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct

UNITS: dict[str, str | Promise] = {
    "products": pgettext_lazy("unit", "delivery"),
    "calls": pgettext_lazy("unit", "call"),
    "bytes": pgettext_lazy("unit", "GB"),
    "records": pgettext_lazy("unit", "record"),
}
PERIODS: dict[str, str | Promise] = {
    "day": pgettext_lazy("unit", "day"),
    "week": pgettext_lazy("unit", "week"),
    "month": pgettext_lazy("unit", "month"),
    "quarter": pgettext_lazy("unit", "quarter"),
    "year": pgettext_lazy("unit", "year"),
}
SPANS: dict[str, str | Promise] = {"month": _("each month"), "year": _("each year"), "term": _("over the whole term")}


@dataclass(frozen=True)
class Tag:
    """``amount`` yuan per ``unit``; ``is_from`` where other units cost less, ``more`` where other components come on top."""

    amount: Decimal
    unit: str
    is_from: bool
    more: bool


@dataclass(frozen=True)
class PriceRow:
    """One step of one component, for the table of a plan's prices."""

    label: str
    span: str
    price: Decimal
    unit: str
    note: str
    is_collected: bool


def unit_of(component: dict[str, Any]) -> str:
    """What the component's price is per: its own unit, else its basis or period, in the page's language."""
    if component["model"] == "flat":
        return str(PERIODS[component["period"]])
    return component.get("unit") or str(UNITS.get(component["basis"], component["basis"]))


def headline(document: dict[str, Any]) -> Tag | None:
    """The first collected component, metered before flat: its lowest unit price. None where nothing is collected."""
    collected = [c for c in document["components"] if c.get("collected", True)]
    ordered = sorted(collected, key=lambda component: component["model"] == "flat")
    if not ordered:
        return None
    first = ordered[0]
    prices = [row.price for row in rows_of_component(first)]
    return Tag(min(prices), rows_of_component(first)[0].unit, len(set(prices)) > 1, len(ordered) > 1)


def rows_of(document: dict[str, Any]) -> list[PriceRow]:
    """Every step of every component, in the document's order."""
    return [row for component in document["components"] for row in rows_of_component(component)]


def rows_of_component(component: dict[str, Any]) -> list[PriceRow]:
    label, unit = component.get("label", component["code"]), unit_of(component)
    is_collected = component.get("collected", True)
    note = _span_note(component)
    match component["model"]:
        case "flat":
            return [PriceRow(label, "", Decimal(component["price"]), unit, "", is_collected)]
        case "per_unit":
            return [PriceRow(label, "", Decimal(component["unit_price"]), unit, note, is_collected)]
        case "package":
            size = Decimal(component["package_size"])
            each = str(_("package of %(size)s %(unit)s")) % {"size": f"{size:,f}", "unit": unit}
            return [PriceRow(label, "", Decimal(component["package_price"]), each, note, is_collected)]
    rows, lower = [], Decimal(0)
    for tier in component["tiers"]:
        upper = None if tier["up_to"] is None else Decimal(tier["up_to"])
        fee = str(_("plus ¥%s for the tier")) % tier["flat_fee"] if tier.get("flat_fee") else ""
        rows.append(PriceRow(label, _span(lower, upper), Decimal(tier["unit_price"]), unit, fee or note, is_collected))
        lower = upper or lower
    return rows


def tariffs_of(plans: Iterable[Plan], on: date) -> dict[int, Tariff]:
    """The tariff in force on the date by plan, in one query."""
    found = Tariff.objects.filter(plan__in=[plan.pk for plan in plans], period__contains=on, state__in=("filed", "accepted"))
    return {tariff.plan_id: tariff for tariff in found.order_by("plan_id", "version")}


def tags_of(products: Iterable[DataProduct], on: date) -> dict[int, Tag]:
    """The tag of each product that has a price on the date: its first plan's; two queries."""
    own = Plan.objects.filter(product__in=[p.pk for p in products], state=Plan.State.OPEN, bundle=None)
    plans = list(own.order_by("product_id", "id"))
    tariffs = tariffs_of(plans, on)
    tags: dict[int, Tag] = {}
    for plan in plans:
        tag = headline(tariffs[plan.pk].document) if plan.pk in tariffs and plan.product_id not in tags else None
        if tag is not None:
            tags[plan.product_id] = tag
    return tags


def _span(lower: Decimal, upper: Decimal | None) -> str:
    if upper is None:
        return str(_("above %s")) % f"{lower:,f}" if lower else ""
    if not lower:
        return str(_("up to %s")) % f"{upper:,f}"
    first = lower + 1 if lower == int(lower) else lower
    return str(_("%(lower)s to %(upper)s")) % {"lower": f"{first:,f}", "upper": f"{upper:,f}"}


def _span_note(component: dict[str, Any]) -> str:
    if not component.get("included") or Decimal(component["included"]) == 0:
        return ""
    span = SPANS[component.get("counts_over", "month")]
    return str(_("the first %(units)s free of charge %(span)s")) % {"units": f"{Decimal(component['included']):,f}", "span": span}
