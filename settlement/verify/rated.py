"""Metered = rated: every charge of a closed month, from raw events, dated tariffs and `pricing.rules`."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pricing.documents import parse_tariff, parse_usage
from pricing.rules import Discount, Flat, Rated, Tariff, Usage, rate
from pricing.rules.periods import period_of
from settlement.verify.mismatch import Mismatch, as_json, rows

CHARGES = """
SELECT c.id, e.id, e.code, c.month_id, c.service_month, c.from_date, c.to_date, c.tariff_id, e.plan_id, e.grant_id IS NOT NULL,
    e.anchor_date, (e.valid_from AT TIME ZONE 'Asia/Shanghai')::date, c.usage, c.quote, c.total, c.net, c.vat, c.free_value,
    c.inputs_digest, c.invoice_id IS NOT NULL,
    (least(e.valid_to, e.ended_at) AT TIME ZONE 'Asia/Shanghai')::date
FROM settlement_charge c JOIN settlement_entitlement e ON e.id = c.entitlement_id
WHERE c.month_id = %(month)s ORDER BY e.id, c.service_month, c.from_date, c.id
"""
# From raw events; of a month whose events are archived from its hours, which the check of archives proves by the file.
USED = """
WITH archived AS (SELECT event_month FROM settlement_archivedmonth), used AS (
    SELECT u.entitlement_id, u.event_month, (u.event_time AT TIME ZONE 'Asia/Shanghai')::date AS day, u.book_month,
        x.key AS component, x.value::numeric AS units
    FROM settlement_usageevent u, jsonb_each_text(u.units) x
    WHERE u.event_month NOT IN (SELECT event_month FROM archived) AND {which}
    UNION ALL
    SELECT u.entitlement_id, u.event_month, (u.hour AT TIME ZONE 'Asia/Shanghai')::date, u.book_month, u.component, u.units
    FROM settlement_usagehour u WHERE u.event_month IN (SELECT event_month FROM archived) AND {which}
)
"""
RATED = """u.book_month <= %(month)s AND (u.entitlement_id, u.event_month) IN (
    SELECT entitlement_id, service_month FROM settlement_charge WHERE month_id = %(month)s)"""
UNITS = f"""{USED.format(which=RATED)}
SELECT entitlement_id, event_month, day, book_month, component, trunc(sum(units) * 1000000) FROM used GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - put together from what stands here
SPANNED = "u.entitlement_id = %(entitlement)s AND u.book_month <= %(month)s AND u.event_month < %(month)s"
EARLIER = f"""{USED.format(which=SPANNED)}
SELECT component, trunc(sum(units) * 1000000) FROM used WHERE day >= %(start)s GROUP BY 1
"""  # noqa: S608 - as above
TARIFFS = """
SELECT id, plan_id, lower(period), upper(period), digest, document FROM pricing_tariff WHERE state NOT IN ('returned',
    'withdrawn')
"""
STOPS = """
SELECT e.id, (s.started_at AT TIME ZONE 'Asia/Shanghai')::date,
    (coalesce(s.lifted_at - interval '1 microsecond', '9999-01-01') AT TIME ZONE 'Asia/Shanghai')::date
FROM settlement_emergencystop s
JOIN settlement_entitlement e ON s.kind = 'product' AND e.product_id = s.product_id
    OR s.kind = 'operator' AND e.operator_id = s.organisation_id
WHERE e.id IN (SELECT entitlement_id FROM settlement_charge WHERE month_id = %(month)s)
"""
STOPPED = "emergency-stop"  # in a usage document: days on which what is charged by time costs nothing
COVERED = {"products", "calls", "bytes", "records"}  # metered by basis, free under a plan that has no price for it
Day = tuple[date, date, str, int]  # day of use, month that bills it, component, millionths


@dataclass(slots=True)
class Row:
    """A charge as it is kept."""

    id: int
    entitlement: int
    code: str
    month: date
    service_month: date
    start: date
    end: date
    tariff: int | None
    plan: int | None
    is_free: bool
    anchor: date
    term_start: date
    usage: dict[str, Any]
    quote: dict[str, Any]
    total: Decimal
    net: Decimal
    vat: Decimal
    free_value: Decimal
    digest: str
    is_billed: bool
    entitlement_end: date

    def wrong(self, text: str) -> Mismatch:
        return Mismatch("settlement_charge", str(self.id), text)


