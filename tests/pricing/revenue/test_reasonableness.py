"""The reasonableness test as pure arithmetic, and the three ways to share a permitted revenue."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.revenue import basket_rules
from pricing.revenue.basket_rules import NothingToShare, Row, by_cost, by_usage, total, welfare
from pricing.revenue.reasonableness import Frame, Line, divided, share_of_year, used, weigh, year_budget

MICRO = 10**6
WAYS = (by_cost, by_usage, welfare)


def frame(permitted_minor=100_000_00, start=date(2026, 1, 1), end=date(2027, 1, 1)):
    return Frame(permitted_minor, start, end, vat_micro=60_000, floor_micro=650_000)


def line(cap, expected, capacity=None, product="a"):
    micro = None if capacity is None else capacity * MICRO
    return Line(product, ("industry",), "calls", "", int(cap * MICRO), expected * MICRO, micro)


def test_scenario_32_a_volume_of_five_per_cent_counts_as_sixty_five_and_says_so():
    assert used(50_000 * MICRO, 1_000_000 * MICRO, 650_000) == 650_000 * MICRO
    result = weigh(frame(), [line(Fraction(1, 2), 50_000, 1_000_000), line(Fraction(1, 2), 900_000, 1_000_000)])
    assert [(each.used_micro // MICRO, each.has_floor) for each in result.lines] == [(650_000, True), (900_000, False)]


def test_caps_include_vat_and_the_maximum_does_not():
    assert weigh(frame(), [line(Fraction(106, 100), 100_000)]).is_within
    above = weigh(frame(), [line(Fraction(1_060_001, MICRO), 100_000)])
    assert not above.is_within
    assert above.gap_minor == 10  # 0.1 yuan with VAT is 0.094… net, shown rounded up
    assert above.net_minor == 100_000_10


def test_the_verdict_is_exact_and_the_gap_is_never_shown_as_nothing():
    within = weigh(frame(permitted_minor=94_34), [line(Fraction(100_000, MICRO), 1_000)])
    assert within.net == Fraction(100_00 * 100, 106)
    assert (within.is_within, within.gap_minor) == (True, 0)
    close = weigh(frame(permitted_minor=94_33), [line(Fraction(100_000, MICRO), 1_000)])
    assert (close.is_within, close.gap_minor) == (False, 1)


def test_scenario_33_a_part_of_a_year_counts_by_its_days():
    assert share_of_year(date(2026, 6, 1), date(2027, 1, 1)) == Fraction(214, 365)
    assert share_of_year(date(2027, 7, 1), date(2028, 7, 1)) == Fraction(184, 365) + Fraction(182, 366)
    assert share_of_year(date(2026, 1, 1), date(2029, 1, 1)) == 3
    with pytest.raises(ValueError, match="after it begins"):
        share_of_year(date(2026, 1, 1), date(2026, 1, 1))
    half = weigh(frame(start=date(2026, 6, 1)), [line(Fraction(106, 100), 100_000)])
    assert half.net == Fraction(214, 365) * 100_000_00


def test_the_gap_by_product_adds_up_to_the_gap():
    result = weigh(frame(), [line(1, 60_000, product="a"), line(1, 60_000, product="b"), line(1, 7, product="c")])
    assert sum(result.gaps().values()) == result.gap_minor > 0
    assert result.gaps()["a"] - 1 == result.gaps()["b"] > result.gaps()["c"]
    assert divided(100, [1, 1, 1]) == [34, 33, 33]
    assert divided(7, [0, 0]) == [0, 0]


@st.composite
def rows(draw, most=10_000):
    return Row(
        used_micro=draw(st.integers(0, most)) * MICRO,
        cost_minor=draw(st.integers(0, 10**9)),
        elasticity_micro=draw(st.sampled_from([0, 50_000, 400_000, MICRO, 1_700_000, 9 * MICRO, 30 * MICRO])),
        group=draw(st.sampled_from(["calls:", "records:"])),
        reference_micro=draw(st.none() | st.integers(0, 20 * MICRO)),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=12), st.integers(0, 10**10), st.dates(date(2026, 1, 1), date(2027, 12, 1)))
def test_no_way_ever_exceeds_the_maximum_and_all_use_it_up_to_a_fen_a_cap(found, permitted_minor, start):
    held = frame(permitted_minor, start, date(2028, 3, 1))
    budget = year_budget(held)
    for way in WAYS:
        try:
            caps = way(found, budget)
        except NothingToShare:
            assert not any(row.used_micro and (row.cost_minor or way is not by_cost) for row in found)
            continue
        lines = [
            Line(str(n), ("industry",), "calls", "", cap, row.used_micro)
            for n, (row, cap) in enumerate(zip(found, caps, strict=True))
        ]
        assert all(cap >= 0 for cap in caps)
        assert weigh(held, lines).is_within
        assert 0 <= budget - total(found, caps) <= len(found) * 10**10  # a fen is 10¹⁰ of 10⁻¹² yuan; at most 10 000 units each


@settings(max_examples=60, deadline=None)
@given(st.lists(rows(most=10**9), min_size=1, max_size=8), st.integers(1, 10**13))
def test_each_cap_is_less_than_one_step_below_its_exact_share(found, permitted_minor):
    budget = year_budget(frame(permitted_minor))
    for way in WAYS:
        try:
            caps = way(found, budget)
        except NothingToShare:
            continue
        assert budget - total(found, caps) <= sum(row.used_micro for row in found) + len(found)


def test_by_cost_the_revenue_follows_the_cost():
    caps = by_cost([Row(1_000 * MICRO, 300_00), Row(500 * MICRO, 100_00)], 800 * 10**12)
    assert caps == [600_000, 400_000]
    with pytest.raises(NothingToShare, match="cost"):
        by_cost([Row(1_000 * MICRO, 0)], 10**12)


def test_by_usage_every_unit_of_a_basis_has_the_same_cap():
    found = [
        Row(1_000 * MICRO, group="calls:", reference_micro=400_000),
        Row(3_000 * MICRO, group="calls:", reference_micro=800_000),
        Row(2 * MICRO, group="periods:year", reference_micro=1_400 * MICRO, step_micro=10_000),
    ]
    assert by_usage(found, 2_800 * 10**12) == [350_000, 350_000, 700 * MICRO]


def test_welfare_optimal_mark_ups_are_inverse_to_elasticity():
    found = [Row(1_000 * MICRO, 100_00, elasticity_micro=e) for e in (500_000, MICRO, 2 * MICRO)]
    caps = welfare(found, 351 * 10**12)
    ramsey = [Fraction(cap - 100_000, cap) * row.elasticity_micro for cap, row in zip(caps, found, strict=True)]
    assert caps == sorted(caps, reverse=True)
    assert all(abs(number - ramsey[0]) < 20 for number in ramsey)  # λ in millionths; what differs is the rounding of the caps


def test_demands_that_hardly_fall_still_get_a_finite_cap():
    found = [Row(1_000 * MICRO, 100_00, elasticity_micro=1), Row(1_000 * MICRO, 100_00, elasticity_micro=5 * MICRO)]
    caps = welfare(found, 10_000 * 10**12)
    assert total(found, caps) <= 10_000 * 10**12
    assert caps[0] > caps[1] >= 100_000
    assert basket_rules.elasticity(1) == basket_rules.ELASTICITY_LEAST


def test_below_the_costs_all_caps_lie_below_them():
    found = [Row(1_000 * MICRO, 100_00, elasticity_micro=e) for e in (500_000, 2 * MICRO)]
    caps = welfare(found, 100 * 10**12)
    assert all(cap < 100_000 for cap in caps)
    assert 0 <= 100 * 10**12 - total(found, caps) < 2_000 * MICRO


def test_a_row_without_volume_keeps_its_cap_and_one_without_cost_borrows_its_basis():
    found = [Row(0, 50_00, reference_micro=700_000), Row(1_000 * MICRO, 100_00), Row(1_000 * MICRO, 0)]
    assert by_usage(found, 10**14)[0] == 700_000
    caps = welfare(found, 234 * 10**12)
    assert caps == [700_000, 117_000, 117_000]
    assert by_cost(found, 234 * 10**12) == [700_000, 234_000, 0]


def test_fees_of_a_period_are_whole_fen():
    caps = by_cost([Row(3 * MICRO, 1, step_micro=10_000), Row(7 * MICRO, 1, step_micro=10_000)], 100 * 10**12)
    assert caps == [16_660_000, 7_140_000]


def test_a_maximum_of_nothing_means_caps_of_nothing():
    for way in WAYS:
        assert way([Row(1_000 * MICRO, 100_00)], 0) == [0]
