"""The arithmetic of the maximum permitted revenue (domain.md F1, F4, F5, F6). Pure: whole fen and exact decimals.

    profit    = round(base × rate)                      base: operating cost, or effective assets, as the rule set says
    tax       = round(profit ÷ (1 − t) × t)             income tax on a profit that is stated after tax
    year      = cost + profit + tax
    prorated  = round(year × Σ days in a calendar year ÷ the days of that year)
    deduction = min(carry, prorated); the rest is carried further
    amount    = prorated − deduction                    never below 0

Each line is rounded once, half up to the fen, from the lines as they are shown, so that anyone can follow it on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from pricing.rules.exact import half_up

OPERATING_COST, EFFECTIVE_ASSETS = "OPERATING_COST", "EFFECTIVE_ASSETS"
MICRO = 10**6
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a determination starts from. Money in fen, rates as decimals with at most six places, ``end`` exclusive."""

    cost_minor: int
    assets_minor: int | None
    profit_base: str
    profit_rate: Decimal
    tax_rate: Decimal
    start: date
    end: date
    carry_minor: int = 0


@dataclass(frozen=True, slots=True)
class YearPart:
    """The part of a calendar year that lies in the period."""

    year: int
    days: int
    of_days: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """Every line of F1, fen."""

    base_minor: int
    profit_minor: int
    tax_minor: int
    year_minor: int
    parts: tuple[YearPart, ...]
    prorated_minor: int
    deduction_minor: int
    carry_on_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An ended period against its maximum (F5), fen. ``shortfall_minor`` is a policy option that is only shown."""

    excess_minor: int
    interest_minor: int
    carry_minor: int
    shortfall_minor: int


def permitted(terms: Terms) -> Amounts:
    """F1 line by line. 8 000 000 at 7.83 % and 25 % tax → 626 400 + 208 800, together 8 835 200 a year."""
    base = terms.cost_minor if terms.profit_base == OPERATING_COST else terms.assets_minor
    if base is None:
        raise ValueError("the profit's base is the effective assets, which are not given")
    profit = half_up(base * micro(terms.profit_rate), MICRO)
    tax = half_up(profit * micro(terms.tax_rate), MICRO - micro(terms.tax_rate))
    year = terms.cost_minor + profit + tax
    parts = year_parts(terms.start, terms.end)
    prorated = prorate(year, parts)
    deduction = min(terms.carry_minor, prorated)
    return Amounts(base, profit, tax, year, parts, prorated, deduction, terms.carry_minor - deduction, prorated - deduction)


def micro(rate: Decimal) -> int:
    """A rate in millionths; ValueError where that would lose something."""
    scaled = rate.scaleb(6)
    if scaled != scaled.to_integral_value():
        raise ValueError("a rate has at most six decimals")
    return int(scaled)


def highest_rate(*, treasury_yield: Decimal, spread: Decimal) -> Decimal:
    """The highest profit rate: the ten-year treasury yield plus the spread of the rule set."""
    return treasury_yield + spread


def year_parts(start: date, end: date) -> tuple[YearPart, ...]:
    """[start, end) by calendar years: 2026-06-01 to 2027-01-01 is 214 days of 365."""
    if end <= start:
        raise ValueError("a period ends after it begins")
    parts = []
    for year in range(start.year, (end - ONE_DAY).year + 1):
        begins, stops = date(year, 1, 1), date(year + 1, 1, 1)
        parts.append(YearPart(year, (min(end, stops) - max(start, begins)).days, (stops - begins).days))
    return tuple(parts)


def prorate(year_minor: int, parts: Sequence[YearPart]) -> int:
    """A yearly amount for the days of the parts, rounded once; whole years give whole amounts."""
    exact = year_minor * sum((Fraction(part.days, part.of_days) for part in parts), Fraction(0))
    return half_up(exact.numerator, exact.denominator)


def is_whole_months(start: date, end: date) -> bool:
    """Whether [start, end) begins and ends with a month."""
    return start.day == 1 and end.day == 1 and end > start


def months_of(start: date, end: date) -> list[date]:
    """The first days of the months of a period of whole months."""
    count = (end.year - start.year) * 12 + end.month - start.month
    return [date(start.year + (start.month - 1 + n) // 12, (start.month - 1 + n) % 12 + 1, 1) for n in range(count)]


def first_full_year(operating_since: date) -> int:
    """The first accounting year (1 January to 31 December) that the operation ran from beginning to end."""
    return operating_since.year + (operating_since > date(operating_since.year, 1, 1))


def outcome(
    *, revenue_minor: int, amount_minor: int, carry_on_minor: int = 0, correction_minor: int = 0, interest: Decimal
) -> Outcome:
    """F5, one-sided: what was earned above the maximum is carried, what was not earned is not made good.

    ``carry_on_minor`` is what this period could not deduct itself; ``correction_minor`` is by how much its own deduction turned
    out too small (or, negative, too large) when the period before was restated.
    """
    excess = max(0, revenue_minor - amount_minor)
    added = half_up(excess * micro(interest), MICRO)
    carry = max(0, excess + added + carry_on_minor + correction_minor)
    return Outcome(excess, added, carry, max(0, amount_minor - revenue_minor))