class Rating:
    """One closed month, recomputed."""

    def __init__(self, month: date) -> None:
        self.tariffs = {r[0]: r for r in rows(TARIFFS)}
        self.terms: dict[int, Tariff] = {}
        self.days: dict[tuple[int, date], list[Day]] = defaultdict(list)
        for entitlement, service, day, book, component, units in rows(UNITS, {"month": month}):
            self.days[entitlement, service].append((day, book, component, int(units)))
        self.stops: dict[int, list[tuple[date, date]]] = defaultdict(list)
        for entitlement, first, last in rows(STOPS, {"month": month}):
            self.stops[entitlement].append((first, max(first, last)))
        self.charges = [Row(*r) for r in rows(CHARGES, {"month": month})]
        for charge in self.charges:
            charge.usage, charge.quote = as_json(charge.usage), as_json(charge.quote)
        self.together: dict[tuple[int, date], list[Row]] = defaultdict(list)
        for charge in self.charges:
            self.together[charge.entitlement, charge.service_month].append(charge)

    def mismatches(self) -> Iterator[Mismatch]:
        for charge in self.charges:
            yield from self.check(charge)

    def check(self, charge: Row) -> Iterator[Mismatch]:
        if charge.is_free == charge.is_billed:
            yield charge.wrong("free use is never billed" if charge.is_free else "is on no invoice")
        digest = self.tariffs[charge.tariff][4] if charge.tariff else ""
        wanted = [charge.code, charge.service_month.isoformat(), digest, charge.usage]
        text = json.dumps(wanted, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(text.encode()).hexdigest() != charge.digest:
            yield charge.wrong("its inputs are not those of its digest")
        if charge.tariff is None:
            if any((charge.total, charge.net, charge.vat, charge.free_value)):
                yield charge.wrong("has an amount and no tariff")
            return
        if charge.tariff not in self.terms:
            self.terms[charge.tariff] = free_when_stopped(parse_tariff(as_json(self.tariffs[charge.tariff][5])))
        yield from self.check_rated(charge, self.terms[charge.tariff])

    def check_rated(self, charge: Row, terms: Tariff) -> Iterator[Mismatch]:
        is_late = charge.service_month < charge.month
        yield from self.check_stops(charge, terms, charge.usage["all"] if is_late else charge.usage)
        whole = self.usage(charge, terms, charge.usage["all"] if is_late else charge.usage, None)
        yield from self.compare_usage(charge, charge.usage["all"] if is_late else charge.usage, whole)
        rated = [self.rate(charge, terms, whole)]
        if is_late:
            known = self.usage(charge, terms, charge.usage["billed"], charge.month)
            yield from self.compare_usage(charge, charge.usage["billed"], known)
            rated.append(self.rate(charge, terms, known))
        yield from compare_amounts(charge, rated[0], rated[1] if is_late else None)

    def is_stopped(self, charge: Row, day: date) -> bool:
        return any(first <= day <= last for first, last in self.stops[charge.entitlement])

    def check_stops(self, charge: Row, terms: Tariff, written: dict[str, Any]) -> Iterator[Mismatch]:
        """Fees for time are left out on exactly the days that an emergency stop touched."""
        days = [charge.start + timedelta(days=n) for n in range((charge.end - charge.start).days)]
        counts = terms.has_flat and not charge.is_free
        for day in days:
            if (counts and self.is_stopped(charge, day)) != (STOPPED in written["discounts"]):
                yield charge.wrong(f"says otherwise than the emergency stops of {day} whether its fees for time are charged")
                return

    def usage(self, charge: Row, terms: Tariff, written: dict[str, Any], booked_before: date | None) -> Usage:
        """What the raw events say; dates and discounts as written."""
        given = {name: value for name, value in written.items() if value is not None and name not in ("units", "before")}
        base = parse_usage(given, terms)
        known = {c.code for c in terms.components}
        units: dict[str, int] = defaultdict(int)
        before: dict[str, int] = defaultdict(int)
        spans = {c.code: self.span(charge, c.counts_over) for c in terms.components}
        for day, book, component, amount in self.days[charge.entitlement, charge.service_month]:
            if booked_before is not None and book >= booked_before:
                continue
            if self.belongs(charge, terms, day):
                units[component] += amount
            elif day < charge.start and component in spans and day >= spans[component]:
                before[component] += amount
        for start in set(spans.values()):
            if start < charge.service_month and not charge.is_free:
                keys = {"entitlement": charge.entitlement, "month": charge.service_month, "start": start}
                for component, amount in rows(EARLIER, keys):
                    if spans.get(component) == start:
                        before[component] += int(amount)
        kept = {code: amount for code, amount in before.items() if amount}
        passed_over = set(units) - known if charge.is_free else COVERED - known
        return replace(base, units={c: u for c, u in units.items() if c not in passed_over}, before=kept)

    def span(self, charge: Row, counts_over: str) -> date:
        if counts_over == "year":
            return period_of(charge.start, "year", charge.anchor)[0]
        return charge.term_start if counts_over == "term" else charge.service_month

    def belongs(self, charge: Row, terms: Tariff, day: date) -> bool:
        """Whether a day's use is this charge's: its tariff in force that day, on its side of the anniversary."""
        if charge.is_free:
            return True
        _id, plan, lower, upper, _digest, _document = self.tariffs[charge.tariff or 0]
        if plan != charge.plan or day < lower or (upper is not None and day >= upper):
            return False
        if terms.has_flat:  # cut where stops begin and end; use on the morning after the last day is the last part's
            if day < charge.start and self.is_edge(charge, charge.start):
                return False
            if day >= charge.end and self.is_edge(charge, charge.end) and charge.end < charge.entitlement_end:
                return False
        if any(c.counts_over == "year" for c in terms.components):
            return period_of(day, "year", charge.anchor) == period_of(charge.start, "year", charge.anchor)
        return True

    def is_edge(self, charge: Row, day: date) -> bool:
        return self.is_stopped(charge, day) != self.is_stopped(charge, day - timedelta(days=1))

    def compare_usage(self, charge: Row, written: dict[str, Any], found: Usage) -> Iterator[Mismatch]:
        for name, numbers in (("units", found.units), ("before", found.before)):
            said = {code: int(Decimal(text) * 10**6) for code, text in written[name].items()}
            for code in sorted(said.keys() | numbers.keys()):
                if said.get(code, 0) != numbers.get(code, 0):
                    metered = Decimal(numbers.get(code, 0)) / 10**6
                    yield charge.wrong(f"{name} of {code}: rated {written[name].get(code, '0')}, events say {metered}")

    def rate(self, charge: Row, terms: Tariff, usage: Usage) -> Rated:
        """With a minimum or maximum for the whole month, of which earlier parts have used some."""
        others = self.together[charge.entitlement, charge.service_month]
        if (terms.minimum_minor is None and terms.maximum_minor is None) or len(others) == 1:
            return rate(terms, usage)
        earlier = sum(int(Decimal(line["payable"]) * 100) for o in others if o.start < charge.start for line in o.quote["lines"])
        low, high = terms.minimum_minor, terms.maximum_minor
        is_last = charge.start == max(o.start for o in others)
        bounded = replace(
            terms,
            minimum_minor=max(0, low - earlier) if low is not None and is_last else None,
            maximum_minor=None if high is None else max(0, high - earlier),
        )
        return rate(bounded, usage)


def free_when_stopped(terms: Tariff) -> Tariff:
    by_time = frozenset(c.code for c in terms.components if isinstance(c.price, Flat))
    return replace(terms, discounts=(*terms.discounts, Discount(STOPPED, 100 * 10**6, by_time))) if by_time else terms


def compare_amounts(charge: Row, rated: Rated, already: Rated | None) -> Iterator[Mismatch]:
    for name in ("total", "net", "vat", "free_value"):
        minor = getattr(rated, f"{name}_minor") - (getattr(already, f"{name}_minor") if already else 0)
        amount = Decimal(minor) / 100
        if getattr(charge, name) != amount:
            yield charge.wrong(f"{name} {getattr(charge, name)}, by the rules {amount}")
        if Decimal(charge.quote[name]) != amount:
            yield charge.wrong(f"its quote says {name} {charge.quote[name]}, by the rules {amount}")
    wanted = line_amounts(rated)
    for code, numbers in (line_amounts(already) if already else {}).items():
        wanted[code] = [a - b for a, b in zip(wanted.get(code, [0, 0, 0, 0]), numbers, strict=True)]
    said = {line["component"]: [int(Decimal(line[name]) * scale) for name, scale in FIELDS] for line in charge.quote["lines"]}
    for code in sorted(wanted.keys() | said.keys()):
        if any(a != b for a, b in zip(wanted.get(code, [0] * 4), said.get(code, [0] * 4), strict=True)):
            yield charge.wrong(f"line {code} of its quote is not what the rules give")


FIELDS = (("units", 10**6), ("gross", 100), ("discount", 100), ("payable", 100))


def line_amounts(rated: Rated) -> dict[str, list[int]]:
    return {x.component: [x.units_micro, x.gross_minor, x.discount_minor, x.payable_minor] for x in rated.lines}


def charges() -> Iterator[Mismatch]:
    for (month,) in rows("SELECT month FROM settlement_billingmonth WHERE state = 'closed' ORDER BY month"):
        yield from Rating(month).mismatches()
