"""Months as the estimates see them: counted, their weekdays, their part of the Spring Festival."""

from __future__ import annotations

from datetime import date, timedelta

# First day of the lunar year. The festival moves between January and February, so last year's month is no guide to this year's.
LUNAR_NEW_YEAR = {
    year: date(year, month, day)
    for year, month, day in (
        *((2018, 2, 16), (2019, 2, 5), (2020, 1, 25), (2021, 2, 12), (2022, 2, 1), (2023, 1, 22), (2024, 2, 10)),
        *((2025, 1, 29), (2026, 2, 17), (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3)),
    )
}
FESTIVAL_DAYS = 8  # from the eve on


def shift(month: date, steps: int) -> date:
    """The first day of the month so many months later."""
    count = month.year * 12 + month.month - 1 + steps
    return date(count // 12, count % 12 + 1, 1)


def months_from(first: date, count: int) -> list[date]:
    return [shift(first, step) for step in range(count)]


def months_apart(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def days_of(month: date) -> int:
    return (shift(month, 1) - month).days


def weekdays_of(month: date) -> int:
    return sum((month + timedelta(days=i)).weekday() < 5 for i in range(days_of(month)))


def festival_share(month: date) -> float:
    """The part (0 to 1) of the eight days from the eve of the lunar new year that lies in the month; 0 past the table."""
    new_year = LUNAR_NEW_YEAR.get(month.year)
    if new_year is None:
        return 0.0
    days = [new_year + timedelta(days=i - 1) for i in range(FESTIVAL_DAYS)]
    return sum(day.month == month.month for day in days) / FESTIVAL_DAYS
