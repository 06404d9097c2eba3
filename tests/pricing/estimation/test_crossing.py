"""The crossing day: where it is certain, where it is wide, where nothing is said."""

from __future__ import annotations

from datetime import date

from pricing.estimation.crossing import crossing_day
from pricing.estimation.made_up import months_between

YEAR = {"from_date": date(2026, 1, 1), "to_date": date(2026, 12, 31)}


def even(first: date, last: date, amount: int = 100_000_00) -> dict[date, int]:
    return dict.fromkeys(months_between(first, last), amount)


def test_even_revenue_crosses_in_the_month_that_arithmetic_says():
    found = crossing_day(
        by_month=even(date(2024, 1, 1), date(2026, 6, 1)), permitted_minor=950_000_00, today=date(2026, 7, 1), **YEAR
    )
    assert found is not None
    assert date(2026, 10, 1) <= found.middle <= date(2026, 10, 31)  # nine and a half months of 100 000 yuan
    assert found.low < found.middle < found.high
    assert found.probability > 0.95
    assert 1.2 < found.share_middle < 1.32


def test_revenue_far_below_the_maximum_does_not_cross():
    found = crossing_day(
        by_month=even(date(2025, 1, 1), date(2026, 6, 1)), permitted_minor=9_000_000_00, today=date(2026, 7, 1), **YEAR
    )
    assert (found.low, found.middle, found.high, found.probability) == (None, None, None, 0.0)
    assert found.share_low < found.share_middle < found.share_high < 0.2


def test_a_crossing_that_happened_is_a_fact_and_no_estimate():
    found = crossing_day(
        by_month=even(date(2026, 1, 1), date(2026, 3, 1)), permitted_minor=150_000_00, today=date(2026, 4, 1), **YEAR
    )
    assert (found.low, found.middle, found.high) == (date(2026, 2, 15),) * 3
    assert (found.reason, found.probability, found.share_middle) == ("passed", 1.0, 2.0)


def test_the_revenue_of_the_period_before_counts_towards_no_maximum():
    before = even(date(2025, 1, 1), date(2025, 12, 1), 10**9)
    found = crossing_day(by_month=before | {date(2026, 1, 1): 1_000_00}, permitted_minor=10**8, today=date(2026, 2, 1), **YEAR)
    assert found.reason == ""


def test_less_than_four_weeks_of_revenue_is_too_little():
    assert crossing_day(by_month={date(2026, 6, 1): 5_000_00}, permitted_minor=10**8, today=date(2026, 6, 20), **YEAR) is None
    assert crossing_day(by_month={}, permitted_minor=10**8, today=date(2026, 6, 20), **YEAR) is None


def test_a_period_that_begins_within_a_month_counts_its_days():
    found = crossing_day(
        by_month={date(2026, 1, 1): 31_00},
        permitted_minor=16_00,
        from_date=date(2026, 1, 15),
        to_date=date(2026, 12, 31),
        today=date(2026, 2, 1),
    )
    assert found.reason == "passed"
    assert found.share_middle == 17 / 16
    assert found.middle == date(2026, 1, 31)


def test_the_same_input_gives_the_same_answer():
    given = {
        "by_month": even(date(2025, 6, 1), date(2026, 5, 1)) | {date(2026, 4, 1): 30_000_00},
        "permitted_minor": 800_000_00,
        "today": date(2026, 6, 1),
    }
    assert crossing_day(**given, **YEAR) == crossing_day(**given, **YEAR)


def test_after_the_end_of_the_period_nothing_is_drawn():
    found = crossing_day(
        by_month=even(date(2026, 1, 1), date(2026, 12, 1), 50), permitted_minor=1000, today=date(2027, 1, 1), **YEAR
    )
    assert (found.middle, found.share_low, found.share_high) == (None, 0.6, 0.6)
