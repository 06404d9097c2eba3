"""What a use would cost: a month at the expected usage, what is due at checkout, how long the right runs.

Every amount comes from pricing.quote, with the discounts that the buyer gets: ``price_for`` is the one way to them, and a
purchase gives the same (pricing.tariffs.discounts).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pricing.grants.models import FreeUseGrant
from pricing.quote import quote
from pricing.tariffs.discounts import Offered, discounts_due, offered
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation
from products.record.clock import business_date, day_start

DEFAULT_UNITS = {"calls": "1000", "products": "1", "bytes": "1", "records": "1000"}


@dataclass(frozen=True)
class Term:
    """How long a bought right runs: [start, end). ``asked_end`` is the plan's; the authorisation may end it earlier."""

    start: date
    end: date
    asked_end: date

    @property
    def is_cut(self) -> bool:
        return self.end < self.asked_end

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def asked_valid_to(self) -> datetime:
        """The first moment after the asked term: what ``entitlement_open`` is asked for, and cuts."""
        return day_start(self.asked_end)


def term_of(*, product: DataProduct, months: int, at: datetime) -> Term:
    """A term of whole months from today, cut at the end of the product's authorisation (design.md, invariant 2)."""
    start = business_date(at)
    asked = add_months(start, months)
    end = asked
    if product.authorisation is not None:
        end = min(asked, product.authorisation.to_date + timedelta(days=1))
    return Term(start, end, asked)


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the month's last where it has no such day."""
    index = day.month - 1 + months
    year, month = day.year + index // 12, index % 12 + 1
    return min(date(year, month, 1) + timedelta(days=day.day - 1), next_month(date(year, month, 1)) - timedelta(days=1))


def next_month(day: date) -> date:
    """The first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def metered(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The components that are counted, in the document's order."""
    return [component for component in document["components"] if component["model"] != "flat"]


@dataclass(frozen=True)
class Deduction:
    """What a discount takes off one line of a quote, in yuan."""

    label: str
    discount: Offered
    amount: Decimal


@dataclass(frozen=True)
class Price:
    """A tariff document as one buyer gets it in one scenario."""

    document: Mapping[str, Any]
    discounts: tuple[Offered, ...]

    @property
    def due(self) -> tuple[str, ...]:
        """The reasons of the discounts that this use gets, sorted."""
        return tuple(sorted({each.reason for each in self.discounts if each.is_due}))

    @property
    def of_others(self) -> list[Offered]:
        """The discounts that are published for somebody else (or for who is not signed in)."""
        return [each for each in self.discounts if not each.is_due]

    def month(self, units: Mapping[str, str], on: date) -> dict[str, Any]:
        """The quote of one whole month (the next calendar month) at these units, for a right that begins on ``on``."""
        return month_quote(self.document, units, on, self.due)

    def term(self, units: Mapping[str, str], term: Term) -> Decimal:
        return term_total(self.document, units, term, self.due)

    def first_period_minor(self, term: Term) -> int:
        return first_period_minor(self.document, term, self.due)

    def deductions(self, answer: Mapping[str, Any]) -> list[Deduction]:
        """What the discounts take off a quote, line by line: of several that reach a component the largest counts."""
        labels = {component["code"]: component.get("label", component["code"]) for component in self.document["components"]}
        found = []
        for line in answer["lines"]:
            mine = [each for each in self.discounts if each.is_due and line["component"] in each.components]
            if mine and Decimal(line["discount"]):
                largest = max(mine, key=lambda each: Decimal(each.percent))
                found.append(Deduction(labels[line["component"]], largest, Decimal(line["discount"])))
        return found


def price_for(
    *, product: DataProduct, document: Mapping[str, Any], organisation: Organisation | None, scenario: str, on: date
) -> Price:
    """The price door of the shop: a tariff with the discounts that this buyer gets for this scenario on this day."""
    due = discounts_due(product=product, document=document, organisation=organisation, scenario=scenario, on=on)
    return Price(document, offered(document=document, due=due))


def month_quote(
    document: Mapping[str, Any], units: Mapping[str, str], on: date, discounts: Collection[str] = ()
) -> dict[str, Any]:
    """The quote of one whole month (the next calendar month) at these units; yearly fees accrue from ``on``, as the charge's."""
    start = next_month(on)
    usage = {"units": dict(units), "from": start.isoformat(), "to": next_month(start).isoformat()}
    return quote(dict(document), usage | {"anchor": on.isoformat(), "discounts": list(discounts)})


def term_total(document: Mapping[str, Any], units: Mapping[str, str], term: Term, discounts: Collection[str] = ()) -> Decimal:
    """Yuan over the whole term at these units each month; a month begun at its part of days."""
    total, start = Decimal(0), term.start
    counted = {code: Decimal(0) for code in units}
    spans = {c["code"]: c.get("counts_over", "month") for c in metered(document)}
    while start < term.end:
        first, end = start.replace(day=1), min(next_month(start), term.end)
        part = Decimal((end - start).days) / Decimal((next_month(start) - first).days)
        used = {code: (Decimal(value) * part).quantize(Decimal(1)) for code, value in units.items()}
        before = {code: str(value) for code, value in counted.items() if spans[code] != "month"}
        usage = {
            "units": {code: str(value) for code, value in used.items()},
            "before": before,
            "from": start.isoformat(),
            "to": end.isoformat(),
            "anchor": term.start.isoformat(),
            "discounts": list(discounts),
        }
        total += Decimal(quote(dict(document), usage)["total"])
        counted = {code: counted[code] + used[code] for code in units}
        start = end
    return total


def first_period_quote(document: Mapping[str, Any], term: Term, discounts: Collection[str] = ()) -> dict[str, Any] | None:
    """The flat components from the start to the end of the first billing month; None where there are none.

    Design.md section 4: due at checkout are the flat components of the first billing period. A minimum is settled at the
    close, when the usage is known, so it is left out here.
    """
    flat = [component for component in document["components"] if component["model"] == "flat"]
    if not flat:
        return None
    kept = {component["code"] for component in flat}
    cuts = [{**each, "components": [c for c in each["components"] if c in kept]} for each in document.get("discounts") or ()]
    cuts = [each for each in cuts if each["components"]]
    reduced = {**document, "components": flat, "minimum": None, "maximum": None, "discounts": cuts}
    usage = {
        "from": term.start.isoformat(),
        "to": min(next_month(term.start), term.end).isoformat(),
        "anchor": term.start.isoformat(),
        "discounts": list(discounts),
    }
    return quote(reduced, usage)


def first_period_minor(document: Mapping[str, Any], term: Term, discounts: Collection[str] = ()) -> int:
    """Fen due at checkout for the flat components, VAT included."""
    found = first_period_quote(document, term, discounts)
    return 0 if found is None else int(Decimal(found["total"]) * 100)


def grant_term(*, product: DataProduct, grant: FreeUseGrant, at: datetime) -> Term:
    """From today to the end of the grant, cut at the end of the product's authorisation."""
    start = business_date(at)
    asked = (grant.to_date or start) + timedelta(days=1)
    end = min(asked, product.authorisation.to_date + timedelta(days=1)) if product.authorisation else asked
    return Term(start, end, asked)
