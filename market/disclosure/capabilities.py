"""An operator's capability list: every product with what it may be used for, its price and the cap above it.

One row is one price step of one plan, or one free purpose class of a product. The columns are stable (docs/disclosure.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from pricing.models import Cap, Plan, Tariff
from pricing.revenue.selectors import written
from pricing.tariffs.models import IN_FORCE_STATES
from pricing.tariffs.price_list import PriceRow, price_rows
from pricing.tariffs.selectors import charged_classes
from products.catalogue.models import DataProduct, ProductState, Regime
from products.models import Organisation
from products.record.clock import business_date
from products.registry.models import FREE_CLASSES
from settlement.entitlements.models import EmergencyStop
from settlement.entitlements.stop_selectors import stops_of

PUBLIC_STATES = (ProductState.LISTED, ProductState.SUSPENDED, ProductState.DELISTED)
FREE_PRICE = "0.00"


@dataclass(frozen=True)
class Capability:
    """One row; text throughout, amounts in yuan, dates as 2026-01-31, several values joined by a semicolon."""

    product_code: str
    product_name: str
    product_name_en: str
    product_type: str
    scenarios: str
    purpose_class: str
    purposes: str
    charge: str
    regime: str
    plan_code: str
    plan_name: str
    component: str
    label: str
    basis: str
    unit: str
    price_model: str
    above_units: str
    up_to_units: str
    price: str
    vat: str
    collected: str
    cap: str
    cap_document: str
    in_force_from: str
    status: str


COLUMNS = tuple(field.name for field in fields(Capability))


@dataclass(frozen=True)
class Entry:
    """A product of the list with its rows, for the page."""

    product: DataProduct
    prices: tuple[Priced, ...]
    stop: EmergencyStop | None = None

    @property
    def rows(self) -> tuple[Capability, ...]:
        return tuple(priced.row for priced in self.prices)


class Priced(NamedTuple):
    """A row with what it was made from; a free one has no price, no cap and no tariff."""

    row: Capability
    price: PriceRow | None = None
    cap: Cap | None = None
    tariff: Tariff | None = None


def capability_list(*, operator: Organisation, on: date) -> list[Entry]:
    """An operator's list on a business date; five queries."""
    products = DataProduct.objects.filter(operator=operator, state__in=PUBLIC_STATES)
    return entries_of(products.order_by("name_key", "id"), on=on)


def entries_of(products: QuerySet[DataProduct], *, on: date, with_later: bool = False) -> list[Entry]:
    """The products with their prices on a business date; ``with_later`` adds tariffs that begin after it. Five queries."""
    then = Q(period__contains=on)
    then |= Q(period__startswith__gt=on) if with_later else Q(pk__in=[])
    tariffs = Tariff.objects.filter(then, state__in=IN_FORCE_STATES).order_by("period", "version")
    on_sale = Plan.objects.filter(Q(bundle=None) | Q(bundle__state="open"), state=Plan.State.OPEN)
    plans = on_sale.order_by("code", "id").prefetch_related(Prefetch("tariffs", queryset=tariffs))
    caps = Cap.objects.filter(then).select_related("filing").order_by("id")
    found = products.prefetch_related(Prefetch("plans", queryset=plans), Prefetch("caps", queryset=caps)).defer("search_terms")
    stops = stops_of(found)
    return [Entry(p, tuple(_stopped(_prices(p, on), stops.get(p.pk))), stops.get(p.pk)) for p in found]


def _stopped(prices: Iterable[Priced], stop: EmergencyStop | None) -> Iterator[Priced]:
    """The rows with their status while an emergency stop holds."""
    for priced in prices:
        yield priced if stop is None else priced._replace(row=replace(priced.row, status="stopped"))


def _prices(product: DataProduct, on: date) -> Iterator[Priced]:
    for purpose_class in sorted(str(name) for name in FREE_CLASSES):
        purposes = _purposes(product.purposes, purpose_class)
        if purposes:
            yield Priced(_free(product, purpose_class, purposes))
    if product.regime == Regime.FREE:
        return
    for plan in product.plans.all():
        for tariff in _without_repeats(plan.tariffs.all()):
            for purpose_class in charged_classes(plan.purposes):
                yield from _charged(product, plan, tariff, purpose_class, max(on, tariff.period.lower))


def _without_repeats(tariffs: Iterable[Tariff]) -> Iterator[Tariff]:
    """A version that only goes on with the document of the one before it is no other price."""
    before = None
    for tariff in tariffs:
        if before is None or tariff.document != before.document:
            yield tariff
        before = tariff


def _charged(product: DataProduct, plan: Plan, tariff: Tariff, purpose_class: str, on: date) -> Iterator[Priced]:
    for price in price_rows(tariff.document):
        cap = _cap_of(product, purpose_class, price, on)
        row = _common(product, purpose_class, _purposes(plan.purposes, purpose_class)) | {
            "charge": "charged",
            "plan_code": plan.code,
            "plan_name": plan.name,
            "component": price.component,
            "label": price.label,
            "basis": price.basis,
            "unit": price.unit if price.size is None else f"{price.size} {price.unit}",
            "price_model": price.model,
            "above_units": price.above or "",
            "up_to_units": price.up_to or "",
            "price": price.price,
            "vat": "inclusive" if tariff.document["tax"]["inclusive"] else "exclusive",
            "collected": "yes" if price.is_collected else "no",
            "cap": written(cap.amount, 6) if cap else "",
            "cap_document": cap.filing.document_no if cap else "",
            "in_force_from": tariff.period.lower.isoformat(),
        }
        yield Priced(Capability(**row), price, cap, tariff)


def _free(product: DataProduct, purpose_class: str, purposes: list[str]) -> Capability:
    since = business_date(product.listed_at).isoformat() if product.listed_at else ""
    row = _common(product, purpose_class, purposes) | {"charge": "free", "price": FREE_PRICE, "in_force_from": since}
    return Capability(**row)


def _common(product: DataProduct, purpose_class: str, purposes: list[str]) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | {
        "product_code": product.code,
        "product_name": product.name,
        "product_name_en": product.name_en,
        "product_type": product.type,
        "scenarios": ";".join(product.scenarios),
        "purpose_class": purpose_class,
        "purposes": ";".join(purposes),
        "regime": product.regime,
        "status": product.state,
    }


def _purposes(codes: list[str], purpose_class: str) -> list[str]:
    return [code for code in codes if code.split(".", 1)[0] == purpose_class]


def _cap_of(product: DataProduct, purpose_class: str, price: PriceRow, on: date) -> Cap | None:
    period = price.unit if price.basis == "periods" else ""
    named = (purpose_class, price.basis, period)
    caps = (cap for cap in product.caps.all() if (cap.purpose_class, cap.basis, cap.flat_period) == named)
    return next((cap for cap in caps if cap.period.lower <= on and (cap.period.upper is None or on < cap.period.upper)), None)
