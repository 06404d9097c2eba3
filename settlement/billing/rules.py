"""Choices and arithmetic of bills. Pure: no clock, no database.

An invoice is a function of metered units, dated tariffs and the month that closes; what is here makes it reproducible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pricing.rules import Discount, Flat, Line, Rated, Tariff, Usage, rate
from pricing.rules.exact import FULL_PERCENT, quantity, yuan
from pricing.rules.periods import anniversary
from settlement.shares.rules import largest_remainder

GRACE_DAYS = 3
DUE_DAYS = 15
SPANS_BEYOND_A_MONTH = ("year", "term")
STOPPED = "emergency-stop"  # the discount's reason in usage documents


def next_month(month: date) -> date:
    """First day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def graceful_from(month: date) -> date:
    """First day on which the month may close without force."""
    return next_month(month) + timedelta(days=GRACE_DAYS)


def invoice_number(slug: str, month: date, sequence: int) -> str:
    """For example ``harbour-2026-000012``; the sequence belongs to the operator and has no gaps."""
    return f"{slug}-{month.year}-{sequence:06d}"


def digest(value: Any) -> str:
    """SHA-256 over the value as JSON with sorted keys; the value holds strings, whole numbers, lists and dicts only."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a service month under one tariff version: [start, end), units of its events in millionths.

    ``units`` are all that are known by the month that closes, ``billed`` those that earlier closes have charged. The days of a
    stopped one were touched by an emergency stop: what is charged by time costs nothing in them.
    """

    tariff_id: int
    start: date
    end: date
    units: dict[str, int]
    billed: dict[str, int]
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """A segment's charge: amounts in fen, with the usage document(s) that give it."""

    segment: Segment
    usage: dict[str, Any]
    rated: Rated

    @property
    def is_empty(self) -> bool:
        return not any(line.units_micro or line.gross_minor or line.payable_minor for line in self.rated.lines)


def with_stops(terms: Tariff) -> Tariff:
    """The terms with the discount of stopped days: everything that is charged by time, whole."""
    by_time = frozenset(component.code for component in terms.components if isinstance(component.price, Flat))
    if not by_time:
        return terms
    return replace(terms, discounts=(*terms.discounts, Discount(STOPPED, FULL_PERCENT, by_time)))


def cuts(tariff: Tariff, start: date, end: date, anchor: date) -> list[date]:
    """Where a segment must be cut inside because a yearly counter starts again: at the entitlement's anniversary."""
    if not any(component.counts_over == "year" for component in tariff.components):
        return []
    found = {anniversary(anchor, year - anchor.year) for year in (start.year, end.year)}
    return sorted(day for day in found if start < day < end)


def usage_document(usage: Usage) -> dict[str, Any]:
    """The usage document of design.md section 7."""
    return {
        "units": {code: quantity(units) for code, units in sorted(usage.units.items())},
        "before": {code: quantity(units) for code, units in sorted(usage.before.items()) if units},
        "from": usage.start.isoformat() if usage.start else None,
        "to": usage.end.isoformat() if usage.end else None,
        "anchor": usage.anchor.isoformat() if usage.anchor else None,
        "discounts": sorted(usage.discounts),
        "free": usage.is_free,
    }


def quote_document(rated: Rated) -> dict[str, Any]:
    """The answer of `pricing.quote` without its trace and its unit prices."""
    lines = [
        {
            "component": line.component,
            "units": quantity(line.units_micro),
            "gross": yuan(line.gross_minor),
            "discount": yuan(line.discount_minor),
            "payable": yuan(line.payable_minor),
        }
        for line in rated.lines
    ]
    return {
        "lines": lines,
        "total": yuan(rated.total_minor),
        "net": yuan(rated.net_minor),
        "vat": yuan(rated.vat_minor),
        "free_value": yuan(rated.free_value_minor),
    }


