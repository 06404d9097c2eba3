"""What a tariff comes to as usage grows: the price per unit against its cap, and a month's total beside today's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from market.storefront import charts, expected
from pricing.documents import parse_tariff
from pricing.models import Cap
from pricing.quote import quote
from pricing.rules import Flat, Package, Tariff
from pricing.rules.exact import MICRO
from pricing.tariffs.price_list import BASIS_WORDS

TYPICAL = (1, 100, 1_000, 10_000, 100_000)
MOST_POINTS = 12
PICO = 10**12


@dataclass(frozen=True)
class Total:
    """A month's total at a quantity of a basis (nothing of the others), under the new document and the one before; yuan."""

    quantity: int
    total: Decimal
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else self.total - self.before


@dataclass(frozen=True)
class Curve:
    """One basis of a tariff: the chart of its price per unit and the totals."""

    basis: str
    chart: charts.Chart
    totals: tuple[Total, ...]


def curves(*, document: dict[str, Any], before: dict[str, Any] | None, caps: Sequence[Cap], on: date) -> list[Curve]:
    """A curve for each basis that the document charges by use. ``caps`` are all that hold on the day; the lowest counts."""
    terms = parse_tariff(document)
    bases = dict.fromkeys(c.basis for c in terms.components if c.is_collected and not isinstance(c.price, Flat))
    return [_curve(terms, document, before, basis, [cap for cap in caps if cap.basis == basis], on) for basis in bases]


def _curve(
    terms: Tariff, document: dict[str, Any], before: dict[str, Any] | None, basis: str, caps: Sequence[Cap], on: date
) -> Curve:
    points = points_of(terms, basis)
    cap = min((cap.amount for cap in caps), default=None)
    prices = [_unit_price(terms, basis, quantity) for quantity in points]
    chart = charts.bar_chart(
        title=_("Price per unit as use grows: %(basis)s") % {"basis": BASIS_WORDS[basis]},
        labels=[f"{quantity:,}" for quantity in points],
        values=prices,
        unit=_("yuan"),
        label_head=_("Quantity"),
        value_head=_("Price per unit"),
        limit=None if cap is None else charts.Limit(_("Cap"), cap),
        is_open=True,
    )
    totals = [
        Total(quantity, _month(document, basis, quantity, on), _month(before, basis, quantity, on) if before else None)
        for quantity in points
    ]
    return Curve(basis, chart, tuple(totals))


def points_of(terms: Tariff, basis: str) -> list[int]:
    """Quantities worth a look: typical ones, and each end of a tier or package with the next unit."""
    ends: set[int] = set()
    for component in terms.components:
        if component.basis != basis or isinstance(component.price, Flat):
            continue
        bounds = (component.price.size_micro,) if isinstance(component.price, Package) else component.price.bounds()
        ends |= {(component.included_micro + bound) // MICRO for bound in bounds}
    near = {quantity for end in ends for quantity in (end, end + 1)}
    return sorted({quantity for quantity in (*near, *TYPICAL) if quantity >= 1})[:MOST_POINTS]


def _unit_price(terms: Tariff, basis: str, quantity: int) -> Decimal:
    """What a unit costs at a quantity, all items of the basis together and before discounts, as the cap reads it."""
    found = [c for c in terms.components if c.basis == basis and c.is_collected and not isinstance(c.price, Flat)]
    exact = sum(component.value(quantity * MICRO) for component in found)
    return (Decimal(exact) / PICO / quantity).quantize(Decimal("0.000001")).normalize()


def _month(document: dict[str, Any], basis: str, quantity: int, on: date) -> Decimal:
    start = expected.next_month(on)
    metered = [c["code"] for c in document["components"] if c["model"] != "flat" and c["basis"] == basis]
    usage = {"units": dict.fromkeys(metered, str(quantity)), "from": start.isoformat()}
    return Decimal(quote(document, usage | {"to": expected.next_month(start).isoformat()})["total"])
