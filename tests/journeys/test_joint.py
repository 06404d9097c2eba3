"""Scenario 71: a buyer whose products together would re-identify persons needs a review before the purchase that completes them."""

from __future__ import annotations

from datetime import date

import pytest

from products.catalogue.models import DataProduct, JoinRule
from products.record.models import Case
from settlement.entitlements.models import Entitlement, JoinReview
from settlement.payments.models import PaymentIntent
from tests.factories.offers import USAGE_ONLY, make_grant, make_offer
from tests.journeys.test_purchase import check_out, put_into_basket

pytestmark = pytest.mark.django_db
PARTS = {"employer-check": ["person.employer"], "income-check": ["person.income_band"], "grid-index": ["place.grid"]}


@pytest.fixture
def rule(cast, clock) -> JoinRule:
    for code, concepts in PARTS.items():
        product = make_offer(cast, clock.now, code, document=USAGE_ONLY).product
        product.concepts = concepts
        product.save(update_fields=["concepts"])
    joined = ["person.employer", "person.income_band", "place.grid"]
    return JoinRule.objects.create(name="单位收入网格", concepts=joined, explanation="合起来指向个人", from_date=date(2026, 1, 1))


def order(client, code: str) -> str:
    return check_out(client, put_into_basket(client, code))


def test_scenario_71_the_purchase_that_completes_a_rule_waits_for_a_review_and_then_goes_through(cast, clock, sign_in, rule):
    buyer, reviewer = sign_in(cast.buyer.owner), sign_in(cast.authority.owner)
    for code in ("employer-check", "income-check"):
        order(buyer, code)
    basket = put_into_basket(buyer, "grid-index")
    refused = buyer.get(f"/checkout/{basket}/")
    said = refused.content.decode()
    assert refused.status_code == 403 and "employer-check" in {each.product.code for each in refused.context["findings"][0].held}
    ask = f"/console/buyer/joins/new/?product=grid-index&rule={rule.pk}"
    assert ask.replace("&", "&amp;") in said
    assert buyer.post(f"/checkout/{basket}/", {"accept": "on"}).status_code == 403 and not PaymentIntent.objects.exists()

    assert buyer.post(ask, {"statement": ""}).status_code == 422
    asked = buyer.post(ask, {"statement": "两组人员分别使用，结果不合并"})
    review = JoinReview.objects.get()
    assert asked["Location"] == f"/console/buyer/joins/{review.pk}/"
    assert buyer.get(asked["Location"]).status_code == 200 and buyer.get(f"/checkout/{basket}/").status_code == 403

    page = f"/console/platform/joins/{review.pk}/"
    assert "两组人员" in reviewer.get(page).content.decode()
    wrong = reviewer.post(page, {"decision": "allow", "reason": "可控", "conditions": "", "valid_to": "2027-06-30"})
    assert wrong.status_code == 422 and "可控" in wrong.content.decode()
    given = {"decision": "allow", "reason": "可控", "conditions": "分库保存", "valid_to": "2027-06-30"}
    assert reviewer.post(page, given).status_code == 302
    assert Case.objects.get(kind="join_review").outcome == "allowed"
    assert "分库保存" in buyer.get(asked["Location"]).content.decode()
    assert check_out(buyer, basket).startswith("/checkout/done/")
    assert set(Entitlement.objects.values_list("product__code", flat=True)) == set(PARTS)


def test_a_refused_review_tells_the_reason_and_how_to_object(cast, clock, sign_in, rule):
    buyer, bureau = sign_in(cast.buyer.owner), sign_in(cast.data_bureau.reviewer)
    for code in ("employer-check", "income-check"):
        order(buyer, code)
    buyer.post(f"/console/buyer/joins/new/?product=grid-index&rule={rule.pk}", {"statement": "研究"})
    review = JoinReview.objects.get()
    bureau.post(f"/console/platform/joins/{review.pk}/", {"decision": "refuse", "reason": "无必要"})
    said = buyer.get(f"/console/buyer/joins/{review.pk}/").content.decode()
    assert "无必要" in said and "0574-12345" in said


def test_a_grant_that_completes_a_rule_waits_too(cast, clock, sign_in, rule):
    nonprofit = cast.nonprofit
    for code in ("employer-check", "income-check"):
        Entitlement.objects.create(
            code=f"E-{code}",
            organisation=nonprofit.organisation,
            operator=cast.operator.organisation,
            product=DataProduct.objects.get(code=code),
            plan=DataProduct.objects.get(code=code).plans.get(),
            purposes=["industry.finance"],
            scenario="consumer-credit",
            valid_from=clock.now,
            valid_to=clock.now.replace(year=2027),
            anchor_date=clock.now.date(),
            created_at=clock.now,
        )
    grant = make_grant(cast, clock.now, DataProduct.objects.get(code="grid-index"))
    client = sign_in(nonprofit.owner)
    assert client.get(f"/checkout/grant/{grant.number}/").status_code == 403
    assert client.post(f"/checkout/grant/{grant.number}/", {"accept": "on"}).status_code == 403
    assert not Entitlement.objects.filter(grant=grant).exists()


def test_nobody_asks_for_a_review_that_is_not_needed(cast, clock, sign_in, rule):
    assert sign_in(cast.buyer.owner).get(f"/console/buyer/joins/new/?product=grid-index&rule={rule.pk}").status_code == 404
