"""`first_fall` is a proof: its example is the smallest there is, and where it finds none no usage that rises costs less."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.documents import parse_tariff
from pricing.reading import DocumentRefused
from pricing.rules import Usage, rate
from pricing.rules.falls import first_fall
from pricing.tariffs.sanity import check_tariff, fall_of
from tests.pricing.price_documents import (
    WORKED_CAP,
    WORKED_TARIFF,
    decimals,
    flat,
    graduated,
    metered_components,
    package,
    per_unit,
    tariff,
    volume,
)

TWO_TIERS = [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5", "flat_fee": "2.00"}]
LAST = 150  # past every bound that the strategies draw (tiers to 60, included to 20)


@st.composite
def one_basis(draw):
    """A tariff whose components all count the same calls, with discounts, minimum and maximum."""
    parts = [draw(metered_components(f"c{number}")) for number in range(draw(st.integers(1, 3)))]
    codes = [part["code"] for part in parts]
    discounts = [
        {"reason": reason, "percent": draw(decimals(100, 1)), "components": draw(st.lists(st.sampled_from(codes), unique=True))}
        for reason in draw(st.lists(st.sampled_from(["key", "early", "other"]), max_size=3))
    ]
    bounds = {}
    if draw(st.booleans()):
        bounds["maximum"] = draw(decimals(60, 2))
    tax = {"rate": draw(st.sampled_from(["0", "0.06", "0.13"])), "inclusive": draw(st.booleans())}
    return {**tariff(*parts, **bounds), "discounts": discounts, "tax": tax}


def totals(terms, reasons):
    """The total at each whole quantity, by rating it."""
    codes = [component.code for component in terms.components]
    for quantity in range(LAST + 1):
        units = dict.fromkeys(codes, quantity * 10**6)
        yield rate(terms, Usage(units=units, discounts=frozenset(reasons))).total_minor


def brute_force(terms):
    """The smallest whole quantity after which the total is lower, over every set of discount reasons."""
    named = sorted({discount.reason for discount in terms.discounts})
    found = []
    for size in range(len(named) + 1):
        for reasons in combinations(named, size):
            seen = list(totals(terms, reasons))
            found += [quantity for quantity in range(LAST) if seen[quantity + 1] < seen[quantity]][:1]
    return min(found, default=None)


def assert_smallest(document):
    terms = parse_tariff(document)
    found, tried = first_fall(terms), brute_force(terms)
    assert tried == (None if found is None else found.quantity_micro // 10**6)
    if found is not None:
        seen = list(totals(terms, found.reasons))
        at = found.quantity_micro // 10**6
        assert (found.total_minor, found.next_total_minor) == (seen[at], seen[at + 1])
        assert found.next_micro - found.quantity_micro == 10**6


@settings(max_examples=100, deadline=None)
@given(one_basis())
def test_the_fall_is_the_smallest_and_none_means_there_is_none(document):
    assert_smallest(document)


@pytest.mark.proof
@settings(max_examples=2000, deadline=None)
@given(one_basis())
def test_the_fall_is_the_smallest_in_two_thousand_documents(document):
    assert_smallest(document)


@settings(max_examples=60, deadline=None)
@given(one_basis(), decimals(40, 2), st.booleans())
def test_a_minimum_hides_a_fall_only_where_nothing_else_lifts_the_sum(document, minimum, has_base):
    document = {**document, "minimum": minimum, "maximum": None}
    if has_base:
        document["components"] = [*document["components"], per_unit("0.01", "rows", basis="records")]
    terms = parse_tariff(document)
    found = first_fall(terms)
    if has_base:
        without = parse_tariff({**document, "minimum": None})
        assert (found is None) == (first_fall(without) is None)
        if found is not None:  # as many fen of rows as the example says: the fall is there
            units = {c.code: found.quantity_micro for c in terms.components if c.code != "rows"}
            later = dict.fromkeys(units, found.next_micro)
            rows = {"rows": found.rest_minor * 10**6}
            named = frozenset(found.reasons)
            assert rate(terms, Usage(units=units | rows, discounts=named)).total_minor == found.total_minor
            assert rate(terms, Usage(units=later | rows, discounts=named)).total_minor == found.next_total_minor
            assert found.next_total_minor < found.total_minor
    else:
        assert brute_force(terms) == (None if found is None else found.quantity_micro // 10**6)


@settings(max_examples=150, deadline=None)
@given(metered_components())
def test_only_a_volume_price_ever_falls(component):
    found = first_fall(parse_tariff(tariff(component)))
    assert found is None or component["model"] == "volume"


def test_a_volume_price_that_falls_is_told_with_its_arithmetic():
    assert check_tariff(tariff(volume(TWO_TIERS))) == {
        "ok": False,
        "rises": {
            "ok": False,
            "basis": "calls",
            "quantity": "100",
            "total": "100.00",
            "next": "101",
            "next_total": "52.50",
            "discounts": [],
            "rest": "0.00",
            "components": [{"label": "calls", "at_quantity": "100.00", "at_next": "52.50"}],
        },
    }


def test_a_fee_that_makes_up_for_the_lower_price_keeps_the_total_rising():
    tiers = [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5", "flat_fee": "49.50"}]
    assert check_tariff(tariff(volume(tiers))) == {"ok": True, "rises": {"ok": True}}
    tiers[1]["flat_fee"] = "49.49"
    assert fall_of(parse_tariff(tariff(volume(tiers)))).next_total == "99.99"


def test_included_units_move_the_place_of_the_fall():
    found = fall_of(parse_tariff(tariff(volume(TWO_TIERS, included="30"))))
    assert (found.quantity, found.next, found.total, found.next_total) == ("130", "131", "100.00", "52.50")


def test_what_else_the_same_call_costs_may_make_up_for_the_fall():
    """49.50 − 48 of another item is still a fall; with 49.50 it is none. A yearly counter does not make up for a monthly one."""
    tiers = [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}]
    facility = package("101", "49.49", "facility", included="100")
    document = tariff(volume(tiers), facility)
    found = fall_of(parse_tariff(document))
    assert found.parts == (("calls", "100.00", "50.50", "0"), ("facility", "0.00", "49.49", "0"))
    assert found.drop == "0.01"
    facility["package_price"] = "49.50"
    assert fall_of(parse_tariff(document)) is None
    facility["counts_over"] = "year"
    assert fall_of(parse_tariff(document)) is not None


def test_a_discount_on_what_makes_up_for_the_fall_brings_it_back():
    tiers = [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}]
    document = tariff(volume(tiers), package("101", "49.50", "facility", included="100"))
    document["discounts"] = [
        {"reason": "first_year", "percent": "5", "components": ["calls"]},
        {"reason": "key_scenario", "percent": "10", "components": ["facility"]},
    ]
    found = fall_of(parse_tariff(document))
    assert (found.reasons, found.total, found.next_total) == (("key_scenario",), "100.00", "95.05")


def test_a_maximum_hides_what_lies_above_it():
    assert fall_of(parse_tariff(tariff(volume(TWO_TIERS), maximum="52.50"))) is None
    assert fall_of(parse_tariff(tariff(volume(TWO_TIERS), maximum="52.51"))).total == "52.51"


def test_a_fall_of_less_than_a_fen_is_none():
    tiers = [{"up_to": "1", "unit_price": "0.004"}, {"up_to": None, "unit_price": "0.0015"}]
    assert fall_of(parse_tariff(tariff(volume(tiers)))) is None


def test_data_volume_is_looked_at_in_millionths():
    tiers = [{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.99"}]
    assert fall_of(parse_tariff(tariff(volume(tiers)))) is None  # 10 calls ¥10.00, 11 calls ¥10.89
    found = fall_of(parse_tariff(tariff(volume(tiers, "data", basis="bytes", unit="GB"))))
    assert (found.quantity, found.next, found.total, found.next_total) == ("10", "10.000001", "10.00", "9.90")


def test_flat_graduated_package_and_uncollected_prices_never_fall():
    document = tariff(graduated(), package("100", "20.00", "pack"), flat("60.00"), volume(TWO_TIERS, "shown", collected=False))
    assert fall_of(parse_tariff(document)) is None


def test_both_proofs_are_told_together():
    assert check_tariff(WORKED_TARIFF, WORKED_CAP) == {"ok": True, "rises": {"ok": True}, "caps": {"ok": True}}
    found = check_tariff(tariff(volume(TWO_TIERS)), {"caps": [{"basis": "calls", "cap": "0.90"}]})
    assert (found["ok"], found["rises"]["ok"], found["caps"]["quantity"]) == (False, False, "1")
    with pytest.raises(DocumentRefused, match="/tax"):
        check_tariff({"currency": "CNY", "components": []}, WORKED_CAP)


def test_more_discounts_than_can_be_looked_at_are_refused():
    parts = [volume(TWO_TIERS, f"c{number}") for number in range(14)]
    discounts = [{"reason": f"r{number}", "percent": "5", "components": [f"c{number}"]} for number in range(14)]
    with pytest.raises(DocumentRefused, match="combinations of discounts"):
        fall_of(parse_tariff(tariff(*parts, discounts=discounts)))
