"""What each buyer was charged in a service month, as cases to compare: from the charges of closed months, or from a running one.

Only plans whose tariffs publish a discount are read: where nothing can be deducted, one tariff charges everybody alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from pricing.bodies import region_of
from pricing.documents import parse_tariff, parse_usage
from pricing.quote import quote_terms
from pricing.rules import Flat
from pricing.rules import Tariff as Terms
from pricing.rules.exact import MICRO, half_up, plain, quantity, scaled, yuan
from pricing.tariffs.discounts import fulfilled, key_scenarios, published
from pricing.tariffs.models import Tariff
from settlement.billing.models import Charge
from settlement.billing.rating import drafts
from settlement.billing.rules import STOPPED, next_month, quote_document, with_stops
from settlement.billing.selectors import without_gaps
from settlement.billing.usage import gather
from settlement.entitlements.models import Entitlement
from settlement.oversight.equal_treatment_rules import Case, band_of


@dataclass(frozen=True, slots=True)
class Billed:
    """One charge, written or to come: the usage documents that were rated (+ and −) and the lines of the answer."""

    entitlement: int
    tariff: int
    usages: tuple[tuple[int, dict[str, Any]], ...]
    lines: tuple[dict[str, str], ...]


@dataclass(slots=True)
class Sums:
    """A buyer's month while its charges are added up; amounts in fen, units in millionths."""

    gross: int = 0
    payable: int = 0
    deserved: int = 0
    lines: int = 0
    units: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    versions: dict[int, Tariff] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Buyer:
    """A case with what people read of it."""

    case: Case
    entitlement: Entitlement
    facts: dict[str, Any]


def buyers_of_charges(*, month: date) -> list[Buyer]:
    """The buyers of a service month as the closed months charged it, late use included."""
    charges = Charge.objects.filter(service_month=month, invoice__isnull=False, tariff__plan__in=_plans()).order_by("id")
    rows = charges.values_list("entitlement_id", "tariff_id", "usage", "quote")
    return _buyers((Billed(e, t, tuple(_signed(usage)), tuple(quote["lines"])) for e, t, usage, quote in rows), month)


def buyers_so_far(*, month: date) -> list[Buyer]:
    """The buyers of a month that is not closed, as a close now would charge it. Raises what a close would (TariffMissing, …)."""
    plans = set(_plans())
    works, book = gather(month)
    works = [work for work in works if work.holder.plan_id in plans and work.service_month == month]
    found = (
        Billed(d.holder.id, d.version.id, tuple(_signed(d.rating.usage)), tuple(quote_document(d.rating.rated)["lines"]))
        for d in drafts(works, book, month)
        if d.version is not None
    )
    return _buyers(found, month)


def _plans() -> QuerySet[Tariff, int]:
    """Plans of which some version publishes a discount."""
    tariffs = Tariff.objects.filter(document__has_key="discounts").exclude(document__discounts=[])
    return tariffs.order_by().values_list("plan_id", flat=True).distinct()


