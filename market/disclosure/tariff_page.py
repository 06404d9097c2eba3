"""A product's prices opened to their arithmetic: what the cap allows, a quote at a typical use with its sums, the versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from market.storefront import expected
from pricing.cap_check import check_terms
from pricing.documents import parse_caps, parse_tariff, parse_usage
from pricing.explain import step_text
from pricing.quote import Quote, quote_terms
from pricing.revenue.models import Cap
from pricing.revenue.selectors import cap_document
from pricing.rules import Package
from pricing.rules.exact import quantity, yuan
from pricing.tariffs.history import Version, plan_history
from pricing.tariffs.models import Plan, Tariff
from pricing.tariffs.price_list import PriceRow, price_rows
from pricing.tariffs.selectors import charged_classes

MAX_UNITS = Decimal(10) ** 12


@dataclass(frozen=True)
class Headroom:
    """A price under a cap: what is left below it, in yuan and as a part of the cap; all None in a market-price regime."""

    price: PriceRow
    purpose_class: str
    cap: Cap | None
    left: Decimal | None
    part: Decimal | None


@dataclass(frozen=True)
class Allowed:
    """What the cap would allow for the same use of a basis: cap × units, against what the tariff takes before discounts."""

    basis: str
    purpose_class: str
    units: str
    cap: Decimal
    most: Decimal
    taken: Decimal

    @property
    def left(self) -> Decimal:
        return self.most - self.taken


@dataclass(frozen=True)
class QuotedLine:
    label: str
    units: str
    payable: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class PlanArithmetic:
    """A plan's tariff in force, opened: headroom of each price, the proof, a month's quote at ``units``, and its versions."""

    plan: Plan
    tariff: Tariff
    headrooms: tuple[Headroom, ...]
    is_within_caps: bool
    metered: tuple[dict[str, Any], ...]
    units: dict[str, str]
    wrong: tuple[str, ...]
    lines: tuple[QuotedLine, ...]
    tax_steps: tuple[str, ...]
    total: str
    allowed: tuple[Allowed, ...]


def arithmetic(*, plan: Plan, tariff: Tariff, caps: list[Cap], asked: Mapping[str, str], on: date) -> PlanArithmetic:
    """``caps`` are the product's on the day; ``asked`` may have ``units-<component>`` for another use than the typical one."""
    document = tariff.document
    units, wrong = units_of(document, asked)
    classes = charged_classes(plan.purposes)
    within = [name for name in classes if _is_within(document, [cap for cap in caps if cap.purpose_class == name])]
    quote = _quote(document, units, on)
    labels = {component["code"]: component.get("label") or component["code"] for component in document["components"]}
    return PlanArithmetic(
        plan=plan,
        tariff=tariff,
        headrooms=tuple(headrooms(document, classes, caps)),
        is_within_caps=within == list(classes),
        metered=tuple(expected.metered(document)),
        units=units,
        wrong=wrong,
        lines=tuple(
            QuotedLine(
                labels.get(line.component, line.component),
                quantity(line.units_micro),
                yuan(line.payable_minor),
                tuple(step_text(step) for step in quote.steps(line)),
            )
            for line in quote.rated.lines
        ),
        tax_steps=tuple(step_text(step) for step in quote.tax_steps()),
        total=yuan(quote.rated.total_minor),
        allowed=tuple(_allowed(quote, caps, classes)),
    )


def _is_within(document: dict[str, Any], caps: list[Cap]) -> bool:
    return bool(caps) and check_terms(tariff=parse_tariff(document), caps=parse_caps(cap_document(caps))) is None


def units_of(document: Mapping[str, Any], asked: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """A month's use by component: what was asked, else the typical use of its basis; and the codes asked wrongly."""
    units, wrong = {}, []
    for component in expected.metered(document):
        code = component["code"]
        typical = expected.DEFAULT_UNITS.get(component["basis"], "0")
        text = asked.get(f"units-{code}", "").strip().replace(",", "") or typical
        value = Decimal(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() else Decimal(-1)
        if not 0 <= value <= MAX_UNITS or value != round(value, 6):
            wrong.append(code)
            value = Decimal(typical)
        units[code] = f"{value:f}"
    return units, tuple(wrong)


def _quote(document: dict[str, Any], units: dict[str, str], on: date) -> Quote:
    """The next whole calendar month, as on the product's page."""
    start = expected.next_month(on)
    usage = {"units": units, "from": start.isoformat(), "to": expected.next_month(start).isoformat()}
    terms = parse_tariff(document)
    return quote_terms(tariff=terms, usage=parse_usage(usage, terms))


def headrooms(document: dict[str, Any], classes: tuple[str, ...], caps: list[Cap]) -> list[Headroom]:
    """Each price step under the cap of each charged purpose class; a package by its price per unit."""
    found = []
    for price in price_rows(document):
        amount = Decimal(price.price) / Decimal(price.size or 1)
        for name in classes:
            cap = cap_over(price, name, caps)
            left = cap.amount - amount if cap else None
            part = left / cap.amount if cap and left is not None and cap.amount else None
            found.append(Headroom(price, name, cap, left, None if part is None else round(part, 3)))
    return found


def cap_over(price: PriceRow, purpose_class: str, caps: list[Cap]) -> Cap | None:
    named = (purpose_class, price.basis, price.unit if price.basis == "periods" else "")
    return next((cap for cap in caps if (cap.purpose_class, cap.basis, cap.flat_period) == named), None)


def _allowed(quote: Quote, caps: list[Cap], classes: tuple[str, ...]) -> list[Allowed]:
    """Per metered basis: the cap holds for the sum of its collected components, so their gross amounts are added up."""
    taken: dict[str, int] = {}
    units: dict[str, int] = {}
    gross = {line.component: line for line in quote.rated.lines}
    for component in quote.tariff.components:
        if component.basis != "periods" and component.is_collected and component.code in gross:
            line = gross[component.code]
            taken[component.basis] = taken.get(component.basis, 0) + line.gross_minor
            counted = line.units_micro
            if isinstance(component.price, Package):  # a begun package is a whole one, and what is left of it stays the buyer's
                counted = max(counted, component.price.packages(counted) * component.price.size_micro)
            units[component.basis] = max(units.get(component.basis, 0), counted)
    return [
        Allowed(
            basis=cap.basis,
            purpose_class=cap.purpose_class,
            units=quantity(units[cap.basis]),
            cap=cap.amount,
            most=round(cap.amount * Decimal(units[cap.basis]).scaleb(-6), 2),
            taken=Decimal(taken[cap.basis]).scaleb(-2),
        )
        for cap in caps
        if cap.basis in taken and cap.purpose_class in classes and units[cap.basis]
    ]


def history_of(*, plans: list[Plan], on: date) -> list[tuple[Plan, list[Version]]]:
    """The versions of each plan, the latest first; two queries a plan."""
    return [(plan, plan_history(plan=plan, on=on)) for plan in plans]
