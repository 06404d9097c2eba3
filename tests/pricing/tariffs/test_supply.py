"""Refusals to supply: with a reason or not at all, complained about, lifted once, never edited, counted without names."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from pricing.tariffs.models import SupplyRefusal
from pricing.tariffs.supply import (
    NoComplaint,
    RefusalGroundUnknown,
    RefusalNotOpen,
    RefusalReasonMissing,
    RefusedAlready,
    SupplyRefused,
    open_refusal,
    refusals_of,
    statistics,
    supply_check,
    supply_complain,
    supply_let_stand,
    supply_lift,
    supply_order_lifted,
    supply_refuse,
)
from products.models import Membership, User
from products.organisations.models import Role
from products.organisations.selectors import RoleMissing
from products.record.models import AuditEntry, Notice
from tests.pricing.market import make_product

REASON = "贵单位的调用环境未通过等级保护测评。"


@pytest.fixture
def product(cast, clock):
    return make_product(cast, clock.now)


@pytest.fixture
def refusal(cast, clock, product):
    return refuse(cast, product, clock.now)


def refuse(cast, product, at, **changes):
    facts = {"organisation": cast.buyer.organisation, "ground": "security", "reason": REASON, "user": cast.operator.owner}
    return supply_refuse(product=product, at=at, **facts | changes)


def test_a_refusal_without_a_reason_or_a_ground_is_impossible(cast, clock, product):
    for reason in ("", "   ", "不行"):
        with pytest.raises(RefusalReasonMissing):
            refuse(cast, product, clock.now, reason=reason)
    with pytest.raises(RefusalGroundUnknown):
        refuse(cast, product, clock.now, ground="dislike")
    with pytest.raises(RefusalGroundUnknown):
        refuse(cast, product, clock.now, organisation=cast.operator.organisation)
    with pytest.raises(IntegrityError), transaction.atomic():
        SupplyRefusal.objects.create(
            product=product,
            organisation=cast.buyer.organisation,
            ground="security",
            reason="",
            refused_by=cast.operator.owner,
            refused_at=clock.now,
        )
    assert not SupplyRefusal.objects.exists()


def test_the_refused_organisation_is_told_why_and_how_to_complain_and_nobody_else_is_refused(cast, product, refusal):
    with pytest.raises(SupplyRefused) as said:
        supply_check(products=[product], organisation=cast.buyer.organisation)
    assert REASON in str(said.value) and "12315" in str(said.value)
    supply_check(products=[product], organisation=cast.buyer_b.organisation)
    assert Notice.objects.filter(kind="supply.refused", user=cast.buyer.owner).exists()
    assert AuditEntry.objects.filter(action="supply.refused", reason=REASON).exists()


def test_a_second_refusal_beside_an_open_one_is_refused(cast, clock, product, refusal):
    with pytest.raises(RefusedAlready):
        refuse(cast, product, clock.now, ground="debt")


def test_a_complaint_opens_a_case_and_a_second_one_feeds_it(cast, clock, refusal):
    complained = supply_complain(refusal=refusal, statement="测评报告已于九月提交。", user=cast.buyer.owner, at=clock.now)
    case = complained.case
    assert (case.kind, case.handler, case.applicant) == ("supply_refusal", cast.regulator.organisation, cast.buyer.organisation)
    assert case.limit_days == 10
    again = supply_complain(refusal=refusal, statement="补充证明。", user=cast.buyer.owner, at=clock.now)
    assert again.case == case and [e.note for e in case.events.order_by("id")] == ["测评报告已于九月提交。", "补充证明。"]
    with pytest.raises(RefusalReasonMissing):
        supply_complain(refusal=refusal, statement=" ", user=cast.buyer.owner, at=clock.now)


def test_the_regulator_orders_it_lifted_with_a_reason_and_buying_goes_on(cast, clock, product, refusal):
    supply_complain(refusal=refusal, statement="测评报告已于九月提交。", user=cast.buyer.owner, at=clock.now)
    with pytest.raises(RefusalReasonMissing):
        supply_order_lifted(refusal=refusal, reason="", user=cast.regulator.decider, at=clock.now)
    lifted = supply_order_lifted(refusal=refusal, reason="测评有效，不得拒绝。", user=cast.regulator.decider, at=clock.now)
    assert (lifted.lifted_by, lifted.case.state, lifted.case.outcome) == (cast.regulator.decider, "closed", "ordered_lifted")
    supply_check(products=[product], organisation=cast.buyer.organisation)
    assert open_refusal(product=product, organisation=cast.buyer.organisation) is None
    with pytest.raises(RefusalNotOpen):
        supply_lift(refusal=refusal, reason="晚了", user=cast.operator.owner, at=clock.now)
    assert {n.user for n in Notice.objects.filter(kind="supply.lifted")} >= {cast.buyer.owner, cast.operator.owner}


def test_the_regulator_may_let_it_stand_and_a_new_complaint_opens_a_new_case(cast, clock, refusal):
    with pytest.raises(NoComplaint):
        supply_let_stand(refusal=refusal, reason="成立", user=cast.regulator.decider, at=clock.now)
    first = supply_complain(refusal=refusal, statement="不服。", user=cast.buyer.owner, at=clock.now).case
    supply_let_stand(refusal=refusal, reason="安全条件未满足", user=cast.regulator.decider, at=clock.now)
    second = supply_complain(refusal=refusal, statement="已整改。", user=cast.buyer.owner, at=clock.now).case
    assert second != first


def test_the_operator_lifts_its_own_refusal_and_may_refuse_anew(cast, clock, product, refusal):
    supply_lift(refusal=refusal, reason="测评已通过", user=cast.operator.owner, at=clock.now)
    assert refuse(cast, product, clock.now).pk != refusal.pk


def test_a_refusal_is_never_edited_nor_deleted_nor_lifted_twice(cast, clock, refusal):
    for change in ({"reason": "别的"}, {"ground": "debt"}, {"organisation": cast.buyer_b.organisation}, {"lifted_at": clock.now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SupplyRefusal.objects.filter(pk=refusal.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        SupplyRefusal.objects.filter(pk=refusal.pk).delete()
    supply_lift(refusal=refusal, reason="测评已通过", user=cast.operator.owner, at=clock.now)
    with pytest.raises(IntegrityError), transaction.atomic():
        SupplyRefusal.objects.filter(pk=refusal.pk).update(lifted_reason="改写")


def test_statistics_count_by_operator_and_ground_and_name_nobody(cast, clock, product, refusal):
    other = make_product(cast, clock.now, code="second")
    refuse(cast, other, clock.now, ground="debt", organisation=cast.buyer_b.organisation, reason="逾期账单超过三个月未付。")
    supply_lift(refusal=refusal, reason="测评已通过", user=cast.operator.owner, at=clock.now)
    rows = statistics(refusals=refusals_of())
    assert [(r["slug"], r["ground"], r["total"], r["open"], r["lifted"]) for r in rows] == [
        ("operator", "debt", 1, 1, 0),
        ("operator", "security", 1, 0, 1),
    ]
    assert cast.buyer.organisation.name not in str(rows)


ACTS = {
    "refuse": ("operator", {"owner", "publisher", "pricing"}),
    "complain": ("buyer", {"owner", "buyer"}),
    "lift": ("operator", {"owner", "publisher", "pricing"}),
    "order": ("regulator", {"pricing", "reviewer", "decider"}),
    "stand": ("regulator", {"pricing", "reviewer", "decider"}),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_the_due_roles_of_the_due_side_act_over_every_pair(cast, clock, product, act):
    """Every role of five sides tries the step; a savepoint takes each success back."""
    if act != "refuse":
        made = refuse(cast, product, clock.now)
        supply_complain(refusal=made, statement="不服。", user=cast.buyer.owner, at=clock.now)
    done = set()
    for side in ("operator", "operator_b", "buyer", "buyer_b", "regulator"):
        for role in Role.values:
            user = User.objects.create(email=f"{role}@{side}-{act}.example")
            Membership.objects.create(
                user=user, organisation=getattr(cast, side).organisation, roles=[role], created_at=clock.now
            )
            try:
                with transaction.atomic():
                    step(cast, product, act, user, clock.now)
                    done.add((side, role))
                    raise RoleMissing("taken back")
            except RoleMissing:
                pass
    assert done == {(ACTS[act][0], role) for role in ACTS[act][1]}


def step(cast, product, act, user, at):
    if act == "refuse":
        return refuse(cast, product, at, user=user)
    held = SupplyRefusal.objects.get(product=product)
    if act == "complain":
        return supply_complain(refusal=held, statement="不服。", user=user, at=at)
    service = {"lift": supply_lift, "order": supply_order_lifted, "stand": supply_let_stand}[act]
    return service(refusal=held, reason="理由充分", user=user, at=at)
