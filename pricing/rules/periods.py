"""The periods of flat prices: which days a week, month, quarter or year of a tariff covers."""

from collections.abc import Iterator
from datetime import date, timedelta

WEEK = timedelta(days=7)


def anniversary(anchor: date, years: int) -> date:
    """The anchor's day `years` later; an anchor of 29 February falls on 28 February in common years."""
    year = anchor.year + years
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (anchor.month, anchor.day) == (2, 29) and not is_leap:
        return date(year, 2, 28)
    return anchor.replace(year=year)


def period_of(day: date, period: str, anchor: date) -> tuple[date, date]:
    """[start, end) of the period that holds `day`.

    Weeks and years run from the anchor, months and quarters are the calendar's. The grid of weeks and
    years goes on before the anchor too, so that every day has its period.
    """
    if period == "week":
        start = anchor + WEEK * ((day - anchor).days // 7)
        return start, start + WEEK
    if period == "year":
        years = day.year - anchor.year
        if anniversary(anchor, years) > day:
            years -= 1
        return anniversary(anchor, years), anniversary(anchor, years + 1)
    months = {"month": 1, "quarter": 3}[period]
    first = (day.month - 1) // months * months
    last = first + months
    return date(day.year, first + 1, 1), date(day.year + last // 12, last % 12 + 1, 1)


def stretches(start: date, end: date, period: str, anchor: date) -> Iterator[tuple[int, int, int]]:
    """For each period that [start, end) touches: its days gone by at the start, at the end, and all its days."""
    day = start
    while day < end:
        begins, ends = period_of(day, period, anchor)
        stop = min(end, ends)
        yield (day - begins).days, (stop - begins).days, (ends - begins).days
        day = stop
