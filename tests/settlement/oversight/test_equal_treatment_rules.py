"""The comparison of like buyers, by property: what is open to all never counts, what is not always does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pricing.documents import parse_tariff
from pricing.rules import Usage, rate
from settlement.oversight.equal_treatment_rules import Case, band_of, treated_alike, unequal_pairs

MICRO = 10**6
TIERS = [
    {"up_to": "10000", "unit_price": "0.50"},
    {"up_to": "100000", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]
TAX = {"rate": "0.06", "inclusive": True}


def tariff(model="graduated", price="0.50", percents=(("private", "30"),)):
    priced = {"tiers": TIERS} if model in ("graduated", "volume") else {"unit_price": price}
    part = {"code": "calls", "label": "x", "basis": "calls", "model": model, **priced}
    discounts = [{"reason": reason, "percent": percent, "components": ["calls"]} for reason, percent in percents]
    return parse_tariff({"currency": "CNY", "components": [part], "discounts": discounts, "tax": TAX})


def case(code, terms, units, reasons=(), met=(), **changes):
    """A buyer of so many units who was given ``reasons`` and meets the conditions of ``met``."""
    line, deserved = (
        rate(terms, Usage(units={"calls": units * MICRO}, discounts=frozenset(named))).lines[0] for named in (reasons, met)
    )
    fields = {"product": 1, "plan": 1, "purpose": "industry.finance", "band": band_of(terms, {"calls": units * MICRO})}
    fields |= {
        "buyer": hash(code),
        "units": units * MICRO,
        "gross": line.gross_minor,
        "payable": line.payable_minor,
        "deserved": deserved.payable_minor,
    }
    return Case(code=code, **fields | changes)


def codes(pairs):
    return [(pair.first.code, pair.second.code) for pair in pairs]


units = st.integers(min_value=1, max_value=10**9)
models = st.sampled_from(["graduated", "volume", "per_unit"])


@given(model=models, volumes=st.lists(units, min_size=2, max_size=8), percent=st.integers(0, 100))
def test_buyers_with_the_same_discounts_are_never_flagged_whatever_their_volumes(model, volumes, percent):
    terms = tariff(model, percents=(("private", str(percent)),))
    for reasons in ((), ("private",)):
        assert unequal_pairs(case(f"E{n}", terms, volume, reasons) for n, volume in enumerate(volumes)) == []


@given(volumes=st.lists(units, min_size=2, max_size=8), met=st.lists(st.booleans(), min_size=8, max_size=8))
def test_a_published_discount_given_to_each_buyer_that_meets_its_condition_is_never_flagged(volumes, met):
    terms = tariff(percents=(("key_scenario", "30"),))
    named = [("key_scenario",) if is_met else () for is_met in met]
    assert unequal_pairs(case(f"E{n}", terms, v, named[n], named[n]) for n, v in enumerate(volumes)) == []


@given(volume=st.integers(100, 10**6), old=st.integers(1, 90), new=st.integers(1, 90))
def test_buyers_under_different_versions_of_the_tariff_are_not_flagged(volume, old, new):
    before, after = tariff("per_unit", f"0.{old:02}"), tariff("per_unit", f"0.{new:02}")
    assert unequal_pairs([case("A", before, volume), case("B", after, volume)]) == []


@given(one=st.integers(200, 10_000), other=st.integers(200, 10_000), percent=st.integers(5, 100))
def test_scenario_43_a_discount_to_one_of_two_like_buyers_is_flagged_once_whoever_comes_first(one, other, percent):
    terms = tariff(percents=(("private", str(percent)),))
    pair = [case("A", terms, one), case("B", terms, other, ["private"])]
    assert codes(unequal_pairs(pair)) == codes(unequal_pairs(pair[::-1])) == [("A", "B")]


@given(one=st.integers(200, 10_000), percent=st.integers(5, 100))
def test_who_meets_a_condition_and_does_not_get_the_discount_is_flagged_as_having_paid_more(one, percent):
    terms = tariff(percents=(("small_business", str(percent)),))
    got = case("A", terms, one, ["small_business"], ["small_business"])
    denied = case("B", terms, one, [], ["small_business"])
    assert codes(unequal_pairs([got, denied])) == [("B", "A")]


def test_buyers_in_different_bands_plans_purposes_or_products_are_not_like():
    terms = tariff()
    favoured = case("B", terms, 5000, ["private"])
    for other in (
        case("A", terms, 10_001),
        case("A", terms, 5000, product=2),
        case("A", terms, 5000, plan=2),
        case("A", terms, 5000, purpose="industry.insurance"),
    ):
        assert unequal_pairs([favoured, other]) == []
    assert len(unequal_pairs([favoured, case("A", terms, 10_000)])) == 1


def test_each_case_out_of_line_is_held_against_the_nearest_of_the_many():
    terms = tariff(percents=(("private", "30"), ("other", "10")))
    many = [case(f"A{n}", terms, 1000 * n) for n in range(1, 6)]
    found = unequal_pairs([*many, case("B", terms, 3100, ["private"]), case("C", terms, 900, ["other"])])
    assert codes(found) == [("A3", "B"), ("A1", "C")]
    assert {pair.peers for pair in found} == {5}


@given(st.lists(st.tuples(st.integers(1, 10**6), st.booleans()), min_size=2, max_size=10))
def test_a_flag_is_one_a_case_and_its_two_are_treated_differently(bought):
    terms = tariff("per_unit")
    cases = [case(f"E{n}", terms, volume, ["private"] if is_private else []) for n, (volume, is_private) in enumerate(bought)]
    pairs = unequal_pairs(cases)
    assert all(not treated_alike(pair.first, pair.second) for pair in pairs)
    assert all(pair.first.advantage * pair.second.gross < pair.second.advantage * pair.first.gross for pair in pairs)
    assert len(pairs) <= len(cases) // 2


def test_two_contracts_of_one_buyer_are_not_two_buyers():
    terms = tariff()
    assert unequal_pairs([case("A", terms, 1000, buyer=7), case("B", terms, 1000, ["private"], buyer=7)]) == []


def test_nothing_sold_is_nothing_compared():
    terms = tariff()
    assert unequal_pairs([case("A", terms, 0), case("B", terms, 0, ["private"])]) == []


def test_the_band_is_the_tier_of_the_last_unit():
    terms = tariff()
    counted = (0, 10_000, 10_001, 100_000, 100_001)
    assert [band_of(terms, {"calls": n * MICRO})[0][1] for n in counted] == [0, 0, 1, 1, 2]
    assert band_of(tariff("per_unit"), {"calls": 10**12}) == ()
