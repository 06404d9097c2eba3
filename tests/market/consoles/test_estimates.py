"""Forecasts and comparable prices under three consoles: to each its own products, with the error of every estimate beside it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache

from pricing.estimation.months import months_from
from settlement.oversight.models import ChargedVolume, DemandForecast, DemandOutlook
from tests.factories.offers import USAGE_ONLY, make_offer
from tests.market.pages import acting, text

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
CONSOLES = ("regulator", "authority", "operator")


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def viewer(cast, console: str):
    return getattr(cast, console).owner


def forecasts_of(product, at, *, method: str = "model", come: int = 3) -> None:
    """Forecasts made from each of ``come`` months and from October; of each past month 1 000 units came."""
    for number, first in enumerate(months_from(date(2026, 10 - come, 1), come + 1)):
        same = {"product": product, "component": "calls", "made_from": first, "made_at": at}
        year = {"year_low": Decimal(9000), "year_middle": Decimal(12345), "year_high": Decimal(15000)}
        facts = {"reason": "own_past_better", "checks": 9, "model_error": 80, "baseline_error": 120, "checked_ahead": 6}
        DemandOutlook.objects.create(method=method, **same, **facts, **year)
        for month in months_from(first, 12):
            DemandForecast.objects.create(
                month=month, method=method, low=900, middle=1100, high=1200 + number, baseline=1300, **same
            )
        if first < OCTOBER:
            ChargedVolume.objects.create(product=product, component="calls", month=first, units=1000, counted_at=at)


@pytest.fixture
def offer(cast, clock):
    offer = make_offer(cast, clock.now)
    forecasts_of(offer.product, clock.now)
    return offer


def make_prices(cast, clock, count: int = 9) -> None:
    for number in range(count):
        component = {"code": "calls", "label": "查询费", "basis": "calls", "model": "per_unit", "unit_price": f"0.{40 + number}"}
        make_offer(cast, clock.now, code=f"like-{number}", document={**USAGE_ONLY, "components": [component]})
    dear = {"code": "calls", "label": "查询费", "basis": "calls", "model": "per_unit", "unit_price": "9.90"}
    make_offer(cast, clock.now, code="dear", document={**USAGE_ONLY, "components": [dear]})


@pytest.mark.parametrize("console", CONSOLES)
def test_the_list_shows_the_next_month_the_year_and_how_the_last_did(cast, offer, console):
    page = text(acting(viewer(cast, console)).get(f"/console/{console}/forecasts/"))
    assert "1,100" in page and "12,345" in page
    assert "平均误差 100" in page and "300" in page  # |1000 − 1100| against |1000 − 1300|


@pytest.mark.parametrize("console", CONSOLES)
def test_a_product_shows_its_chart_with_the_table_and_each_past_forecast(cast, offer, console):
    page = text(acting(viewer(cast, console)).get(f"/console/{console}/forecasts/{offer.product.code}/calls/"))
    assert "data:image/svg+xml" in page and "<details" in page
    assert page.count("2026-09") >= 2 and "2027-09-01" in page


def test_the_csv_has_every_month_ahead(cast, offer):
    answer = acting(cast.regulator.owner).get("/console/regulator/forecasts/forecasts.csv")
    lines = text(answer).strip().splitlines()
    assert len(lines) == 1 + 12 and "credit-pre-loan,calls,2026-10-01,model" in lines[1]


def test_a_table_of_prices_holds_no_formula_of_a_users(cast, offer):
    organisation = offer.product.operator
    organisation.__class__.objects.filter(pk=organisation.pk).update(name="@SUM(1)")
    page = text(acting(cast.regulator.owner).get("/console/regulator/comparables/comparables.csv"))
    assert ",'@SUM(1)," in page and ",@SUM" not in page


def test_an_operator_sees_no_volume_of_another(cast, offer):
    other = cast.operator_two.owner if hasattr(cast, "operator_two") else None
    offer.product.operator = cast.platform.organisation
    offer.product.save()
    client = acting(other or cast.operator.owner)
    assert client.get(f"/console/operator/forecasts/{offer.product.code}/calls/").status_code == 404
    assert "1,100" not in text(client.get("/console/operator/forecasts/"))
    assert "credit-pre-loan" not in text(client.get("/console/operator/forecasts/forecasts.csv"))


def test_without_forecasts_the_page_says_when_they_come(cast, clock):
    assert "3" in text(acting(cast.regulator.owner).get("/console/regulator/forecasts/"))


@pytest.mark.parametrize("console", CONSOLES)
def test_prices_outside_their_band_come_first(cast, clock, console):
    make_prices(cast, clock)
    page = text(acting(viewer(cast, console)).get(f"/console/{console}/comparables/"))
    assert page.index("/comparables/dear/") < page.index("/comparables/like-0/")
    assert "高于区间" in page and "%" in page


def test_a_product_shows_its_nearest_with_the_reason(cast, clock):
    make_prices(cast, clock)
    page = text(acting(cast.regulator.owner).get("/console/regulator/comparables/dear/"))
    assert "¥9.90" in page and "/products/like-0/" in page and "相同" in page


def test_too_few_prices_are_said_not_hidden(cast, clock):
    make_prices(cast, clock, 3)
    for url in ("/console/regulator/comparables/", "/console/regulator/comparables/dear/"):
        assert "数据太少" in text(acting(cast.regulator.owner).get(url))
    assert "too_little_data" in text(acting(cast.regulator.owner).get("/console/regulator/comparables/comparables.csv"))


def test_a_product_without_a_price_has_no_page(cast, clock):
    make_prices(cast, clock)
    assert acting(cast.regulator.owner).get("/console/regulator/comparables/no-such-product/").status_code == 404


def test_the_lists_have_a_fixed_number_of_queries(cast, clock, offer, queries_of):
    client = acting(cast.regulator.owner)
    few = queries_of(client, "/console/regulator/forecasts/")
    make_prices(cast, clock)
    few_prices = queries_of(client, "/console/regulator/comparables/")
    for number in range(4):
        forecasts_of(make_offer(cast, clock.now, code=f"more-{number}", document=USAGE_ONLY).product, clock.now)
    assert queries_of(client, "/console/regulator/forecasts/") == few
    assert queries_of(client, "/console/regulator/comparables/") == few_prices
