"""The product's page: price with its legal basis, price at my use by the one quote, buying and its refusals."""

from __future__ import annotations

import pytest
from django.test import Client

from market.storefront.models import BasketContext
from pricing.quote import quote
from products.organisations.models import Organisation
from tests.factories.cast import Cast
from tests.factories.offers import TARIFF, make_offer, make_product

pytestmark = pytest.mark.django_db
BUY = {
    "product": "credit-pre-loan",
    "plan": "standard",
    "purpose": "industry.finance.pre_loan",
    "scenario": "small-business-lending",
}


def test_the_page_names_price_cap_document_date_and_complaint_channel(cast: Cast, clock, client: Client):
    Organisation.objects.filter(pk=cast.operator.organisation.pk).update(complaint_contact="0574-12345")
    make_offer(cast, clock.now)
    page = client.get("/products/credit-pre-loan/").content.decode()
    for needed in (
        "¥0.50",
        "¥12,000.00",
        "甬发改价〔2026〕8号",
        "2026-03-01",
        "0574-12345",
        "DJ-credit-pre-loan",
        "江数授〔2026〕001号",
    ):
        assert needed in page


def test_the_price_at_my_use_is_the_quote_of_a_whole_month(cast: Cast, clock, client: Client):
    make_offer(cast, clock.now)
    month = {"from": "2026-11-01", "to": "2026-12-01", "anchor": "2026-10-20"}  # a right bought today: its year begins today
    expected = quote(TARIFF, {"units": {"calls": "12000"}, **month, "discounts": []})
    page = client.get("/products/credit-pre-loan/price/?plan=standard&units-calls=12,000")
    assert page.context["quote"] == expected and f"¥{float(expected['total']):,.2f}" in page.content.decode()


@pytest.mark.parametrize("typed", ["abc", "-5", "1e99", "NaN", "0.1234567"])
def test_a_use_that_is_no_number_is_told_and_priced_as_nothing(cast: Cast, clock, client: Client, typed: str):
    make_offer(cast, clock.now)
    page = client.get(f"/products/credit-pre-loan/price/?units-calls={typed}")
    assert page.status_code == 200 and "quote" not in page.context


def test_a_draft_is_not_there_and_a_free_product_has_no_basket(cast: Cast, clock, sign_in):
    make_product(cast, clock.now, "draft", state="draft")
    make_product(cast, clock.now, "gratis", regime="free", purposes=["governance.statistics"])
    client = sign_in(cast.buyer.owner)
    assert client.get("/products/draft/").status_code == 404
    assert "/basket/add/" not in client.get("/products/gratis/").content.decode()
    assert client.post("/basket/add/", BUY | {"product": "gratis"}).status_code == 404


def test_the_page_takes_a_bounded_number_of_queries(cast: Cast, clock, sign_in, django_assert_max_num_queries):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    with django_assert_max_num_queries(21):
        assert client.get("/products/credit-pre-loan/").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "industry.trade"},
        {"purpose": "welfare.relief"},
        {"scenario": "port-logistics"},
        {"plan": "no"},
        {"top_up": "-1"},
    ],
)
def test_what_is_not_offered_does_not_get_into_a_basket(cast: Cast, clock, sign_in, wrong: dict[str, str]):
    make_offer(cast, clock.now)
    assert sign_in(cast.buyer.owner).post("/basket/add/", BUY | wrong).status_code == 422
    assert not BasketContext.objects.exists()


def test_an_unverified_organisation_and_a_developer_do_not_buy(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now)
    assert sign_in(cast.buyer.developer).post("/basket/add/", BUY).status_code == 422
    Organisation.objects.filter(pk=cast.buyer.organisation.pk).update(state="unverified")
    assert sign_in(cast.buyer.owner).post("/basket/add/", BUY).status_code == 422
    assert not BasketContext.objects.exists()


def test_a_prepaid_plan_asks_for_a_deposit(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now, is_prepaid=True)
    client = sign_in(cast.buyer.owner)
    assert client.post("/basket/add/", BUY).status_code == 422
    assert client.post("/basket/add/", BUY | {"top_up": "100.00"}).status_code == 302


def test_another_organisations_basket_is_not_there(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now)
    sign_in(cast.buyer.owner).post("/basket/add/", BUY)
    context = BasketContext.objects.get()
    line = context.basket.lines.get()
    other = sign_in(cast.buyer_b.owner)
    assert other.get(f"/checkout/{context.basket_id}/").status_code == 404
    assert other.post(f"/basket/lines/{line.pk}/", {"remove": "1"}).status_code == 404
    assert context.basket.lines.exists()


def test_the_language_switch_changes_the_page_and_stays_with_the_person(cast: Cast, sign_in, client: Client):
    assert 'lang="zh-Hans"' in client.get("/", headers={"Accept-Language": "en"}).content.decode()
    person = sign_in(cast.buyer.owner)
    person.post("/language/", {"language": "en", "next": "/products/"})
    assert '<html lang="en">' in person.get("/").content.decode()
    cast.buyer.owner.refresh_from_db()
    assert cast.buyer.owner.language == "en"
    assert person.post("/language/", {"language": "en", "next": "//elsewhere.example/"})["Location"] == "/"
