"""Prices in force as the model gets them: one a product and charging basis, of the dearest plan; fits are kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache

from settlement.oversight import comparables
from tests.factories.offers import USAGE_ONLY, make_offer
from tests.pricing.market import tariff

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 20)
FLAT = {"code": "base", "label": "基础费", "basis": "periods", "model": "flat", "period": "month", "price": "300.00"}


def per_call(price: str) -> dict:
    return {"code": "calls", "label": "查询费", "basis": "calls", "model": "per_unit", "unit_price": price}


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def offers(cast, clock, count: int) -> None:
    for number in range(count):
        document = {**USAGE_ONLY, "components": [per_call(f"0.{20 + number}")]}
        make_offer(cast, clock.now, code=f"offer-{number}", document=document)


def test_a_graduated_price_is_taken_at_a_thousand_calls():
    tiers = [{"up_to": "500", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}]
    graduated = {"code": "calls", "label": "费", "basis": "calls", "model": "graduated", "tiers": tiers}
    assert comparables.unit_prices(tariff(graduated, FLAT)) == {"calls": Decimal("0.75")}


def test_components_of_one_basis_add_up_and_uncollected_ones_stay_out():
    extra = {**per_call("0.10"), "code": "extra"}
    stored = {
        "code": "storage",
        "label": "存储",
        "basis": "bytes",
        "model": "per_unit",
        "unit_price": "1.20",
        "unit": "GB",
        "collected": False,
    }
    assert comparables.unit_prices(tariff(per_call("0.45"), extra, stored)) == {"calls": Decimal("0.55")}


def test_a_price_of_time_alone_is_taken_by_the_year():
    assert comparables.unit_prices(tariff(FLAT)) == {"periods": Decimal("3600.00")}


def test_seven_prices_are_too_little_and_eight_are_enough(cast, clock):
    offers(cast, clock, 7)
    assert comparables.prices_in_force(on=TODAY).markets["calls"].reason == "too_little_data"
    make_offer(cast, clock.now, code="offer-7", document={**USAGE_ONLY, "components": [per_call("9.00")]})
    found = comparables.prices_in_force(on=TODAY)
    assert found.markets["calls"].reason == ""
    assert found.markets["calls"].items["offer-7/calls"].place == "above"
    assert "offer-7/calls" not in {near.key for near in found.near("offer-7/calls")}


def test_a_fit_is_kept_until_a_price_changes(cast, clock, monkeypatch):
    offers(cast, clock, 8)
    fits = []
    fit = comparables.market
    monkeypatch.setattr(comparables, "market", lambda *given, **named: fits.append(1) or fit(*given, **named))
    first = comparables.prices_in_force(on=TODAY)
    assert comparables.prices_in_force(on=TODAY) == first and len(fits) == 1
    make_offer(cast, clock.now, code="offer-8", document=USAGE_ONLY)
    comparables.prices_in_force(on=TODAY)
    assert len(fits) == 2


def test_only_listed_products_on_sale_are_compared(cast, clock):
    offer = make_offer(cast, clock.now, code="gone", document=USAGE_ONLY)
    offer.product.state = "delisted"
    offer.product.save()
    assert comparables.prices_in_force(on=TODAY).prices == {}
