"""`check_cap` is a proof: its counter-example is the smallest there is, and where it says ok there is none."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.cap_check import check_cap, check_terms
from pricing.documents import parse_caps, parse_tariff
from pricing.reading import DocumentRefused
from tests.pricing.price_documents import (
    WORKED_CAP,
    WORKED_TARIFF,
    decimals,
    f,
    flat,
    graduated,
    metered_components,
    package,
    per_unit,
    tariff,
    volume,
)


def caps(**by_basis):
    rows = [
        {"basis": "periods", "period": name, "cap": cap}
        if name in ("day", "week", "month", "quarter", "year")
        else {"basis": name, "cap": cap}
        for name, cap in by_basis.items()
    ]
    return {"caps": rows}


def refused(document, ceiling):
    answer = check_cap(document, ceiling)
    assert answer.pop("ok") is False
    return tuple(answer[key] for key in ("basis", "quantity", "price", "cap", "components"))


def brute_force(components, cap, last):
    """The first whole q at which the sum is above the cap, by trying them one after the other."""
    for q in range(1, last + 1):
        counted = [
            c for c in components if c["model"] != "package" or (Fraction(q) / Fraction(c["package_size"])).denominator == 1
        ]
        if sum(f(c, Fraction(q)) for c in counted) > Fraction(cap) * q:
            return q
    return None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(), min_size=1, max_size=3).flatmap(
        lambda ns: st.tuples(*(metered_components(f"c{i}") for i in range(len(ns))))
    ),
    decimals(4, 2),
)
def test_the_counter_example_is_the_smallest_and_ok_means_there_is_none(components, cap):
    answer = check_cap(tariff(*components), caps(calls=cap))
    last = 300
    found = brute_force(components, cap, last)
    if answer["ok"]:
        assert found is None
    elif int(answer["quantity"]) <= last:
        assert found == int(answer["quantity"])
        assert Fraction(answer["price"]) > Fraction(cap)
    else:
        assert found is None
        q = int(answer["quantity"])
        counted = [c for c in components if c["code"] in answer["components"]]
        assert sum(f(c, Fraction(q)) for c in counted) > Fraction(cap) * q


def test_the_worked_tariff_keeps_the_worked_caps():
    assert check_cap(WORKED_TARIFF, WORKED_CAP) == {"ok": True}


@pytest.mark.parametrize(("price", "is_ok"), [("0.51", False), ("0.50", True), ("0.500001", False), ("0", True)])
def test_a_price_is_refused_only_above_the_cap(price, is_ok):
    """Scenario 34."""
    assert check_cap(tariff(per_unit(price)), caps(calls="0.50"))["ok"] is is_ok


def test_compulsory_extras_count_together():
    """Scenario 35."""
    document = tariff(per_unit("0.45"), per_unit("0.10", "facility"))
    assert refused(document, caps(calls="0.50")) == ("calls", "1", "0.550000", "0.50", ["calls", "facility"])


def test_what_is_not_collected_does_not_count():
    assert check_cap(tariff(per_unit("0.45"), per_unit("0.10", "facility", collected=False)), caps(calls="0.50"))["ok"]
    assert check_cap(tariff(flat("9.00", collected=False)), caps(calls="0.50"))["ok"]


def test_a_discount_does_not_bring_a_price_under_its_cap():
    discount = {"reason": "all", "percent": "50", "components": ["calls"]}
    assert not check_cap(tariff(per_unit("0.60"), discounts=[discount]), caps(calls="0.50"))["ok"]


def test_a_later_tier_above_the_cap_is_found_where_the_average_passes_it():
    tiers = [{"up_to": "1000000", "unit_price": "0.10"}, {"up_to": None, "unit_price": "0.60"}]
    # (100000 + 0.6 (q − 1000000)) / q > 0.5  ⟺  q > 5000000
    assert refused(tariff(graduated(tiers)), caps(calls="0.50")) == ("calls", "5000001", "0.50000002", "0.50", ["calls"])


def test_a_flat_fee_of_a_tier_counts_into_the_unit_price():
    tiers = [{"up_to": "10", "unit_price": "0.10"}, {"up_to": None, "unit_price": "0.10", "flat_fee": "5.00"}]
    assert refused(tariff(graduated(tiers)), caps(calls="0.50"))[:3] == ("calls", "11", "0.554545")
    assert refused(tariff(volume(tiers)), caps(calls="0.50"))[:3] == ("calls", "11", "0.554545")


def test_a_package_counts_at_whole_packages():
    assert check_cap(tariff(package("100", "50.00")), caps(calls="0.50"))["ok"]
    assert refused(tariff(package("100", "50.01")), caps(calls="0.50")) == ("calls", "100", "0.500100", "0.50", ["calls"])


def test_a_package_and_a_unit_price_count_together_at_whole_packages():
    document = tariff(per_unit("0.30"), package("100", "25.00", "pack"))
    assert refused(document, caps(calls="0.50")) == ("calls", "100", "0.550000", "0.50", ["calls", "pack"])


def test_a_large_package_does_not_hide_what_is_dear_beside_it():
    tiers = [{"up_to": "10", "unit_price": "5.00"}, {"up_to": None, "unit_price": "0"}]
    document = tariff(graduated(tiers), package("1000000", "10.00", "pack"))
    assert refused(document, caps(calls="0.50")) == ("calls", "1", "5.000000", "0.50", ["calls"])


def test_two_package_sizes_meet_at_their_common_multiple():
    document = tariff(package("100", "30.00", "a"), package("150", "45.00", "b"))
    assert refused(document, caps(calls="0.50")) == ("calls", "300", "0.600000", "0.50", ["a", "b"])


def test_flat_prices_of_one_period_are_added_and_compared_with_its_cap():
    document = tariff(flat("60.00"), flat("40.01", code="extra"), flat("1.00", "year", "yearly"))
    assert refused(document, caps(month="100.00", year="1.00")) == ("periods", "1", "100.01", "100.00", ["base", "extra"])
    assert check_cap(document, caps(month="100.01", year="1.00")) == {"ok": True}


def test_what_is_charged_without_a_cap_is_refused():
    assert refused(tariff(per_unit("0.45")), caps()) == ("calls", "1", "0.450000", None, ["calls"])
    assert refused(tariff(per_unit("0.45", included="10")), caps(records="1"))[:4] == ("calls", "11", "0.040909", None)
    assert refused(tariff(flat("60.00", "week")), caps(month="100.00")) == ("periods", "1", "60.00", None, ["base"])
    assert check_cap(tariff(per_unit("0"), flat("0.00")), caps()) == {"ok": True}


@pytest.mark.parametrize(
    ("span", "minimum", "ceiling", "is_ok"),
    [
        ("month", "100.00", {"month": "100.00"}, True),
        ("month", "100.01", {"month": "100.00"}, False),
        ("month", "1.00", {"year": "100.00"}, False),
        ("year", "100.00", {"year": "100.00"}, True),
        ("year", "100.01", {"year": "100.00", "month": "200.00"}, False),
        ("term", "0.01", {"year": "100.00", "month": "200.00"}, False),
        ("month", "0.00", {}, True),
    ],
)
def test_a_minimum_stays_within_the_flat_cap_of_its_counting_period(span, minimum, ceiling, is_ok):
    document = tariff(per_unit("0.10", counts_over=span), minimum=minimum)
    answer = check_cap(document, caps(calls="0.50", **ceiling))
    assert answer["ok"] is is_ok
    if not is_ok:
        assert (answer["basis"], answer["quantity"], answer["price"], answer["components"]) == (
            "periods",
            "1",
            minimum,
            ["minimum"],
        )


def test_the_smallest_quantity_of_all_bases_is_told():
    tiers = [{"up_to": "10", "unit_price": "0"}, {"up_to": None, "unit_price": "9"}]
    document = tariff(graduated(tiers), per_unit("2.00", "rows", basis="records"))
    assert refused(document, caps(calls="0.50", records="1"))[:2] == ("records", "1")


def test_bytes_in_different_units_cannot_be_compared():
    document = tariff(per_unit("1", "a", basis="bytes", unit="GB"), per_unit("1", "b", basis="bytes", unit="TB"))
    with pytest.raises(DocumentRefused) as refusal:
        check_cap(document, caps(bytes="5"))
    assert [error["pointer"] for error in refusal.value.errors] == ["/components/1/unit"]
    with pytest.raises(DocumentRefused):
        check_terms(tariff=parse_tariff(document), caps=parse_caps(caps(bytes="5")))


def test_more_package_sizes_than_can_be_proven_are_refused():
    document = tariff(*(package(str(size), "1.00", f"p{size}") for size in (2, 3, 5, 7, 11, 13, 17, 19, 23)))
    with pytest.raises(DocumentRefused) as refusal:
        check_cap(document, caps(calls="100"))
    assert [error["pointer"] for error in refusal.value.errors] == ["/components/8/package_size"]
