"""Working days in China: weekdays that are no holiday, and the Saturdays and Sundays that the holiday notice makes work days.

A year whose notice is not loaded is never guessed (domain.md F15): YearNotLoaded names it, pages show it, and the filing goes on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import User
from products.record import audit
from products.record.models import CalendarDay, CalendarYear
from products.record.refusals import Refused

ONE_DAY = timedelta(days=1)


class YearNotLoaded(Refused):
    code = "year_not_loaded"

    def __init__(self, year: int) -> None:
        super().__init__(_("Not computable: %(year)s not loaded.") % {"year": year}, year=year)
        self.year = year


class CalendarNotReadable(Refused):
    code = "calendar_not_readable"


@dataclass(frozen=True)
class Calendar:
    """The loaded years and their exceptions; take one with ``load()`` where many days are asked for."""

    years: frozenset[int]
    exceptions: dict[date, bool]

    def is_working(self, day: date) -> bool:
        if day.year not in self.years:
            raise YearNotLoaded(day.year)
        return self.exceptions.get(day, day.weekday() < 5)


def load() -> Calendar:
    """The whole calendar, in one query."""
    years: set[int] = set()
    exceptions: dict[date, bool] = {}
    for year, day, is_working in CalendarYear.objects.values_list("year", "days__day", "days__is_working"):
        years.add(year)
        if day is not None:
            exceptions[day] = is_working
    return Calendar(frozenset(years), exceptions)


def is_working_day(day: date, *, calendar: Calendar | None = None) -> bool:
    return (calendar or load()).is_working(day)


def add_working_days(day: date, n: int, *, calendar: Calendar | None = None) -> date:
    """The n-th working day after ``day``; the day of the event is not counted. 2026-09-15 + 20 = 2026-10-19."""
    calendar = calendar or load()
    while n > 0:
        day += ONE_DAY
        n -= calendar.is_working(day)
    return day


def working_days_between(a: date, b: date, *, calendar: Calendar | None = None) -> int:
    """How many working days lie after ``a`` up to and including ``b``; 0 where b is not after a."""
    calendar = calendar or load()
    count = 0
    while a < b:
        a += ONE_DAY
        count += calendar.is_working(a)
    return count


@transaction.atomic
def calendar_load(
    *, year: int, days: Iterable[tuple[date, bool, str]], source: str, user: User | None, at: datetime
) -> CalendarYear:
    """Load or correct a year from its holiday notice: (day, is_working, name) for each day that differs from its weekday."""
    rows = sorted(days)
    if not rows or any(day.year != year for day, _working, _name in rows):
        raise CalendarNotReadable(_("The notice must name days of %(year)s, and at least one.") % {"year": year}, field="days")
    loaded, _created = CalendarYear.objects.update_or_create(year=year, defaults={"source": source, "loaded_at": at})
    loaded.days.all().delete()
    CalendarDay.objects.bulk_create(
        CalendarDay(day=day, year=loaded, is_working=working, name=name) for day, working, name in rows
    )
    audit.record(action="calendar.loaded", obj=loaded, actor=user, at=at, facts={"source": source, "days": len(rows)})
    return loaded


def parse_notice(text: str) -> list[tuple[date, bool, str]]:
    """A notice as CSV, ``2027-01-01,off,元旦`` or ``2027-01-03,work,``; raises CalendarNotReadable naming the line."""
    words = {"off": False, "work": True, "休": False, "班": True}
    found: dict[date, tuple[bool, str]] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff"))), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        try:
            day, working = date.fromisoformat(cells[0]), words[cells[1]]
        except (ValueError, KeyError, IndexError):
            message = _("Line %(number)s must read: date, off or work, name.") % {"number": number}
            raise CalendarNotReadable(message, field="file", line=number) from None
        if day in found:
            raise CalendarNotReadable(_("Line %(number)s repeats a day.") % {"number": number}, field="file", line=number)
        found[day] = (working, cells[2] if len(cells) > 2 else "")
    return [(day, working, name) for day, (working, name) in found.items()]
