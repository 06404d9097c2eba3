"""The arithmetic of the maximum: the field's own numbers, and what holds for all numbers."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.revenue.permitted_rules import (
    Terms,
    YearPart,
    first_full_year,
    highest_rate,
    is_whole_months,
    micro,
    months_of,
    outcome,
    permitted,
    prorate,
    year_parts,
)

MILLION = 100 * 10**6
YEAR = {"start": date(2026, 1, 1), "end": date(2027, 1, 1)}
NOTHING = Decimal(0)


def terms(**changes):
    fields = {
        "cost_minor": 8 * MILLION,
        "assets_minor": None,
        "profit_base": "OPERATING_COST",
        "profit_rate": Decimal("0.0783"),
        "tax_rate": Decimal("0.25"),
        **YEAR,
    }
    return Terms(**fields | changes)


def test_scenario_23_eight_million_of_cost_permit_8_835_200():
    found = permitted(terms())
    assert (found.profit_minor, found.tax_minor, found.year_minor) == (626_400_00, 208_800_00, 8_835_200_00)
    assert found.amount_minor == 8_835_200_00


def test_on_an_asset_base_of_twelve_million_the_profit_is_939_600():
    found = permitted(terms(profit_base="EFFECTIVE_ASSETS", assets_minor=12 * MILLION))
    assert (found.base_minor, found.profit_minor, found.tax_minor) == (12 * MILLION, 939_600_00, 313_200_00)


def test_an_asset_base_without_assets_is_an_error():
    with pytest.raises(ValueError, match="assets"):
        permitted(terms(profit_base="EFFECTIVE_ASSETS"))


def test_scenario_33_214_days_are_prorated_by_days():
    found = permitted(terms(start=date(2026, 6, 1)))
    assert found.parts == (YearPart(2026, 214, 365),)
    assert found.amount_minor == round(Fraction(8_835_200_00 * 214, 365)) == 518_008_986


def test_a_cycle_of_three_years_permits_three_times_a_year():
    assert permitted(terms(end=date(2029, 1, 1))).amount_minor == 3 * 8_835_200_00


def test_every_calendar_year_counts_over_its_own_days():
    assert year_parts(date(2027, 7, 1), date(2028, 7, 1)) == (YearPart(2027, 184, 365), YearPart(2028, 182, 366))


def test_scenario_28_more_than_the_next_maximum_is_carried_further():
    found = permitted(terms(carry_minor=10 * MILLION))
    assert (found.amount_minor, found.deduction_minor, found.carry_on_minor) == (0, 8_835_200_00, 10 * MILLION - 8_835_200_00)


@pytest.mark.parametrize(
    ("revenue", "excess", "shortfall"),
    [(10_600_000_00, 600_000_00, 0), (9_400_000_00, 0, 600_000_00), (10_000_000_00, 0, 0)],
)
def test_scenarios_26_and_27_only_what_is_above_is_carried(revenue, excess, shortfall):
    found = outcome(revenue_minor=revenue, amount_minor=10_000_000_00, interest=NOTHING)
    assert (found.excess_minor, found.carry_minor, found.shortfall_minor) == (excess, excess, shortfall)


def test_interest_is_added_to_the_excess_where_the_rules_ask_for_it():
    found = outcome(revenue_minor=10_600_000_00, amount_minor=10_000_000_00, interest=Decimal("0.015"))
    assert (found.interest_minor, found.carry_minor) == (9_000_00, 609_000_00)


def test_a_correction_of_the_deduction_moves_the_carry_and_never_below_nothing():
    base = {"revenue_minor": 100, "amount_minor": 40, "interest": NOTHING}
    assert outcome(**base, correction_minor=-10).carry_minor == 50
    assert outcome(**base, correction_minor=-100).carry_minor == 0
    assert outcome(**base, carry_on_minor=7, correction_minor=5).carry_minor == 72


@pytest.mark.parametrize(("since", "year"), [(date(2025, 1, 1), 2025), (date(2025, 1, 2), 2026), (date(2024, 11, 1), 2025)])
def test_the_first_full_year_is_from_new_year_to_new_years_eve(since, year):
    assert first_full_year(since) == year


def test_the_highest_rate_is_yield_and_spread():
    assert highest_rate(treasury_yield=Decimal("0.0183"), spread=Decimal("0.06")) == Decimal("0.0783")


def test_a_rate_of_more_than_six_decimals_is_not_rounded_in_silence():
    with pytest.raises(ValueError, match="six"):
        micro(Decimal("0.0183001"))


def test_whole_months():
    assert is_whole_months(date(2026, 1, 1), date(2026, 7, 1)) and not is_whole_months(date(2026, 1, 2), date(2026, 7, 1))
    assert months_of(date(2026, 11, 1), date(2027, 2, 1)) == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]


money = st.integers(1, 10**13)
rates = st.integers(0, 300_000).map(lambda n: Decimal(n).scaleb(-6))
starts = st.dates(date(2025, 1, 1), date(2035, 1, 1))


@given(money, rates, rates, starts, st.integers(1, 1500), st.integers(0, 10**13))
def test_the_lines_always_add_up(cost, profit_rate, tax_rate, start, days, carry):
    found = permitted(
        terms(
            cost_minor=cost,
            profit_rate=profit_rate,
            tax_rate=tax_rate,
            start=start,
            end=start + timedelta(days=days),
            carry_minor=carry,
        )
    )
    assert found.year_minor == cost + found.profit_minor + found.tax_minor
    assert found.amount_minor == found.prorated_minor - found.deduction_minor >= 0
    assert found.deduction_minor + found.carry_on_minor == carry
    assert sum(part.days for part in found.parts) == days
    assert abs(found.profit_minor - cost * Fraction(profit_rate)) <= Fraction(1, 2)


@given(money, starts, st.integers(1, 40), st.integers(1, 40))
def test_parts_of_a_period_differ_from_the_whole_by_rounding_only(year_minor, start, first, second):
    middle, end = start + timedelta(days=first * 30), start + timedelta(days=(first + second) * 30)
    parts = prorate(year_minor, year_parts(start, middle)) + prorate(year_minor, year_parts(middle, end))
    assert abs(parts - prorate(year_minor, year_parts(start, end))) <= 1


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_carry_is_one_sided(revenue, amount):
    found = outcome(revenue_minor=revenue, amount_minor=amount, interest=NOTHING)
    assert found.carry_minor == max(0, revenue - amount) and min(found.excess_minor, found.shortfall_minor) == 0
