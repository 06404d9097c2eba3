"""Comparable products: bands from models that never saw the price, near products with the reason, silence where there is little."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pricing.estimation import made_up
from pricing.estimation.comparables import LEVEL, Item, market, nearest

ALIKE = ("basis", "type")


def items(seed: int = 1, products: int = 80) -> list[Item]:
    return [
        Item(
            row.key,
            row.price,
            {"type": row.type, "sector": row.sector, "basis": row.basis},
            {"freshness": math.log1p(row.freshness_days), "quality": row.quality, "fields": math.log(row.fields)},
        )
        for row in made_up.catalogue(seed, products=products)
    ]


@pytest.fixture(scope="module")
def found():
    return market(items(), alike=ALIKE)


def test_a_price_does_not_move_its_own_band(found):
    own = items()
    dearer = [replace(own[0], price=own[0].price * 50), *own[1:]]
    before, after = found.items[own[0].key], market(dearer, alike=ALIKE).items[own[0].key]
    assert before.middle == pytest.approx(after.middle, rel=1e-9)
    assert before.high == pytest.approx(after.high, rel=0.1)  # the width is of the others' errors, whose models saw it
    assert after.place == "above" and after.off > 5


def test_the_order_of_the_input_does_not_matter(found):
    assert market(list(reversed(items())), alike=ALIKE) == found


def test_each_has_ten_near_products_and_every_feature_says_why():
    near = nearest(items(), "C003")
    assert len(near) == 10 and "C003" not in {one.key for one in near}
    assert [one.distance for one in near] == sorted(one.distance for one in near)
    assert {why.feature for why in near[0].why} == {"type", "sector", "basis", "freshness", "quality", "fields"}
    assert all(why.factor == pytest.approx(1) for one in near for why in one.why if why.is_same)


def test_a_twin_is_the_nearest():
    twin = replace(items()[3], key="twin", price=None)
    first = nearest([*items(), twin], "twin")[0]
    assert (first.key, first.distance) == ("C003", 0.0)
    assert all(why.is_same for why in first.why)


def test_the_band_is_in_order_and_places_the_price(found):
    for one in found.items.values():
        assert 0 < one.low < one.middle < one.high
        assert one.place == ("below" if one.price < one.low else "above" if one.price > one.high else "within")
        assert one.off >= 1 and (one.off == 1) == (one.place == "within")


def test_the_coverage_is_counted_on_withheld_prices(found):
    inside = sum(one.place == "within" for one in found.items.values()) / found.prices
    assert found.coverage == pytest.approx(inside)
    assert abs(found.coverage - LEVEL) < 0.1


def test_a_product_without_a_price_gets_a_band_and_does_not_move_the_others(found):
    asked = Item("new", None, {"type": "model", "sector": "finance", "basis": "calls"}, {"freshness": 0.0, "quality": None})
    said = market([*items(), asked], alike=ALIKE)
    assert said.items["new"].place == "" and said.items["new"].low < said.items["new"].high
    assert said.items["C003"].middle == pytest.approx(found.items["C003"].middle)


def test_seven_prices_are_too_little():
    said = market(items(products=7), alike=ALIKE)
    assert (said.reason, said.items, said.prices) == ("too_little_data", {}, 7)
    assert nearest(items(products=7), "C003") == ()


def test_where_features_say_nothing_the_median_is_the_middle():
    blank = [
        replace(item, kinds={"type": item.kinds["type"]}, numbers={"fields": float(i * 37 % 11)})
        for i, item in enumerate(items())
    ]
    prices = [replace(item, price=1.0 + (i % 2) * 0.01 + 500 * (i % 9 == 0)) for i, item in enumerate(blank)]
    said = market(prices, alike=("type",))
    assert said.method == "median" and said.error_of_median < said.error


def test_the_products_of_a_group_are_withheld_together():
    twins = [replace(item, group=item.key) for item in items()[:40]]
    twins += [replace(item, key=f"{item.key}b", price=item.price * 1.01) for item in twins]
    free = market([replace(item, group="") for item in twins], alike=ALIKE)
    assert market(twins, alike=ALIKE).error > free.error
