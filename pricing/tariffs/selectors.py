"""Reads of plans and tariffs: which is in force, and whether a document would pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q, QuerySet

from pricing.cap_check import answer, check_terms
from pricing.documents import parse_caps, parse_tariff
from pricing.revenue.rules import CHARGED_CLASSES
from pricing.revenue.selectors import CapVersion, cap_versions
from pricing.rules import Flat, Violation
from pricing.rules import Tariff as Terms
from pricing.rules.caps import counting_at
from pricing.rules.exact import MICRO, plain, yuan
from pricing.tariffs.models import IN_FORCE_STATES, Plan, Tariff
from pricing.tariffs.rules import rises
from pricing.tariffs.sanity import FallExample, fall_of
from products.catalogue.models import Regime

PICO = 12  # exact amounts are in 10⁻¹² yuan


@dataclass(frozen=True)
class CounterExample:
    """The smallest quantity at which a tariff is above its cap, with the sum that shows it; amounts in yuan as text.

    ``parts`` are (label, exact gross at the quantity). ``cap`` is None where the basis is charged and has no cap.
    """

    purpose_class: str
    document_no: str
    from_date: date
    basis: str
    period: str
    quantity: int
    parts: tuple[tuple[str, str], ...]
    total: str
    price: str
    cap: str | None


@dataclass(frozen=True)
class Preview:
    """What filing a document would mean: the counter-examples (none: it passes), and what would cost more than today.

    ``fall`` is the smallest usage after which more use costs less in total, None where that never happens.
    """

    is_within_caps: bool
    has_caps: bool
    counter_examples: tuple[CounterExample, ...]
    missing_classes: tuple[str, ...]
    rises: tuple[str, ...]
    fall: FallExample | None = None


def tariff_in_force(*, plan: Plan, on: date) -> Tariff | None:
    """The plan's tariff on a business date; None where it has none."""
    found = Tariff.objects.filter(plan=plan, period__contains=on, state__in=IN_FORCE_STATES)
    return found.order_by("-version").first()


def tariffs_between(*, plan: Plan, from_date: date, to_date: date) -> list[Tariff]:
    """The tariffs in force on some day of [from_date, to_date), in order. Cut ``period`` to the span yourself."""
    later = Q(period__endswith__gt=from_date) | Q(period__upper_inf=True)
    found = Tariff.objects.filter(later, plan=plan, period__startswith__lt=to_date, state__in=IN_FORCE_STATES)
    return list(found.order_by("period", "version"))


def tariffs_from(*, plan: Plan, from_date: date) -> list[Tariff]:
    """The tariffs in force on ``from_date`` or later, in order."""
    later = Q(period__endswith__gt=from_date) | Q(period__upper_inf=True)
    return list(Tariff.objects.filter(later, plan=plan, state__in=IN_FORCE_STATES).order_by("period", "version"))


@dataclass(frozen=True)
class Timeline:
    """A plan's versions in force from its first day on, and the days between them that none covers.

    ``gaps`` are (first, last) days without a price: the plan could not be bought then, and served no call.
    """

    versions: tuple[Tariff, ...]
    gaps: tuple[tuple[date, date], ...]

    @property
    def is_open(self) -> bool:
        return bool(self.versions) and self.versions[-1].period.upper is None


def timeline(*, plan: Plan) -> Timeline:
    """The plan's versions by date. That no two overlap is a constraint (tariff_no_overlap); gaps are found here."""
    found = tuple(Tariff.objects.filter(plan=plan, state__in=IN_FORCE_STATES).order_by("period", "version"))
    day = timedelta(days=1)
    gaps = tuple((a.period.upper, b.period.lower - day) for a, b in pairwise(found) if a.period.upper < b.period.lower)
    return Timeline(found, gaps)


def charged_classes(purposes: Sequence[str]) -> tuple[str, ...]:
    """The purpose classes among the codes that may be charged."""
    named = {purpose.split(".", 1)[0] for purpose in purposes}
    return tuple(name for name in CHARGED_CLASSES if name in named)


def preview(*, plan: Plan, document: dict[str, Any], from_date: date) -> Preview:
    """Check a tariff document against every cap version from its first day on. Raises DocumentRefused."""
    terms = parse_tariff(document)
    found: list[CounterExample] = []
    missing: list[str] = []
    is_guided = plan.product.regime != Regime.MARKET
    for purpose_class in charged_classes(plan.purposes) if is_guided else ():
        versions = cap_versions(product=plan.product, purpose_class=purpose_class, from_date=from_date)
        if not versions or versions[0].start > from_date:
            missing.append(purpose_class)
        for version in versions:
            violation = check_terms(tariff=terms, caps=parse_caps(version.document))
            if violation is not None:
                found.append(counter_example(terms, violation, version))
    before = tariff_in_force(plan=plan, on=from_date - timedelta(days=1)) or tariff_in_force(plan=plan, on=from_date)
    more = rises(parse_tariff(before.document), terms) if before else ()
    return Preview(not found and not missing, not missing, tuple(found), tuple(missing), more, fall_of(terms))


def counter_example(terms: Terms, violation: Violation, version: CapVersion) -> CounterExample:
    """The violation with its arithmetic: each component's exact amount at the quantity, their sum, the price per unit."""
    named = answer(violation)
    period = flat_period(terms, violation) if violation.basis == "periods" else ""
    parts = amounts(terms, violation)
    total = sum(pico for _label, pico in parts)
    numbers = {cap.filing.document_no for cap in version.caps}
    return CounterExample(
        purpose_class=version.purpose_class,
        document_no="、".join(sorted(numbers)),
        from_date=version.start,
        basis=violation.basis,
        period=period,
        quantity=violation.quantity,
        parts=tuple((label, plain(pico, PICO, 2)) for label, pico in parts),
        total=plain(total, PICO, 2),
        price=named["price"],
        cap=named["cap"],
    )


def flat_period(terms: Terms, violation: Violation) -> str:
    flats = (c.price.period for c in terms.components if c.code in violation.components and isinstance(c.price, Flat))
    return next(flats, "")


def amounts(terms: Terms, violation: Violation) -> list[tuple[str, int]]:
    """(label, exact gross in 10⁻¹² yuan) of every component that counts in a violation."""
    if violation.basis == "periods":
        flats = [(c.label, c.price) for c in terms.components if c.code in violation.components and isinstance(c.price, Flat)]
        return [(label, price.price_minor * 10**10) for label, price in flats] or [
            ("minimum", (terms.minimum_minor or 0) * 10**10)
        ]
    of_basis = [c for c in terms.components if c.basis == violation.basis and c.is_collected and not isinstance(c.price, Flat)]
    counted = counting_at(of_basis, violation.quantity)
    return [(c.label, c.value(violation.quantity * MICRO)) for c in counted]


def plans_of(*, operator_ids: Sequence[int]) -> QuerySet[Plan]:
    """The plans of operators' products, by product and code."""
    return (
        Plan.objects.filter(product__operator__in=operator_ids)
        .select_related("product", "bundle")
        .order_by("product__code", "code", "id")
    )


__all__ = ["CounterExample", "Preview", "plans_of", "preview", "tariff_in_force", "tariffs_between", "tariffs_from", "yuan"]
