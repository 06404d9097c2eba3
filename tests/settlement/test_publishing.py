"""Re-developed products: licensed, at market prices, outside permitted revenue; the operator's own refused, affiliates flagged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pricing.revenue.services import cap_draft
from pricing.selectors import price_state
from pricing.tariffs.models import Plan
from pricing.tariffs.redevelopment import (
    RedevelopmentNotOpen,
    RedevelopmentReasonMissing,
    affiliate_decide,
    affiliate_flag,
)
from pricing.tariffs.services import PriceAboveCap, tariff_file
from products.catalogue.models import DataProduct, ReviewRecord
from products.catalogue.publishing import PublishRefused
from products.catalogue.redevelopment import affiliate_case, are_affiliates, controller_of
from products.catalogue.services import ListingRefused, product_list, review_decide
from products.catalogue.spec import SpecRefused, spec_checked
from products.models import AuditEntry, Membership, Notice, Organisation
from products.organisations.selectors import RoleMissing
from products.record.cases import CaseNotOpen
from products.record.refusals import Refused
from products.runtimes.base import Secrets
from settlement.entitlements.models import Entitlement
from settlement.publishing import product_file, product_offer
from tests.factories.ground import make_authorisation as authorise
from tests.factories.ground import make_registration, make_resource
from tests.factories.offers import make_offer
from tests.pricing.market import caps, per_call, published

pytestmark = pytest.mark.django_db
DATA = b"date,vintage,value\n2026-01-31,2026-02-10,101.5\n2026-02-28,2026-03-10,99.8\n"


def raw(operator, **changes):
    """A merchant's index on the operator's score."""
    spec = {
        "code": "lending-climate",
        "operator": operator.slug,
        "type": "index",
        "name": {"zh": "小微信贷景气指数", "en": "Lending climate"},
        "summary": {"zh": "由数据商在评分产品上开发。", "en": "Built by a data merchant on the score."},
        "built_on": ["credit-pre-loan"],
        "purposes": ["industry.finance"],
        "scenarios": ["small-business-lending"],
        "release": {
            "data": "data.csv",
            "config": {"series": {"composite": {"unit": "2020=100", "label": "综合"}}},
            "samples": [{"ask": "latest"}],
        },
    }
    return {name: value for name, value in (spec | changes).items() if value is not None}


def file(operator, at, by, **changes):
    spec = spec_checked(raw(operator, **changes), data=DATA)
    return product_file(spec=spec, secrets=Secrets(product_key=lambda _code: bytes(32), link_key=b"x"), by=by, at=at)


def licence(cast, offer, at, organisation, purposes=("sector.data_services",)):
    return Entitlement.objects.create(
        code=f"E-{organisation.slug}",
        organisation=organisation,
        operator=offer.product.operator,
        product=offer.product,
        plan=offer.plan,
        purposes=list(purposes),
        scenario="price-analysis",
        valid_from=at,
        valid_to=at + timedelta(days=90),
        anchor_date=at.date(),
        created_at=at,
    )


@pytest.fixture
def offer(cast, clock):
    return make_offer(cast, clock.now)


@pytest.fixture
def merchant(cast, clock, offer):
    """An enterprise that may re-develop the score, and prices for itself."""
    Membership.objects.filter(user=cast.buyer.owner).update(roles=["owner", "buyer", "publisher", "pricing"])
    licence(cast, offer, clock.now, cast.buyer.organisation)
    return cast.buyer


def gaps(refused):
    return [gap.code for gap in refused.value.gaps]


def test_scenario_46_a_merchants_product_has_a_market_price_no_cap_and_no_part_in_permitted_revenue(cast, clock, offer, merchant):
    filed = file(merchant.organisation, clock.now, merchant.owner)
    product = filed.published.product
    assert (product.regime, product.authorisation, list(product.built_on.all())) == ("market", None, [offer.product])
    assert filed.flag is None
    plan_fields = {"name": "标准版", "purposes": ["industry.finance"], "created_at": clock.now}
    plan = Plan.objects.create(product=product, code="standard", **plan_fields)
    named = {"from_date": clock.now.date(), "user": merchant.owner, "reason": "市场定价", "at": clock.now}
    tariff = tariff_file(plan=plan, document=per_call("9.99"), **named)
    assert (tariff.state, tariff.case) == ("accepted", None)
    assert price_state(product=product, on=clock.now.date()).kind == "priced"
    with pytest.raises(Refused):
        cap_draft(
            product=product, document=caps(("calls", "0.50"), start=clock.now.date()), user=cast.authority.owner, at=clock.now
        )
    assert product not in DataProduct.objects.filter(authorisation=offer.authorisation)


def test_a_merchants_product_goes_on_sale_by_the_same_reviews(cast, clock, offer, merchant):
    product = file(merchant.organisation, clock.now, merchant.owner).published.product
    for review in product.reviews.filter(state=ReviewRecord.State.REQUESTED):
        review_decide(review=review, is_passed=True, reason="合规", by=cast.data_bureau.reviewer, at=clock.now)
    plan = Plan.objects.create(product=product, code="s", name="s", purposes=["industry.finance"], created_at=clock.now)
    named = {"from_date": clock.now.date(), "user": merchant.owner, "reason": "市场定价", "at": clock.now}
    tariff_file(plan=plan, document=per_call("9.99"), **named)
    Organisation.objects.filter(pk=merchant.organisation.pk).update(controlled_by=cast.operator.organisation)
    product.refresh_from_db()
    listed = product_offer(product=DataProduct.objects.get(pk=product.pk), by=merchant.owner, at=clock.now)
    assert listed.state == "listed"
    assert affiliate_case(listed).handler == cast.regulator.organisation  # the control came after the filing


@pytest.mark.parametrize("purposes", [("industry.finance",), ("sector.weather",)])
def test_a_right_for_another_purpose_is_no_licence_to_build_on(cast, clock, offer, purposes):
    Membership.objects.filter(user=cast.buyer.owner).update(roles=["owner", "publisher"])
    licence(cast, offer, clock.now, cast.buyer.organisation, purposes)
    with pytest.raises(PublishRefused) as refused:
        file(cast.buyer.organisation, clock.now, cast.buyer.owner)
    assert gaps(refused) == ["licence_missing"]
    assert not DataProduct.objects.filter(code="lending-climate").exists()


def test_a_licence_that_has_ended_is_none(cast, clock, offer, merchant):
    clock.move(days=91)
    with pytest.raises(PublishRefused) as refused:
        file(merchant.organisation, clock.now, merchant.owner)
    assert gaps(refused) == ["licence_missing"]


def test_scenario_45_an_operator_does_not_re_develop_its_own_product_directly_or_indirectly(cast, clock, offer, merchant):
    with pytest.raises(PublishRefused) as refused:
        file(cast.operator.organisation, clock.now, cast.operator.owner)
    assert gaps(refused) == ["redevelopment_own"]
    between = file(merchant.organisation, clock.now, merchant.owner).published.product
    DataProduct.objects.filter(pk=between.pk).update(state="listed")
    bought = Entitlement.objects.get()
    bought.pk, bought.code, bought.product, bought.plan = None, "E-2", between, offer.plan
    bought.organisation = cast.operator.organisation
    bought.save(force_insert=True)
    with pytest.raises(PublishRefused) as refused:
        file(cast.operator.organisation, clock.now, cast.operator.owner, code="round-trip", built_on=[between.code])
    assert gaps(refused) == ["redevelopment_own"]


def test_scenario_45_an_affiliates_product_is_flagged_to_the_price_regulator(cast, clock, offer, merchant):
    group = cast.nonprofit.organisation  # stands for a holding: control over two steps
    Organisation.objects.filter(pk=cast.operator_b.organisation.pk).update(controlled_by=group)
    Organisation.objects.filter(pk=merchant.organisation.pk).update(controlled_by=cast.operator_b.organisation)
    Organisation.objects.filter(pk=cast.operator.organisation.pk).update(controlled_by=group)
    filed = file(merchant.organisation, clock.now, merchant.owner)
    assert (filed.flag.kind, filed.flag.handler) == ("affiliate_redevelopment", cast.regulator.organisation)
    assert Notice.objects.filter(kind="redevelopment.flagged", user=cast.regulator.decider).exists()
    again = affiliate_flag(product=filed.published.product, user=merchant.owner, at=clock.now)
    assert again == filed.flag


@pytest.fixture
def flagged(cast, clock, merchant):
    Organisation.objects.filter(pk=merchant.organisation.pk).update(controlled_by=cast.operator.organisation)
    filed = file(merchant.organisation, clock.now, merchant.owner)
    DataProduct.objects.filter(pk=filed.published.product.pk).update(state="listed")
    return filed


def test_the_regulator_decides_with_a_reason_and_once(cast, clock, merchant, flagged):
    decided = {"case": flagged.flag, "outcome": "independent", "at": clock.now}
    for person in (merchant.owner, cast.operator.owner, cast.authority.checker):
        with pytest.raises(RoleMissing):
            affiliate_decide(user=person, reason="x", **decided)
    with pytest.raises(RedevelopmentReasonMissing):
        affiliate_decide(user=cast.regulator.decider, reason=" ", **decided)
    with pytest.raises(RedevelopmentNotOpen):
        affiliate_decide(user=cast.regulator.decider, reason="x", **(decided | {"outcome": "perhaps"}))
    affiliate_decide(user=cast.regulator.decider, reason="独立核算、价格公允", **decided)
    product = flagged.published.product
    product.refresh_from_db()
    assert (affiliate_case(product).outcome, product.state) == ("independent", "listed")
    assert AuditEntry.objects.get(action="redevelopment.decided").facts["outcome"] == "independent"
    with pytest.raises(CaseNotOpen):
        affiliate_decide(user=cast.regulator.decider, reason="again", **decided)


def test_a_product_sold_for_the_operator_leaves_the_shop(cast, clock, merchant, flagged):
    affiliate_decide(case=flagged.flag, outcome="same_control", reason="人财物未分开", user=cast.regulator.decider, at=clock.now)
    product = flagged.published.product
    product.refresh_from_db()
    assert (product.state, product.state_reason) == ("suspended", "人财物未分开")
    with pytest.raises(ListingRefused) as refused:
        product_list(product=product, price_state=None, by=merchant.owner, at=clock.now)
    assert "redevelopment_by_affiliate" in gaps(refused)


def test_control_is_followed_to_the_top_and_never_round_a_circle(cast):
    one, two, three = (party.organisation for party in (cast.buyer, cast.buyer_b, cast.operator))
    assert not are_affiliates(one, two)
    one.controlled_by, two.controlled_by = three, three
    assert are_affiliates(one, two) and are_affiliates(one, three) and not are_affiliates(one, one)
    three.controlled_by = one
    assert controller_of(one) == controller_of(two) == controller_of(three)


def test_an_operator_cannot_escape_its_cap_by_calling_its_price_a_market_price(cast, clock):
    resource = make_resource(cast, clock.now, code="JZ-1", has_security_impact=True)
    make_registration(cast, clock.now, resource)
    scope = [(resource, "index", "industry.finance", "small-business-lending")]
    authorise(cast, clock.now, scope=scope, number="江数授〔2026〕9号")
    ground = {"built_on": None, "authorisation": "江数授〔2026〕9号", "resources": ["JZ-1"], "regime": "market"}
    with pytest.raises(PublishRefused) as refused:
        file(cast.operator.organisation, clock.now, cast.operator.owner, **ground)
    assert gaps(refused) == ["market_without_base"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"authorisation": "X"}, "/authorisation"),
        ({"resources": ["R"]}, "/resources"),
        ({"built_on": None}, "/resources"),
        ({"built_on": ["no-such-product"]}, "/built_on/0"),
    ],
)
def test_a_spec_stands_on_one_ground_that_is_known(cast, clock, merchant, changes, pointer):
    with pytest.raises(SpecRefused) as refused:
        file(merchant.organisation, clock.now, merchant.owner, **changes)
    assert pointer in [error["pointer"] for error in refused.value.errors]


def test_a_re_developed_product_has_no_guided_price(cast, clock, merchant):
    with pytest.raises(PublishRefused) as refused:
        file(merchant.organisation, clock.now, merchant.owner, regime="guided", necessity="x")
    assert gaps(refused) == ["redevelopment_regime"]


def test_an_authority_or_a_bureau_publishes_nothing(cast, clock, offer):
    licence(cast, offer, clock.now, cast.provider.organisation)
    with pytest.raises(PublishRefused) as refused:
        file(cast.provider.organisation, clock.now, cast.provider.owner)
    assert gaps(refused) == ["seller_kind"]


# --- A spec's tariffs ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ground(cast, clock):
    resource = make_resource(cast, clock.now, code="JZ-1", has_security_impact=True)
    make_registration(cast, clock.now, resource)
    scope = [(resource, "index", "industry.finance", "small-business-lending")]
    authorise(cast, clock.now, scope=scope, number="江数授〔2026〕9号")
    return {"built_on": None, "authorisation": "江数授〔2026〕9号", "resources": ["JZ-1"], "necessity": "弥补成本"}


def entry(price="0.40", **changes):
    plan = {"plan": "standard", "name": "标准版", "purposes": ["industry.finance"], "document": per_call(price)}
    return plan | {"reason": "按成本测算"} | changes


def test_a_specs_tariff_waits_for_its_cap_and_is_filed_once(cast, clock, ground):
    def again(price="0.40"):
        return file(cast.operator.organisation, clock.now, cast.operator.owner, tariffs=[entry(price)], **ground)

    first = again()
    assert (first.tariffs, list(first.waiting)) == ([], ["standard"])
    published(cast, first.published.product, caps(("calls", "0.50"), start=clock.now.date()), clock.now)
    assert [tariff.version for tariff in again().tariffs] == [1]
    assert again().tariffs == []


def test_a_specs_tariff_above_its_cap_refuses_the_whole_filing(cast, clock, ground):
    product = file(cast.operator.organisation, clock.now, cast.operator.owner, **ground).published.product
    published(cast, product, caps(("calls", "0.50"), start=clock.now.date()), clock.now)
    changed = {"name": {"zh": "改名", "en": "Renamed"}, "tariffs": [entry("0.51")]}
    with pytest.raises(PriceAboveCap):
        file(cast.operator.organisation, clock.now, cast.operator.owner, **changed, **ground)
    product.refresh_from_db()
    assert (product.name, Plan.objects.count()) == ("小微信贷景气指数", 0)


@pytest.mark.parametrize("wrong", [{"plan": ""}, {"colour": "red"}, {"from": "soon"}, {"document": None}])
def test_a_specs_tariff_entry_is_read_strictly(cast, clock, ground, wrong):
    with pytest.raises(SpecRefused) as refused:
        file(cast.operator.organisation, clock.now, cast.operator.owner, tariffs=[entry(**wrong)], **ground)
    assert refused.value.errors[0]["pointer"] == f"/tariffs/0/{next(iter(wrong))}"
