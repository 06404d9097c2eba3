"""Demand forecasts: nothing leaks from the future, the simplest method wins where it is better, too little data is said."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from pricing.estimation import made_up, months
from pricing.estimation.demand import Series, forecast
from pricing.estimation.demand_table import Table


def series_of(seed: int, *, products: int = 12, without: int = 0) -> list[Series]:
    rows = made_up.demand(seed, products=products)
    return [
        Series(row.key, row.first, row.units[: len(row.units) - without], row.sector) for row in rows if len(row.units) > without
    ]


@pytest.fixture(scope="module")
def found():
    return forecast(series_of(1))


def test_what_is_said_from_a_month_does_not_change_with_what_came_after():
    told = [one for one in series_of(1) if len(one.units) > 20]
    changed = [
        Series(one.key, one.first, (*one.units[:-6], *(unit * 7 + 3 for unit in one.units[-6:])), one.sector) for one in told
    ]
    before, after = Table.of(told), Table.of(changed)
    origin = before.last - 6
    np.testing.assert_array_equal(before.said[:, :, :, origin], after.said[:, :, :, origin])
    assert not np.array_equal(before.said[:, :, :, -1], after.said[:, :, :, -1])


def test_the_bands_are_in_order_and_the_months_follow(found):
    for one in found.values():
        for step, ahead in enumerate(one.ahead):
            assert ahead.month == months.shift(one.made_from, step)
            assert 0 <= ahead.band.low <= ahead.band.middle <= ahead.band.high
        if one.year:
            assert one.year.low <= one.year.middle <= one.year.high
            assert one.year.middle == pytest.approx(sum(ahead.band.middle for ahead in one.ahead))


def test_the_same_input_gives_the_same_forecast(found):
    assert forecast(series_of(1)) == found


def test_a_product_with_two_months_is_told_to_have_too_little_data():
    new = Series("new", date(2026, 9, 1), (40.0, 55.0))
    said = forecast([*series_of(1), new])["new"]
    assert (said.method, said.reason, said.ahead, said.year) == ("too_little_data", "too_little_data", (), None)


def test_nothing_but_new_products_gives_nothing():
    assert {one.method for one in forecast([Series("new", date(2026, 10, 1), (4.0,))]).values()} == {"too_little_data"}


def test_a_pure_season_of_one_product_is_left_to_the_seasonal_naive_forecast():
    season = [100, 900, 50, 700, 30, 400, 1200, 10, 300, 800, 60, 500]
    alone = Series("season", date(2023, 11, 1), tuple(float(unit) for unit in season * 3))
    said = forecast([alone])["season"]
    assert (said.method, said.reason) == ("seasonal_naive", "own_past_worse")
    assert [round(ahead.band.middle) for ahead in said.ahead] == season
    assert said.back_test.baseline_error == pytest.approx(0) and said.back_test.model_error > 0


def test_before_a_year_is_known_the_last_month_is_the_baseline():
    said = forecast([Series("young", date(2026, 4, 1), (10.0, 20.0, 40.0, 45.0, 47.0, 50.0, 51.0))])["young"]
    assert {round(ahead.baseline) for ahead in said.ahead} == {51}


def test_a_product_without_use_for_long_is_forecast_near_nothing():
    gone = Series("gone", date(2024, 11, 1), (*[5000.0] * 12, *[0.0] * 12))
    said = forecast([*series_of(1), gone])["gone"]
    assert said.ahead[0].band.middle < 5000 * 0.05


def test_series_that_end_in_different_months_are_refused():
    with pytest.raises(ValueError, match="same month"):
        forecast([Series("a", date(2026, 1, 1), (1.0, 2.0)), Series("b", date(2026, 1, 1), (1.0,))])


def test_the_festival_share_agrees_with_the_generator():
    for month in made_up.months_between(date(2022, 1, 1), date(2027, 12, 1)):
        assert months.festival_share(month) == made_up.festival_share(month)


def test_months_without_use_do_not_make_a_band_without_end():
    odd = Series("odd", date(2024, 11, 1), tuple(0.0 if month % 3 == 0 else 250.0 for month in range(24)))
    said = forecast([*series_of(1), odd])["odd"]
    assert max(ahead.band.high for ahead in said.ahead) <= 750
    assert said.year.high <= 12 * 750


def test_a_market_that_only_grew_so_far_still_gets_a_lower_end():
    grown = [
        Series(f"g{n}", date(2025, 11, 1), tuple(100.0 * n * 1.15**month for month in range(11)), "finance") for n in range(1, 4)
    ]
    for said in forecast(grown).values():
        assert all(ahead.band.low < 0.98 * ahead.band.middle for ahead in said.ahead)
        assert said.year.low < 0.98 * said.year.middle
