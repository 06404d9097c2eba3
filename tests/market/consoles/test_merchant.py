"""A data merchant in the browser: an enterprise's publisher builds on a licensed product and files a market price."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pricing.models import Plan, Tariff
from products.models import DataProduct, Membership
from settlement.entitlements.models import Entitlement
from tests.factories.offers import make_offer
from tests.market.consoles.conftest import DATA
from tests.market.pages import acting, text

pytestmark = pytest.mark.django_db
BASE = "/console/operator/"


@pytest.fixture
def merchant(cast, clock):
    """The buyer's owner, made its publisher and price-setter, with a licence on the score."""
    offer = make_offer(cast, clock.now)
    Membership.objects.filter(user=cast.buyer.owner).update(roles=["owner", "buyer", "publisher", "pricing"])
    Entitlement.objects.create(
        code="E-1",
        organisation=cast.buyer.organisation,
        operator=offer.product.operator,
        product=offer.product,
        plan=offer.plan,
        purposes=["sector.data_services"],
        scenario="price-analysis",
        valid_from=clock.now,
        valid_to=clock.now + timedelta(days=90),
        anchor_date=clock.now.date(),
        created_at=clock.now,
    )
    return acting(cast.buyer.owner)


def form(**changes):
    data = {
        "code": "lending-climate",
        "name_zh": "小微信贷景气指数",
        "name_en": "Lending climate",
        "summary_zh": "由数据商开发。",
        "summary_en": "By a data merchant.",
        "built_on": ["credit-pre-loan"],
        "purposes": ["industry.finance"],
        "scenarios": ["small-business-lending"],
        "regime": "market",
        "config": json.dumps({"series": {"composite": {"unit": "2020=100", "label": "综合指数"}}}),
        "samples": json.dumps([{"ask": "latest"}]),
        "input_schema": "",
        "output_schema": "",
        "data": SimpleUploadedFile("port.csv", DATA.encode()),
        "request_reviews": "on",
    }
    return data | changes


def test_scenario_46_a_merchant_files_its_product_and_a_market_price(cast, merchant):
    assert "credit-pre-loan" in text(merchant.get(f"{BASE}products/new/"))
    answer = merchant.post(f"{BASE}products/new/redevelop/?type=index", form())
    assert answer.url == f"{BASE}products/lending-climate/"
    assert "credit-pre-loan" in text(merchant.get(answer.url))
    product = DataProduct.objects.get(code="lending-climate")
    assert (product.regime, product.authorisation, product.operator) == ("market", None, cast.buyer.organisation)
    plan = {"code": "standard", "name": "标准版", "purposes": ["industry.finance"], "term_months": "12", "rate_per_minute": "60"}
    merchant.post(f"{BASE}products/lending-climate/plans/new/", plan)
    url = f"{BASE}tariffs/plans/{Plan.objects.get(product=product).pk}/new/"
    rows = {"components-TOTAL_FORMS": "1", "components-INITIAL_FORMS": "0", "components-0-code": "calls"}
    rows |= {"components-0-basis": "calls", "components-0-model": "per_unit", "components-0-price": "9.99"}
    head = {"from_date": "2026-10-20", "reason": "市场定价", "tax_rate": "0.06", "is_inclusive": "on", "file": "1"}
    merchant.post(url, rows | head | {"components-0-is_collected": "on"})
    assert Tariff.objects.get(plan__product=product).state == "accepted"
    assert "¥9.99" in text(merchant.get(f"{BASE}tariffs/"))


def test_a_merchants_product_is_changed_with_its_own_form(merchant):
    merchant.post(f"{BASE}products/new/redevelop/?type=index", form())
    url = f"{BASE}products/lending-climate/change/"
    assert "credit-pre-loan" in text(merchant.get(url))
    assert merchant.post(url, form(name_en="Renamed")).status_code == 302
    assert DataProduct.objects.get(code="lending-climate").name_en == "Renamed"


@pytest.mark.parametrize("changes", [{"built_on": []}, {"built_on": ["tax-check"]}, {"regime": "guided"}])
def test_a_wrong_ground_is_refused_beside_its_field(merchant, changes):
    answer = merchant.post(f"{BASE}products/new/redevelop/?type=index", form(**changes))
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, set(changes))


def test_an_enterprise_without_the_role_or_the_licence_sells_nothing(cast, clock):
    make_offer(cast, clock.now)
    for url in (BASE, f"{BASE}products/new/", f"{BASE}tariffs/"):
        assert acting(cast.buyer.owner).get(url).status_code == 403
    Membership.objects.filter(user=cast.buyer.owner).update(roles=["owner", "publisher"])
    client = acting(cast.buyer.owner)
    assert client.get(f"{BASE}products/new/").status_code == 200
    assert client.get(f"{BASE}products/new/redevelop/?type=index").status_code == 302


def test_scenario_45_an_operators_own_product_is_not_offered_to_it(cast, clock):
    offer = make_offer(cast, clock.now)
    assert offer.product.code not in text(acting(cast.operator.owner).get(f"{BASE}products/new/"))
