"""Every fen has an owner: properties of the split, of its reversal and of what becomes payable."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement.shares.rules import FULL, PartsInvalid, largest_remainder, payable, read_parts, split, split_change

amounts = st.integers(0, 10**13)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure


@st.composite
def agreements(draw):
    """Parts with a rest somewhere among them, or percentages that make exactly 100."""
    cuts = sorted(draw(st.lists(st.integers(0, FULL), min_size=0, max_size=6)))
    edges = [0, *cuts, FULL]
    shares = [b - a for a, b in pairwise(edges)]
    rest = draw(st.one_of(st.none(), st.integers(0, len(shares) - 1)))
    return read_parts(
        [
            {
                "organisation": n,
                "role": "party",
                **({"rest": True} if n == rest else {"percent": f"{share // 10**6}.{share % 10**6:06d}"}),
            }
            for n, share in enumerate(shares)
        ]
    )


@unhurried
@given(amounts, agreements())
def test_a_split_sums_to_the_whole_and_each_part_is_its_exact_part_rounded_down_or_up(total, parts):
    divided = split(total, parts)
    given_percent = sum(p.percent_micro or 0 for p in parts)
    assert sum(divided) == total
    for part, amount in zip(parts, divided, strict=True):
        micro = FULL - given_percent if part.percent_micro is None else part.percent_micro
        assert total * micro // FULL <= amount <= -(-total * micro // FULL)


@unhurried
@given(amounts, agreements())
def test_a_split_is_stable(total, parts):
    assert split(total, parts) == split(total, parts)


@unhurried
@given(amounts, amounts, agreements())
def test_a_reversal_returns_exactly_what_was_divided(total, refund, parts):
    refund = min(refund, total)
    first, back = split(total, parts), split_change(total, total - refund, parts)
    assert sum(back) == -refund
    assert [a + b for a, b in zip(first, back, strict=True)] == split(total - refund, parts)
    assert [a + b for a, b in zip(first, split_change(total, 0, parts), strict=True)] == [0] * len(parts)


@unhurried
@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(1, 10**13))
def test_what_is_payable_never_exceeds_what_arrived_and_is_all_when_all_arrived(total, weights, paid):
    if not sum(weights) or not total:
        return
    accrued = largest_remainder(total, weights)
    paid = min(paid, total)
    reached = [payable(amount, paid, total) for amount in accrued]
    assert sum(reached) <= paid
    assert all(payable(amount, paid - 1, total) <= now for amount, now in zip(accrued, reached, strict=True))
    assert [payable(amount, total, total) for amount in accrued] == accrued


def test_a_hundred_yuan_in_three_equal_parts():
    assert largest_remainder(10000, [1, 1, 1]) == [3334, 3333, 3333]


def test_the_worked_split_of_the_settlement_page():
    parts = read_parts(
        [
            {"organisation": 1, "role": "provider", "percent": "20.00"},
            {"organisation": 2, "role": "platform", "percent": "3.50"},
            {"organisation": 3, "role": "operator", "rest": True},
        ]
    )
    assert split(9434, parts) == [1887, 330, 7217]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"organisation": 1, "role": "a", "percent": "99.99"}],
        [{"organisation": 1, "role": "a", "percent": "100.01"}],
        [{"organisation": 1, "role": "a", "percent": "60"}, {"organisation": 2, "role": "b", "percent": "60"}],
        [{"organisation": 1, "role": "a", "rest": True}, {"organisation": 2, "role": "b", "rest": True}],
        [{"organisation": 1, "role": "a", "percent": "-1"}, {"organisation": 2, "role": "b", "rest": True}],
        [{"organisation": 1, "role": "a", "percent": "0.0000001"}, {"organisation": 2, "role": "b", "rest": True}],
    ],
)
def test_parts_that_are_not_the_whole_are_refused(parts):
    with pytest.raises(PartsInvalid):
        read_parts(parts)


def test_a_negative_total_is_not_divided():
    with pytest.raises(ValueError):
        split(-1, read_parts([{"organisation": 1, "role": "a", "rest": True}]))
