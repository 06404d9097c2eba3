"""A tariff against its caps and against the version before it, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from market.consoles.tariffs.curve import Curve, curves
from pricing.models import Cap, Plan, Tariff
from pricing.revenue.selectors import caps_in_force
from pricing.tariffs.price_list import PriceRow, price_rows
from pricing.tariffs.selectors import charged_classes, preview, tariff_in_force
from products.catalogue.models import Regime


@dataclass(frozen=True)
class Line:
    """A price with the caps above it, one a purpose class, and the price before it where the step is the same."""

    price: PriceRow
    caps: tuple[Cap | None, ...]
    before: str | None


@dataclass(frozen=True)
class Comparison:
    classes: tuple[str, ...]
    lines: tuple[Line, ...]
    before: Tariff | None
    found: Any  # pricing.tariffs.selectors.Preview
    curves: tuple[Curve, ...] = ()
    is_guided: bool = True


def comparison(tariff: Tariff) -> Comparison:
    """The comparison on the tariff's first day."""
    return compare(plan=tariff.plan, document=tariff.document, on=tariff.period.lower, with_curves=True)


def compare(*, plan: Plan, document: dict[str, Any], on: date, with_curves: bool = False) -> Comparison:
    """A document that may be no tariff yet, on the day it would begin. Raises DocumentRefused."""
    found = preview(plan=plan, document=document, from_date=on)
    classes = charged_classes(plan.purposes)
    caps = [caps_in_force(product=plan.product, purpose_class=name, on=on) for name in classes]
    before = tariff_in_force(plan=plan, on=on - timedelta(days=1))
    old = {place(row): row.price for row in price_rows(before.document)} if before else {}
    lines = tuple(
        Line(row, tuple(cap_of(row, of_class) for of_class in caps), old.get(place(row))) for row in price_rows(document)
    )
    drawn: list[Curve] = []
    if with_curves:
        every = [cap for of_class in caps for cap in of_class]
        drawn = curves(document=document, before=before.document if before else None, caps=every, on=on)
    return Comparison(classes, lines, before, found, tuple(drawn), plan.product.regime != Regime.MARKET)


def siblings(tariff: Tariff) -> list[Tariff]:
    """The tariffs of the other parts of its bundle that were filed together with it; none where it is sold alone."""
    if tariff.plan.bundle_id is None:
        return []
    found = Tariff.objects.filter(plan__bundle=tariff.plan.bundle_id, filed_at=tariff.filed_at).exclude(pk=tariff.pk)
    return list(found.select_related("plan__product", "plan__bundle").order_by("plan_id"))


def place(row: PriceRow) -> tuple[str, str, str | None]:
    return row.component, row.unit, row.above


def cap_of(row: PriceRow, caps: list[Cap]) -> Cap | None:
    period = row.unit if row.basis == "periods" else ""
    return next((cap for cap in caps if (cap.basis, cap.flat_period) == (row.basis, period)), None)
