"""A tariff document as the rows of a price list: one a price step, with unit, range and price. Pure but for translated words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

UNITS = {"calls": "call", "records": "record", "products": "product", "bytes": "GB"}
UNIT_WORDS: dict[str, str | Promise] = {
    "call": _("call"),
    "record": _("record"),
    "product": _("product"),
    "day": _("day"),
    "week": _("week"),
    "month": _("month"),
    "quarter": _("quarter"),
    "year": _("year"),
}
BASIS_WORDS: dict[str, str | Promise] = {
    "products": _("Number of products"),
    "calls": _("Number of calls"),
    "periods": _("Service time"),
    "bytes": _("Data volume"),
    "records": _("Number of records"),
}
MODEL_WORDS: dict[str, str | Promise] = {
    "per_unit": _("Per unit"),
    "graduated": _("Graduated, block by block"),
    "volume": _("By volume, the whole quantity"),
    "package": _("Package"),
    "flat": _("Flat"),
}


@dataclass(frozen=True)
class PriceRow:
    """One price of a component, in yuan as the document writes it.

    ``above`` and ``up_to`` bound the units of a tier (None: from zero, without end); ``fee`` is added when the tier is entered;
    ``size`` are the units of a package; ``included`` units cost nothing before.
    """

    component: str
    label: str
    basis: str
    unit: str
    model: str
    price: str
    above: str | None = None
    up_to: str | None = None
    fee: str | None = None
    size: str | None = None
    included: str | None = None
    is_collected: bool = True

    @property
    def unit_word(self) -> str | Promise:
        return UNIT_WORDS.get(self.unit, self.unit)

    @property
    def basis_word(self) -> str | Promise:
        return BASIS_WORDS[self.basis]

    @property
    def model_word(self) -> str | Promise:
        return MODEL_WORDS[self.model]


def price_rows(document: dict[str, Any]) -> list[PriceRow]:
    """All prices of a tariff document, component by component, tier by tier."""
    return [row for component in document["components"] for row in component_rows(component)]


def component_rows(component: dict[str, Any]) -> Iterator[PriceRow]:
    model = component["model"]
    is_flat = model == "flat"
    named: dict[str, Any] = {
        "component": component["code"],
        "label": component.get("label") or component["code"],
        "basis": "periods" if is_flat else component["basis"],
        "unit": component["period"] if is_flat else component.get("unit") or UNITS.get(component["basis"], component["basis"]),
        "model": model,
        "included": component.get("included"),
        "is_collected": component.get("collected", True),
    }
    if model == "package":
        yield PriceRow(**named, price=component["package_price"], size=component["package_size"])
    elif is_flat:
        yield PriceRow(**named, price=component["price"])
    elif model == "per_unit":
        yield PriceRow(**named, price=component["unit_price"])
    else:
        above = None
        for tier in component["tiers"]:
            yield PriceRow(**named, price=tier["unit_price"], above=above, up_to=tier["up_to"], fee=tier.get("flat_fee"))
            above = tier["up_to"]
