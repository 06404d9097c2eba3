"""Periods of flat prices in vectors: `pricing.rules.periods.period_of` for many days at once (days from 1970-01-01)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pricing.simulation.book import PERIOD_CODES, Ints

WEEK, MONTH, QUARTER, YEAR = (PERIOD_CODES[name] for name in ("week", "month", "quarter", "year"))


def months_of(days: Ints) -> Ints:
    """Months from 1970-01."""
    return _by_table(days, lambda each: each.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def first_day(months: Ints) -> Ints:
    return _by_table(months, lambda each: each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))


def _by_table(numbers: Ints, convert: Callable[[Ints], Ints]) -> Ints:
    """The conversion, made once for each number of the range that occurs: numpy's calendar is the slowest part of flat prices."""
    if len(numbers) < 1000:
        return convert(numbers)
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > len(numbers):
        return convert(numbers)
    return convert(np.arange(low, high + 1, dtype=np.int64))[numbers - low]


def anniversaries(anchor: Ints, years: Ints) -> Ints:
    """The anchor's day ``years`` later; 29 February falls on the 28th in common years."""
    month = months_of(anchor)
    offset = anchor - first_day(month)
    later = month + 12 * years
    length = first_day(later + 1) - first_day(later)
    return first_day(later) + np.minimum(offset, length - 1)


def period_bounds(days: Ints, period: int, anchor: Ints) -> tuple[Ints, Ints]:
    """[start, end) of the period around each day; ``period`` is one of PERIOD_CODES but the day."""
    if period == WEEK:
        start = anchor + 7 * ((days - anchor) // 7)
        return start, start + 7
    if period == YEAR:
        years = months_of(days) // 12 - months_of(anchor) // 12
        years = years - (anniversaries(anchor, years) > days)
        return anniversaries(anchor, years), anniversaries(anchor, years + 1)
    size = {MONTH: 1, QUARTER: 3}[period]
    first = months_of(days) // size * size
    return first_day(first), first_day(first + size)


def whole_periods_between(first_end: Ints, last_start: Ints, period: int, anchor: Ints) -> Ints:
    """How many whole periods lie from the end of one period to the start of a later one (both are bounds of periods)."""
    if period == WEEK:
        return (last_start - first_end) // 7
    if period == YEAR:
        return months_of(last_start) // 12 - months_of(first_end) // 12  # bounds differ by whole anniversaries
    return (months_of(last_start) - months_of(first_end)) // {MONTH: 1, QUARTER: 3}[period]
