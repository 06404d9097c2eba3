"""Working days of 2026 against the published examples (domain.md F15)."""

from __future__ import annotations

from datetime import date

import pytest

from products.record import calendar
from products.record.calendar import CalendarNotReadable, YearNotLoaded, add_working_days, working_days_between

pytestmark = pytest.mark.django_db


def days(*spans):
    return {date(2026, month, day) for month, first, last in spans for day in range(first, last + 1)}


OFF = days((1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5), (6, 19, 21), (9, 25, 27), (10, 1, 7))
WORK = days((1, 4, 4), (2, 14, 14), (2, 28, 28), (5, 9, 9), (9, 20, 20), (10, 10, 10))


def test_every_day_of_2026_is_what_the_notice_says():
    loaded = calendar.load()
    for ordinal in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()):
        day = date.fromordinal(ordinal)
        expected = day in WORK or (day.weekday() < 5 and day not in OFF)
        assert loaded.is_working(day) is expected, day


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 9, 15), 20, date(2026, 10, 19)),
        (date(2026, 2, 10), 10, date(2026, 3, 2)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 9, 18), 3, date(2026, 9, 22)),
        (date(2026, 10, 1), 0, date(2026, 10, 1)),
    ],
)
def test_working_days_are_added_as_published(day, n, expected):
    assert add_working_days(day, n) == expected
    assert working_days_between(day, expected) == n


def test_a_year_that_is_not_loaded_is_named_instead_of_guessed():
    with pytest.raises(YearNotLoaded) as refusal:
        add_working_days(date(2026, 12, 30), 5)
    assert refusal.value.year == 2027
    assert add_working_days(date(2026, 12, 30), 1) == date(2026, 12, 31)


def test_a_notice_loaded_later_makes_its_year_computable(cast, clock):
    notice = calendar.parse_notice("2027-01-01,off,元旦\n2027-01-02,休,元旦\n2027-01-03,班,\n")
    calendar.calendar_load(year=2027, days=notice, source="国办发明电", user=cast.platform.owner, at=clock.now)
    assert add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 3)


@pytest.mark.parametrize("text", ["2027-01-01,perhaps,x", "1 January,off,x", "2027-01-01,off\n2027-01-01,work", "2027-01-01"])
def test_a_notice_that_does_not_read_is_refused_with_its_line(text):
    with pytest.raises(CalendarNotReadable) as refusal:
        calendar.parse_notice(text)
    assert refusal.value.facts["line"] == len(text.splitlines())


def test_a_notice_for_another_year_is_refused(cast, clock):
    with pytest.raises(CalendarNotReadable):
        calendar.calendar_load(
            year=2028, days=[(date(2027, 1, 1), False, "")], source="x", user=cast.platform.owner, at=clock.now
        )


def test_the_calendar_loads_in_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        calendar.load()
