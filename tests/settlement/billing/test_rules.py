"""The pure part of bills: months, division of tax, differences."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.documents import parse_tariff
from pricing.rules import Line
from settlement.billing import rules
from settlement.billing.rules import Segment
from tests.settlement.books import TIERS, component, document

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure


def test_months_follow_each_other_over_the_year():
    assert rules.next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    assert rules.graceful_from(date(2026, 10, 1)) == date(2026, 11, 4)


def lines_of(payables):
    return [Line(str(n), 1, payable, payable, 0) for n, payable in enumerate(payables)]


@unhurried
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12), st.integers(0, 20))
def test_divided_tax_sums_to_the_charge_whatever_the_lines(payables, percent):
    total = sum(payables)
    net = (total * 100 + (100 + percent) // 2) // (100 + percent)
    divided = rules.divide_tax(lines_of(payables), net, total - net)
    assert sum(n for n, _ in divided) == net and sum(v for _, v in divided) == total - net
    assert all(n + v == p and n >= 0 and v >= 0 for (n, v), p in zip(divided, payables, strict=True))


@unhurried
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(1, 17))
def test_tax_on_top_is_divided_too(payables, percent):
    net = sum(payables)
    vat = (net * percent + 50) // 100
    divided = rules.divide_tax(lines_of(payables), net, vat)
    assert [n for n, _ in divided] == payables and sum(v for _, v in divided) == (vat if net else 0)


def october(units, billed=None, span_before=None, is_late=False, tariff=None):
    terms = parse_tariff(tariff or document(component(model="graduated", tiers=TIERS)))
    segment = Segment(1, date(2026, 10, 1), date(2026, 11, 1), {"calls": units * 10**6}, {"calls": (billed or 0) * 10**6})
    (rating,) = rules.rate_month(
        month=date(2026, 10, 1),
        segments=[segment],
        tariffs={1: terms},
        anchor=date(2026, 1, 1),
        discounts=(),
        is_free=False,
        is_late=is_late,
        span_before=span_before or {},
    )
    return rating.rated


@unhurried
@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=5))
def test_use_in_time_and_late_in_any_parts_costs_the_same_as_all_in_time(parts):
    counted = 0
    total = net = 0
    for n, part in enumerate(parts):
        rated = october(counted + part, counted, is_late=n > 0)
        counted += part
        total, net = total + rated.total_minor, net + rated.net_minor
    whole = october(counted)
    assert (total, net) == (whole.total_minor, whole.net_minor)


def test_late_use_that_brings_a_bill_to_its_minimum_or_over_it_pays_only_what_is_above():
    minimum = document(component(), minimum="100.00")
    assert october(300, 100, is_late=True, tariff=minimum).total_minor == 5000
    assert october(150, 100, is_late=True, tariff=minimum).total_minor == 0


@pytest.mark.parametrize("payables", [[5, -5], [0, 0]])
def test_lines_that_cancel_out_carry_no_tax(payables):
    assert rules.divide_tax(lines_of(payables), 0, 0) == [(p, 0) for p in payables]