def _signed(usage: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Late use is rate(all) − rate(billed)."""
    if "all" in usage:
        yield 1, usage["all"]
        yield -1, usage["billed"]
    else:
        yield 1, usage


def _buyers(billed: Iterable[Billed], month: date) -> list[Buyer]:
    rows = list(billed)
    holders = Entitlement.objects.filter(id__in={row.entitlement for row in rows}).select_related(
        "organisation", "plan", "product__authorisation__authorising_body"
    )
    entitlements = {each.pk: each for each in holders}
    tariffs = Tariff.objects.in_bulk({row.tariff for row in rows})
    terms = {number: with_stops(parse_tariff(tariff.document)) for number, tariff in tariffs.items()}
    conditions = _Conditions(next_month(month) - timedelta(days=1))
    sums: dict[int, Sums] = defaultdict(Sums)
    for row in rows:
        holder = entitlements[row.entitlement]
        met = conditions.met(holder, tariffs[row.tariff])
        _add(sums[row.entitlement], row, tariffs[row.tariff], terms[row.tariff], met)
        sums[row.entitlement].given |= set(holder.discounts) & published(tariffs[row.tariff].document)
    return [buyer for number, total in sums.items() for buyer in _buyer(entitlements[number], total, terms)]


class _Conditions:
    """Which published discounts a use meets on a day; the key scenarios of a region are read once."""

    def __init__(self, on: date) -> None:
        self.on = on
        self.by_region: dict[str, frozenset[str]] = {}

    def met(self, holder: Entitlement, tariff: Tariff) -> frozenset[str]:
        region = region_of(holder.product)
        if region not in self.by_region:
            self.by_region[region] = key_scenarios(region=region, on=self.on)
        named = {"scenario": holder.scenario, "size": holder.organisation.size, "key_scenarios": self.by_region[region]}
        return frozenset(fulfilled(published(tariff.document), **named))


def _add(total: Sums, row: Billed, tariff: Tariff, terms: Terms, met: frozenset[str]) -> None:
    metered = {component.code for component in terms.components if not isinstance(component.price, Flat)}
    for line in row.lines:
        if line["component"] in ("minimum", "maximum"):
            continue
        total.gross += _fen(line["gross"]) if _is_collected(terms, line["component"]) else 0
        total.payable += _fen(line["payable"])
        total.lines += len(row.usages)
        if line["component"] in metered:
            total.units[line["component"]] += _micro(line["units"])
            total.paid[line["component"]] += _fen(line["payable"])
    total.deserved += sum(sign * deserved(terms, usage, met) for sign, usage in row.usages)
    for sign, usage in row.usages:
        if sign > 0:
            for code in metered:
                reached = _micro(usage["before"].get(code, "0")) + _micro(usage["units"].get(code, "0"))
                total.counted[code] = max(total.counted[code], reached)
    total.versions[tariff.pk] = tariff
    total.met |= met


def deserved(terms: Terms, usage: dict[str, Any], met: frozenset[str]) -> int:
    """Fen that the tariff asks for a use with exactly the discounts whose condition is met; without minimum and maximum.

    Days of an emergency stop are not charged to anybody: no discount that someone was given.
    """
    document = without_gaps(usage) | {"discounts": sorted(met | ({STOPPED} & set(usage["discounts"])))}
    rated = quote_terms(tariff=terms, usage=parse_usage(document, terms)).rated
    return sum(line.payable_minor for line in rated.lines if line.component not in ("minimum", "maximum"))


def _is_collected(terms: Terms, code: str) -> bool:
    return any(component.code == code and component.is_collected for component in terms.components)


def _buyer(holder: Entitlement, total: Sums, terms: dict[int, Terms]) -> Iterator[Buyer]:
    """One case for each purpose of the entitlement."""
    last = max(total.versions.values(), key=lambda tariff: tariff.version)
    for purpose in holder.purposes:
        case = Case(
            code=holder.code,
            buyer=holder.organisation_id,
            product=holder.product_id,
            plan=holder.plan_id or 0,
            purpose=purpose,
            band=band_of(terms[last.pk], total.counted),
            units=sum(total.units.values()),
            gross=total.gross,
            payable=total.payable,
            deserved=total.deserved,
            lines=total.lines,
        )
        yield Buyer(case, holder, _facts(holder, total))


def _facts(holder: Entitlement, total: Sums) -> dict[str, Any]:
    """Text throughout, so that the facts read the same for ever: yuan, units, tariff versions, discounts with their reason."""
    percents: dict[str, str] = {}
    for tariff in total.versions.values():
        percents |= {each["reason"]: each["percent"] for each in tariff.document.get("discounts") or ()}
    return {
        "entitlement": holder.code,
        "organisation": holder.organisation.name,
        "organisation_en": holder.organisation.name_en,
        "uscc": holder.organisation.uscc,
        "size": holder.organisation.size,
        "plan": holder.plan.name if holder.plan else "",
        "scenario": holder.scenario,
        "order": holder.order_number,
        "units": {code: quantity(units) for code, units in sorted(total.units.items())},
        "gross": yuan(total.gross),
        "discount": yuan(total.gross - total.payable),
        "payable": yuan(total.payable),
        "deserved": yuan(total.deserved),
        "effective_unit_price": {
            code: plain(half_up(total.paid[code] * 10**4 * MICRO, units), 6, 6)
            for code, units in sorted(total.units.items())
            if units > 0
        },
        "tariff_versions": sorted(tariff.version for tariff in total.versions.values()),
        "discounts": [{"reason": r, "percent": percents.get(r, ""), "is_met": r in total.met} for r in sorted(total.given)],
        "not_given": [{"reason": r, "percent": percents.get(r, "")} for r in sorted(total.met - total.given)],
    }


def _fen(text: str) -> int:
    return _scaled(text, 2)


def _micro(text: str) -> int:
    return _scaled(text, 6)


def _scaled(text: str, places: int) -> int:
    """Amounts of late use may be negative."""
    return -scaled(text[1:], places) if text.startswith("-") else scaled(text, places)
