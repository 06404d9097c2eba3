"""Bundles by scenario: each part under its own cap, filed together, never the only way to buy a product."""

from datetime import date

import pytest

from pricing.models import Bundle, Plan, Tariff
from pricing.selectors import price_state
from pricing.tariffs.bundles import (
    BundleNotReady,
    BundlePartRefused,
    BundleRefused,
    bundle_close,
    bundle_draft,
    bundle_file,
    bundle_gaps,
    bundle_open,
    bundle_part_add,
    bundle_part_remove,
    bundles_of_product,
)
from pricing.tariffs.services import ClauseForbidden
from products.models import DataProduct, Notice
from products.organisations.selectors import RoleMissing
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

TODAY = date(2026, 10, 20)
PURPOSE = "industry.finance.pre_loan"


@pytest.fixture
def products(cast, clock):
    made = [make_product(cast, clock.now, code=code) for code in ("credit-score", "tax-check")]
    for product, cap in zip(made, ("0.50", "0.20"), strict=True):
        published(cast, product, caps(("calls", cap), ("year", "12000"), start=TODAY), clock.now)
        DataProduct.objects.filter(pk=product.pk).update(state="listed")
        product.refresh_from_db()
    return made


def draft(cast, at, **changes):
    fields = {"operator": cast.operator.organisation, "code": "lending", "name": "小微信贷套餐", "purpose": PURPOSE}
    fields |= {"scenario": "small-business-lending", "user": cast.operator.owner, "at": at}
    return bundle_draft(**(fields | changes))


@pytest.fixture
def bundle(cast, clock, products):
    made = draft(cast, clock.now)
    for product in products:
        bundle_part_add(bundle=made, product=product, user=cast.operator.owner, at=clock.now)
    return made


def file_parts(cast, bundle, prices, at, **more):
    parts = list(bundle.plans.order_by("id"))
    documents = {plan.pk: per_call(price) for plan, price in zip(parts, prices, strict=True)}
    named = {"from_date": TODAY, "reason": "按成本测算", "user": cast.operator.owner, "at": at}
    return bundle_file(bundle=bundle, documents=documents, **(named | more))


def sold_alone(cast, products, at):
    for product in products:
        filed(cast, make_plan(cast, product, at), per_call("0.20"), TODAY, at)


def test_a_bundle_goes_on_sale_with_a_tariff_for_each_part(cast, clock, products, bundle):
    sold_alone(cast, products, clock.now)
    assert [tariff.state for tariff in file_parts(cast, bundle, ("0.40", "0.15"), clock.now)] == ["filed", "filed"]
    opened = bundle_open(bundle=bundle, user=cast.operator.owner, at=clock.now)
    assert opened.state == "open"
    assert bundles_of_product(product=products[0]) == [bundle]
    assert Notice.objects.filter(kind="bundle.opened", user=cast.regulator.decider).exists()
    closed = bundle_close(bundle=opened, user=cast.operator.owner, reason="换代", at=clock.now)
    assert (closed.state, bundles_of_product(product=products[0])) == ("closed", [])
    assert set(Plan.objects.filter(bundle=bundle).values_list("state", flat=True)) == {"closed"}


def test_scenario_36_a_part_above_its_cap_is_refused_even_if_the_bundle_is_cheaper_in_total(cast, clock, products, bundle):
    """Alone 0.50 + 0.20 = 0.70; the bundle would be 0.30 + 0.25 = 0.55, but 0.25 is above the second product's cap of 0.20."""
    with pytest.raises(BundlePartRefused, match=r"0\.25") as refused:
        file_parts(cast, bundle, ("0.30", "0.25"), clock.now)
    assert (refused.value.refused.code, refused.value.part.product) == ("price_above_cap", products[1])
    assert refused.value.refused.counter_examples[0].cap == "0.20"
    assert not Tariff.objects.exists()


def test_the_tariffs_of_a_bundle_are_filed_together(cast, clock, bundle):
    first = bundle.plans.order_by("id")[0]
    named = {"from_date": TODAY, "reason": "x", "user": cast.operator.owner, "at": clock.now}
    with pytest.raises(BundleRefused, match="一并"):
        bundle_file(bundle=bundle, documents={first.pk: per_call("0.10")}, **named)


