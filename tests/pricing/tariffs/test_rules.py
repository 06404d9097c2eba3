"""The pure rules of tariff versions, against quotes of the same documents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.cap_check import check_cap
from pricing.documents import parse_tariff
from pricing.quote import quote
from pricing.tariffs.rules import BasisWithoutCap, clamp, rises

TAX = {"rate": "0.06", "inclusive": True}


def tariff(*components, **more):
    return {"currency": "CNY", "components": list(components), "tax": TAX, **more}


def decimals(top, places):
    return st.integers(0, top * 10**places).map(lambda n: f"{n // 10**places}.{n % 10**places:0{places}d}")


@st.composite
def tiers(draw):
    ends = sorted(draw(st.sets(st.integers(1, 30), max_size=3)))
    return [
        {"up_to": end, "unit_price": draw(decimals(2, 2)), **({"flat_fee": draw(decimals(3, 2))} if draw(st.booleans()) else {})}
        for end in [*map(str, ends), None]
    ]


@st.composite
def components(draw, code):
    model = draw(st.sampled_from(["per_unit", "graduated", "volume", "package"]))
    part = {"code": code, "basis": "calls", "model": model}
    if model == "per_unit":
        part["unit_price"] = draw(decimals(2, 6))
    elif model == "package":
        part |= {"package_size": str(draw(st.integers(1, 12))), "package_price": draw(decimals(20, 2))}
    else:
        part["tiers"] = draw(tiers())
    if draw(st.booleans()):
        part["included"] = str(draw(st.integers(0, 10)))
    return part


@st.composite
def tariffs(draw):
    parts = [draw(components(f"c{n}")) for n in range(draw(st.integers(1, 3)))]
    flats = [{"code": "base", "basis": "periods", "model": "flat", "period": "year", "price": draw(decimals(900, 2))}]
    minimum = draw(st.none() | decimals(40, 2))
    return tariff(*parts, *(flats if draw(st.booleans()) else []), minimum=minimum)


@st.composite
def cap_sets(draw):
    caps = [{"basis": "calls", "cap": draw(decimals(1, 4))}]
    caps += [{"basis": "periods", "period": period, "cap": draw(decimals(500, 2))} for period in ("month", "year")]
    return {"caps": caps}


def assert_clamped(document, caps):
    cut = clamp(document, caps)
    assert check_cap(cut, caps) == {"ok": True}
    assert rises(parse_tariff(document), parse_tariff(cut)) == ()
    if check_cap(document, caps)["ok"]:
        assert cut == document


@settings(max_examples=100, deadline=None)
@given(tariffs(), cap_sets())
def test_a_clamped_tariff_keeps_its_caps_and_costs_nobody_more(document, caps):
    assert_clamped(document, caps)


@pytest.mark.proof
@settings(max_examples=2000, deadline=None)
@given(tariffs(), cap_sets())
def test_two_thousand_clamped_tariffs_keep_their_caps_and_cost_nobody_more(document, caps):
    assert_clamped(document, caps)


def test_a_clamp_cuts_only_what_is_above():
    document = tariff(
        {
            "code": "calls",
            "basis": "calls",
            "model": "graduated",
            "tiers": [{"up_to": "100", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.20"}],
        },
        {"code": "base", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"},
    )
    cut = clamp(document, {"caps": [{"basis": "calls", "cap": "0.30"}, {"basis": "periods", "period": "year", "cap": "12000"}]})
    assert [tier["unit_price"] for tier in cut["components"][0]["tiers"]] == ["0.30", "0.20"]
    assert cut["components"][1] == document["components"][1]
    assert document["components"][0]["tiers"][0]["unit_price"] == "0.50"


def test_components_of_one_basis_share_the_cap_by_their_prices():
    parts = [
        {"code": code, "basis": "calls", "model": "per_unit", "unit_price": price}
        for code, price in (("a", "0.40"), ("b", "0.20"))
    ]
    cut = clamp(tariff(*parts), {"caps": [{"basis": "calls", "cap": "0.45"}]})
    assert [part["unit_price"] for part in cut["components"]] == ["0.30", "0.15"]


def test_a_basis_without_a_cap_cannot_be_cut():
    with pytest.raises(BasisWithoutCap):
        clamp(tariff({"code": "a", "basis": "records", "model": "per_unit", "unit_price": "0.1"}), {"caps": []})


@settings(max_examples=300, deadline=None)
@given(components("c"), components("c"), st.integers(0, 80))
def test_where_nothing_rises_no_quantity_costs_more(old, new, units):
    before, after = tariff(old), tariff(new)
    if rises(parse_tariff(before), parse_tariff(after)):
        return
    usage = {"units": {"c": str(units)}}
    assert float(quote(after, usage)["total"]) <= float(quote(before, usage)["total"])


def per_unit(price, **more):
    return {"code": "calls", "basis": "calls", "model": "per_unit", "unit_price": price, **more}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (tariff(per_unit("0.5")), tariff(per_unit("0.5")), ()),
        (tariff(per_unit("0.5")), tariff(per_unit("0.4")), ()),
        (tariff(per_unit("0.4")), tariff(per_unit("0.5")), ("calls",)),
        (tariff(per_unit("0.5", included="100")), tariff(per_unit("0.5")), ("calls",)),
        (tariff(per_unit("0.5")), tariff(per_unit("0.5"), minimum="1.00"), ("minimum",)),
        (tariff(per_unit("0.5"), maximum="9.00"), tariff(per_unit("0.5")), ("maximum",)),
        (tariff(per_unit("0.5", collected=False)), tariff(per_unit("0.5")), ("calls",)),
        (tariff(per_unit("0.5")), tariff(per_unit("0.5", counts_over="year")), ("calls",)),
        (
            tariff(per_unit("0.5"), discounts=[{"reason": "sme", "percent": "30", "components": ["calls"]}]),
            tariff(per_unit("0.5"), discounts=[{"reason": "sme", "percent": "20", "components": ["calls"]}]),
            ("discounts",),
        ),
        (tariff(per_unit("0.5")), tariff(per_unit("0.5")) | {"tax": {"rate": "0.06", "inclusive": False}}, ("tax",)),
    ],
)
def test_a_rise_names_what_costs_more(before, after, found):
    assert rises(parse_tariff(before), parse_tariff(after)) == found
