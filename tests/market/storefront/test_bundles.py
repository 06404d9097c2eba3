"""A bundle in the shop: all parts into one basket, bought whole, no part alone."""

from __future__ import annotations

import pytest
from oscar.core.loading import get_model

from market.storefront import baskets, bundles, purchase
from pricing.models import Plan, Tariff
from pricing.tariffs.models import Bundle
from tests.factories.offers import BEFORE, USAGE_ONLY, make_offer

pytestmark = pytest.mark.django_db
PURPOSE, SCENARIO = "industry.finance", "small-business-lending"


@pytest.fixture
def bundle(cast, clock):
    """Two offers, and the same products as a bundle at lower prices."""
    offers = [make_offer(cast, clock.now, code, document=USAGE_ONLY) for code in ("credit-pre-loan", "tax-check")]
    made = Bundle.objects.create(
        operator=cast.operator.organisation,
        code="lending",
        name="小微信贷套餐",
        name_en="Lending bundle",
        purpose=PURPOSE,
        scenario=SCENARIO,
        state="open",
        made_by=cast.operator.owner,
        made_at=clock.now,
    )
    for offer in offers:
        plan = Plan.objects.create(
            product=offer.product, code="b-lending", name=made.name, purposes=[PURPOSE], bundle=made, created_at=clock.now
        )
        Tariff.objects.create(
            plan=plan,
            version=1,
            document=USAGE_ONLY,
            digest="0" * 64,
            period=offer.tariff.period,
            state="accepted",
            filed_by=cast.operator.owner,
            filed_at=BEFORE,
        )
    return made


def put(cast, bundle, at):
    return bundles.bundle_add(
        membership=cast.buyer.owner.memberships.get(), bundle=bundle, units={}, user=cast.buyer.owner, at=at
    )


def view(cast, at):
    return baskets.baskets_of(organisation=cast.buyer.organisation, at=at)[0]


def test_all_parts_go_into_one_basket_of_the_bundles_purpose_and_scenario(cast, clock, bundle):
    put(cast, bundle, clock.now)
    found = view(cast, clock.now)
    assert (found.context.purpose, found.context.scenario, len(found.lines)) == (PURPOSE, SCENARIO, 2)
    assert {line.choice.plan.bundle_id for line in found.lines} == {bundle.pk}


def test_no_part_is_sold_alone(cast, clock, bundle):
    plan = bundle.plans.first()
    asked = {"membership": cast.buyer.owner.memberships.get(), "purpose": PURPOSE, "scenario": SCENARIO, "expected_units": {}}
    with pytest.raises(baskets.SoldInBundleOnly):
        baskets.basket_add(product=plan.product, plan=plan, user=cast.buyer.owner, at=clock.now, **asked)
    put(cast, bundle, clock.now)
    single = plan.product.plans.get(bundle=None)
    with pytest.raises(baskets.SoldInBundleOnly, match="组合套餐"):
        baskets.basket_add(product=plan.product, plan=single, user=cast.buyer.owner, at=clock.now, **asked)


def test_a_part_taken_out_takes_its_bundle_with_it(cast, clock, bundle):
    put(cast, bundle, clock.now)
    line = view(cast, clock.now).lines[0].line
    baskets.line_remove(organisation=cast.buyer.organisation, line=line.pk)
    assert baskets.baskets_of(organisation=cast.buyer.organisation, at=clock.now) == []


def test_a_bundle_is_bought_whole(cast, clock, bundle):
    put(cast, bundle, clock.now)
    first = view(cast, clock.now).lines[0].line
    get_model("basket", "Line").objects.filter(pk=first.pk).delete()
    rest = view(cast, clock.now)
    with pytest.raises(bundles.BundleNotWhole, match="小微信贷套餐"):
        purchase.order_without_payment(
            membership=cast.buyer.owner.memberships.get(),
            basket=rest.basket.pk,
            digest="",
            user=cast.buyer.owner,
            at=clock.now,
        )


def test_a_bundle_is_ordered_with_an_entitlement_for_each_part(cast, clock, bundle):
    put(cast, bundle, clock.now)
    membership = cast.buyer.owner.memberships.get()
    shown = view(cast, clock.now)
    digest = purchase.agreed(membership=membership, view=shown).digest
    purchase.order_without_payment(
        membership=membership, basket=shown.basket.pk, digest=digest, user=cast.buyer.owner, at=clock.now
    )
    held = cast.buyer.organisation.entitlements.select_related("plan")
    assert {entitlement.plan.bundle_id for entitlement in held} == {bundle.pk}
    assert held.count() == 2


def test_a_bundle_that_left_the_shop_is_not_sold(cast, clock, bundle):
    Bundle.objects.filter(pk=bundle.pk).update(state="closed")
    bundle.refresh_from_db()
    with pytest.raises(baskets.ProductNotOnSale):
        put(cast, bundle, clock.now)


def test_the_page_shows_each_part_under_its_cap_with_the_total(cast, clock, client, bundle):
    page = client.get("/bundles/lending/").content.decode()
    assert page.count("甬发改价〔2026〕8号") >= 2
    assert "¥400.00" in page  # twice 1,000 calls at 0.20
    first, second = bundle.plans.order_by("id")
    asked = {f"{first.pk}-units-calls": "10", f"{second.pk}-units-calls": "0"}
    assert "¥2.00" in client.get("/bundles/lending/price/", asked).content.decode()
    assert "lending" in client.get("/products/tax-check/").content.decode()
    assert client.get("/bundles/nothing/").status_code == 404


def test_a_bundle_is_bought_on_its_page(cast, bundle, sign_in):
    client = sign_in(cast.buyer.owner)
    first = bundle.plans.order_by("id")[0]
    wrong = client.post("/bundles/lending/buy/", {f"{first.pk}-units-calls": "many"})
    assert wrong.status_code == 422
    assert client.post("/bundles/lending/buy/", {f"{first.pk}-units-calls": "12"}).url == "/basket/"
    assert client.get("/basket/").content.decode().count("小微信贷套餐") >= 2
    assert sign_in(cast.buyer.developer).post("/bundles/lending/buy/").status_code == 403
    assert client.get("/bundles/lending/buy/").status_code == 405


def test_a_draft_is_not_shown_and_the_list_takes_a_fixed_number_of_queries(cast, bundle, client, django_assert_num_queries):
    client.get("/bundles/")
    with django_assert_num_queries(2):
        client.get("/bundles/")
    Bundle.objects.update(state="draft")
    assert client.get("/bundles/lending/").status_code == 404
    assert "lending" not in client.get("/bundles/").content.decode()