def rate_month(
    *,
    month: date,
    segments: Sequence[Segment],
    tariffs: dict[int, Tariff],
    anchor: date,
    discounts: Iterable[str],
    is_free: bool,
    is_late: bool,
    span_before: dict[str, int],
) -> list[Rating]:
    """Charges of one entitlement for one service month, segment by segment in order of time.

    Counters run on from segment to segment; ``span_before`` has what components that count over a year or the term had
    before the month. On time: rate(all). Late: rate(all) − rate(already billed), both with the counters of the service month.
    A minimum or maximum holds for the month: the last segment sees what earlier ones left of the minimum, each one what they
    left of the maximum.
    """
    ratings = []
    counted, billed = _Counters(span_before, month, anchor), _Counters(span_before, month, anchor)
    reasons = frozenset(discounts)
    for segment in segments:
        terms = tariffs[segment.tariff_id]
        is_last = segment is segments[-1]
        named = reasons | {STOPPED} if segment.is_stopped else reasons
        base = Usage(start=segment.start, end=segment.end, anchor=anchor, discounts=named, is_free=is_free)
        whole, rated = counted.rate(terms, replace(base, units=segment.units), is_last)
        if is_late:
            known, already = billed.rate(terms, replace(base, units=segment.billed), is_last)
            document: dict[str, Any] = {"all": usage_document(whole), "billed": usage_document(known)}
            ratings.append(Rating(segment, document, difference(rated, already)))
        else:
            ratings.append(Rating(segment, usage_document(whole), rated))
    return ratings


class _Counters:
    """What was counted and charged before a segment, as the month goes on."""

    def __init__(self, span_before: dict[str, int], month_start: date, anchor: date) -> None:
        self.span_before = span_before
        self.anchor = anchor
        self.month_start = month_start
        self.past: list[tuple[date, dict[str, int]]] = []
        self.payable = 0

    def rate(self, terms: Tariff, usage: Usage, is_last: bool) -> tuple[Usage, Rated]:
        assert usage.start is not None
        before = {c.code: self._before(c.code, c.counts_over, usage.start) for c in terms.components}
        start = usage.start
        usage = replace(usage, before={code: units for code, units in before.items() if units})
        rated = rate(self._left(terms, is_last), usage)
        self.past.append((start, dict(usage.units)))
        self.payable += sum(line.payable_minor for line in rated.lines)
        return usage, rated

    def _before(self, code: str, counts_over: str, start: date) -> int:
        since = date.min
        outside = 0
        if counts_over == "year":
            since = max(d for d in (anniversary(self.anchor, start.year - self.anchor.year - n) for n in (0, 1)) if d <= start)
        if counts_over in SPANS_BEYOND_A_MONTH and since < self.month_start:
            outside = self.span_before.get(code, 0)
        return outside + sum(units.get(code, 0) for begun, units in self.past if begun >= since)

    def _left(self, terms: Tariff, is_last: bool) -> Tariff:
        low, high = terms.minimum_minor, terms.maximum_minor
        if (low is None and high is None) or (is_last and not self.past):
            return terms
        return replace(
            terms,
            minimum_minor=max(0, low - self.payable) if low is not None and is_last else None,
            maximum_minor=None if high is None else max(0, high - self.payable),
        )


def difference(whole: Rated, already: Rated) -> Rated:
    """rate(all) − rate(already billed), line by line; lines that do not change are left out."""
    old = {line.component: line for line in already.lines}
    lines = []
    for line in (*whole.lines, *(o for o in already.lines if o.component not in {n.component for n in whole.lines})):
        new = line if line in whole.lines else None
        was = old.get(line.component)
        lines.append(_line_difference(line.component, new, was))
    return Rated(
        tuple(line for line in lines if line.units_micro or line.gross_minor or line.payable_minor),
        whole.total_minor - already.total_minor,
        whole.net_minor - already.net_minor,
        whole.vat_minor - already.vat_minor,
        whole.free_value_minor - already.free_value_minor,
    )


def _line_difference(component: str, new: Line | None, old: Line | None) -> Line:
    nothing = Line(component, 0, 0, 0, 0)
    new, old = new or nothing, old or nothing
    return Line(
        component,
        new.units_micro - old.units_micro,
        new.gross_minor - old.gross_minor,
        new.payable_minor - old.payable_minor,
        new.discount_minor - old.discount_minor,
        new.percent_micro,
    )


def divide_tax(lines: Sequence[Line], net: int, vat: int) -> list[tuple[int, int]]:
    """(net, vat) in fen for each line of a charge, by largest remainder; the sums are the charge's.

    With tax inside, a line's net and VAT add up to its payable; with tax on top, its net is its payable.
    """
    payables = [line.payable_minor for line in lines]
    whole = sum(payables)
    if whole == 0:
        return [(payable, 0) for payable in payables]
    nets = payables if whole == net else largest_remainder(net, payables)
    vats = largest_remainder(vat, payables) if whole == net else [p - n for p, n in zip(payables, nets, strict=True)]
    return list(zip(nets, vats, strict=True))