def test_scenario_44_a_bundle_is_never_the_only_way_to_buy_a_product(cast, clock, products, bundle):
    file_parts(cast, bundle, ("0.40", "0.15"), clock.now)
    filed(cast, make_plan(cast, products[0], clock.now), per_call("0.50"), TODAY, clock.now)
    with pytest.raises(BundleNotReady) as refused:
        bundle_open(bundle=bundle, user=cast.operator.owner, at=clock.now)
    assert [gap.code for gap in refused.value.gaps] == ["bundle_ties"]
    assert products[1].name in refused.value.gaps[0].message
    assert price_state(product=products[1], on=TODAY).kind == "missing"


def test_a_bundle_that_is_not_ready_says_all_that_is_missing(cast, clock, products):
    alone = draft(cast, clock.now)
    bundle_part_add(bundle=alone, product=products[0], user=cast.operator.owner, at=clock.now)
    DataProduct.objects.filter(pk=products[0].pk).update(state="suspended")
    codes = {gap.code for gap in bundle_gaps(bundle=alone, on=TODAY)}
    assert codes == {"too_few_parts", "part_not_listed", "part_not_priced", "bundle_ties"}


def test_a_later_cap_that_cuts_a_part_keeps_the_bundle_on_sale(cast, clock, products, bundle):
    sold_alone(cast, products, clock.now)
    file_parts(cast, bundle, ("0.40", "0.20"), clock.now)
    bundle_open(bundle=bundle, user=cast.operator.owner, at=clock.now)
    published(cast, products[1], caps(("calls", "0.10"), ("year", "12000"), start=date(2026, 12, 1)), clock.now)
    assert bundle_gaps(bundle=bundle, on=date(2026, 12, 1)) == []


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "welfare.education"}, {"purpose": "industry.nothing"}, {"scenario": "nowhere"}, {"code": "lending"}],
)
def test_a_bundle_needs_a_charged_purpose_a_scenario_and_a_code_of_its_own(cast, clock, bundle, changes):
    with pytest.raises(BundleRefused):
        draft(cast, clock.now, **({"code": "other"} | changes))


def test_a_bundle_may_not_bind_its_buyers(cast, clock, products):
    with pytest.raises(ClauseForbidden):
        draft(cast, clock.now, description="须同时购买清洗服务。")


def test_parts_are_the_operators_own_products_for_the_purpose_and_scenario_once(cast, clock, products, bundle):
    other = make_product(cast, clock.now, code="insurance", purposes=("industry.insurance",))
    foreign = make_product(cast, clock.now, code="foreign")
    DataProduct.objects.filter(pk=foreign.pk).update(operator=cast.operator_b.organisation)
    foreign.refresh_from_db()
    for product in (other, foreign, products[0]):
        with pytest.raises(BundleRefused):
            bundle_part_add(bundle=bundle, product=product, user=cast.operator.owner, at=clock.now)


def test_a_part_leaves_only_before_it_is_priced(cast, clock, bundle):
    first, second = bundle.plans.order_by("id")
    bundle_part_remove(bundle=bundle, plan=second, user=cast.operator.owner, at=clock.now)
    filed(cast, first, per_call("0.10"), TODAY, clock.now)
    with pytest.raises(BundleRefused):
        bundle_part_remove(bundle=bundle, plan=first, user=cast.operator.owner, at=clock.now)


def test_only_people_who_price_for_the_operator_touch_a_bundle(cast, clock, products, bundle):
    for person in (cast.operator.developer, cast.operator_b.owner, cast.regulator.decider):
        with pytest.raises(RoleMissing):
            draft(cast, clock.now, code="x", user=person)
        with pytest.raises(RoleMissing):
            bundle_open(bundle=bundle, user=person, at=clock.now)
        with pytest.raises(RoleMissing):
            bundle_close(bundle=bundle, user=person, reason="", at=clock.now)
    assert Bundle.objects.get().state == "draft"


def test_a_bundle_on_sale_does_not_change(cast, clock, products, bundle):
    sold_alone(cast, products, clock.now)
    file_parts(cast, bundle, ("0.40", "0.15"), clock.now)
    bundle_open(bundle=bundle, user=cast.operator.owner, at=clock.now)
    for act in (bundle_open, bundle_close):
        if act is bundle_open:
            with pytest.raises(BundleRefused):
                act(bundle=bundle, user=cast.operator.owner, at=clock.now)
    third = make_product(cast, clock.now, code="third")
    with pytest.raises(BundleRefused):
        bundle_part_add(bundle=bundle, product=third, user=cast.operator.owner, at=clock.now)
