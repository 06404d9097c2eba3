"""Products held together: which purchases complete a join rule, and the review that lets one through."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from products.catalogue import joins
from products.catalogue.concepts import CONCEPTS
from products.catalogue.models import JoinRule
from products.record.models import Case, Notice
from products.record.proposals import MakerIsChecker, ProposalDecided
from settlement.entitlements import joint
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_end, entitlement_open
from tests.factories.offers import make_offer

pytestmark = pytest.mark.django_db
PARTS = {"employment-check": ["person.employer"], "income-check": ["person.income_band"], "grid-index": ["place.grid"]}


@pytest.fixture
def rule(db) -> JoinRule:
    """Over three concepts that no seeded rule joins."""
    return JoinRule.objects.create(
        name="单位、收入与网格",
        concepts=["person.employer", "person.income_band", "place.grid"],
        explanation="…",
        from_date=date(2026, 1, 1),
    )


@pytest.fixture
def offers(cast, clock, rule):
    made = {code: make_offer(cast, clock.now, code) for code in PARTS}
    for code, concepts in PARTS.items():
        made[code].product.concepts = concepts
        made[code].product.save(update_fields=["concepts"])
    return made


def buy(cast, clock, offer, organisation=None) -> Entitlement:
    return entitlement_open(
        organisation=organisation or cast.buyer.organisation,
        product=offer.product,
        plan=offer.plan,
        purposes=["industry.finance"],
        scenario="consumer-credit",
        valid_from=clock.now,
        valid_to=clock.now + timedelta(days=90),
        at=clock.now,
    )


def codes(cast, clock, offer, **more):
    found = joint.join_check(organisation=cast.buyer.organisation, product=offer.product, at=clock.now, **more)
    return [(each.rule.name, [held.product.code for held in each.held]) for each in found]


@pytest.fixture
def two(cast, clock, offers):
    """The buyer has two of the three."""
    return [buy(cast, clock, offers[code]) for code in ("employment-check", "income-check")]


def test_the_purchase_that_completes_a_rule_is_refused_and_names_what_is_held(cast, clock, offers, two, rule):
    assert codes(cast, clock, offers["grid-index"]) == [(rule.name, ["employment-check", "income-check"])]
    with pytest.raises(joint.JoinReviewNeeded):
        buy(cast, clock, offers["grid-index"])
    assert Entitlement.objects.count() == 2


def test_another_buyer_with_none_of_them_buys_it(cast, clock, offers, two):
    assert buy(cast, clock, offers["grid-index"], cast.buyer_b.organisation).pk


def test_two_of_three_complete_nothing(cast, clock, offers):
    buy(cast, clock, offers["employment-check"])
    assert codes(cast, clock, offers["grid-index"]) == []


def test_what_has_ended_is_not_held_any_more(cast, clock, offers, two):
    entitlement_end(entitlement=two[0], reason="over", at=clock.now)
    assert codes(cast, clock, offers["grid-index"]) == []
    clock.move(days=91)
    assert codes(cast, clock, offers["employment-check"]) == []


def test_products_of_one_basket_count_together(cast, clock, offers, rule):
    buy(cast, clock, offers["employment-check"])
    pair = [offers["income-check"].product, offers["grid-index"].product]
    [finding] = joint.join_findings(organisation=cast.buyer.organisation, products=pair, at=clock.now)
    assert (finding.product, finding.rule) == (pair[1], rule)


def test_a_product_that_meets_the_rule_by_itself_completes_nothing(cast, clock, offers, two):
    offers["grid-index"].product.concepts = ["person.employer", "person.income_band", "place.grid"]
    assert codes(cast, clock, offers["grid-index"]) == []


def test_a_rule_that_has_not_begun_or_is_over_holds_nobody_back(cast, clock, offers, two, rule):
    JoinRule.objects.filter(pk=rule.pk).update(to_date=date(2026, 10, 19))
    assert codes(cast, clock, offers["grid-index"]) == []


@pytest.fixture
def review(cast, clock, offers, two, rule):
    return joint.join_review_request(
        organisation=cast.buyer.organisation,
        product=offers["grid-index"].product,
        rule=rule,
        statement="分库保存，两组人员",
        user=cast.buyer.owner,
        at=clock.now,
    )


def decide(review, user, clock, **changes):
    given = {"is_allowed": True, "reason": "可控", "conditions": "分库", "valid_to": date(2027, 6, 30)}
    return joint.join_review_decide(review=review, user=user, at=clock.now, **given | changes)


def test_an_allowance_lets_the_same_purchase_through_until_its_day(cast, clock, offers, review):
    assert (review.case.kind, review.case.handler, review.case.limit_days) == ("join_review", cast.authority.organisation, 10)
    assert review.held == [
        {"product": "employment-check", "concepts": ["person.employer"]},
        {"product": "income-check", "concepts": ["person.income_band"]},
    ]
    decide(review, cast.authority.owner, clock, valid_to=clock.now.date())
    assert Case.objects.get(pk=review.case.pk).outcome == "allowed"
    assert set(Notice.objects.filter(kind="join_review.allowed").values_list("user__email", flat=True)) >= {"owner@buyer.example"}
    assert buy(cast, clock, offers["grid-index"]).pk
    clock.move(days=1)
    with pytest.raises(joint.JoinReviewNeeded):
        buy(cast, clock, offers["grid-index"])


def test_a_refused_review_keeps_the_purchase_refused_and_may_be_asked_anew(cast, clock, offers, review, rule):
    decide(review, cast.data_bureau.reviewer, clock, is_allowed=False)
    with pytest.raises(joint.JoinReviewNeeded) as refused:
        buy(cast, clock, offers["grid-index"])
    assert refused.value.findings[0].review is None


def test_a_review_is_asked_once_at_a_time(cast, clock, offers, review, rule):
    with pytest.raises(joint.JoinReviewOpen):
        joint.join_review_request(
            organisation=cast.buyer.organisation,
            product=offers["grid-index"].product,
            rule=rule,
            statement="again",
            user=cast.buyer.owner,
            at=clock.now,
        )


@pytest.mark.parametrize("who", ["buyer.owner", "buyer.approver", "operator.owner", "regulator.owner", "platform.reviewer"])
def test_who_asked_or_has_no_say_does_not_decide(cast, clock, review, who):
    party, name = who.split(".")
    with pytest.raises(joint.JoinReviewNotYours):
        decide(review, getattr(getattr(cast, party), name), clock)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": " "}, joint.JoinStatementMissing),
        ({"conditions": ""}, joint.JoinStatementMissing),
        ({"valid_to": None}, joint.AllowanceWithoutTerm),
        ({"valid_to": date(2026, 10, 19)}, joint.AllowanceWithoutTerm),
    ],
)
def test_an_allowance_needs_reason_conditions_and_a_day(cast, clock, review, changes, refusal):
    with pytest.raises(refusal):
        decide(review, cast.authority.owner, clock, **changes)
    assert joint.reviews_of(organisation=cast.buyer.organisation).get().state == "requested"


def test_a_review_is_decided_once(cast, clock, review):
    decide(review, cast.authority.owner, clock)
    with pytest.raises(joint.JoinReviewDecided):
        decide(review, cast.data_bureau.reviewer, clock)


def propose(cast, clock, **changes):
    given = {
        "organisation": cast.data_bureau.organisation,
        "name": "车辆与不动产",
        "concepts": ["person.vehicle", "person.property"],
        "explanation": "合起来可知家庭财产",
        "from_date": date(2026, 11, 1),
        "user": cast.data_bureau.owner,
        "at": clock.now,
    }
    return joins.join_rule_propose(**given | changes)


def test_two_people_make_a_rule_and_two_end_it(cast, clock):
    proposal = propose(cast, clock)
    with pytest.raises(MakerIsChecker):
        joins.join_rule_agree(proposal=proposal, user=cast.data_bureau.owner, at=clock.now)
    rule = joins.join_rule_agree(proposal=proposal, user=cast.data_bureau.reviewer, at=clock.now)
    assert (rule.proposed_by, rule.decided_by) == (cast.data_bureau.owner, cast.data_bureau.reviewer)
    with pytest.raises(ProposalDecided):
        joins.join_rule_agree(proposal=proposal, user=cast.data_bureau.reviewer, at=clock.now)
    named = {"rule": rule, "organisation": cast.data_bureau.organisation, "reason": "被新规则取代", "at": clock.now}
    end = joins.join_rule_end_propose(to_date=date(2026, 12, 31), user=cast.data_bureau.reviewer, **named)
    assert joins.join_rule_agree(proposal=end, user=cast.data_bureau.owner, at=clock.now).to_date == date(2026, 12, 31)
    assert rule in joins.rules_in_force(on=date(2026, 12, 31)) and rule not in joins.rules_in_force(on=date(2027, 1, 1))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"explanation": ""}, "explanation"),
        ({"concepts": ["person.vehicle"]}, "concepts"),
        ({"concepts": ["person.vehicle", "person.dreams"]}, "concepts"),
        ({"concepts": ["person.vehicle", "aggregate.statistics"]}, "concepts"),
        ({"from_date": date(2026, 10, 20)}, "from_date"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_at_its_field(cast, clock, changes, field):
    with pytest.raises((joins.JoinRuleIncomplete, joins.JoinRuleTooEarly)) as refused:
        propose(cast, clock, **changes)
    assert refused.value.field == field


def test_an_authorising_body_makes_no_rules(cast, clock):
    with pytest.raises(joins.NotYourJoinRules):
        propose(cast, clock, organisation=cast.authority.organisation, user=cast.authority.owner)


@pytest.mark.parametrize("change", ["name = 'x'", "from_date = '2025-01-01'", "concepts = '{a,b}'"])
def test_the_database_keeps_content_and_start_of_a_rule(rule, change):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE products_joinrule SET {change} WHERE id = %s", [rule.pk])


def test_the_end_of_a_rule_is_set_once(rule):
    JoinRule.objects.filter(pk=rule.pk).update(to_date=date(2026, 12, 31))
    with pytest.raises(IntegrityError), transaction.atomic():
        JoinRule.objects.filter(pk=rule.pk).update(to_date=date(2027, 12, 31))


def test_the_example_rules_speak_of_known_concepts():
    from importlib import import_module

    examples = import_module("products.migrations.0014_join_rules_are_kept").EXAMPLES
    assert len(examples) == 3
    assert all(set(concepts) <= set(CONCEPTS) for _zh, _en, concepts, *_rest in examples)
