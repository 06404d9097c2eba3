"""Scenario 54: a call for another purpose is denied and logged; the third within the span raises a risk case, once."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from products.models import Membership
from products.record.cases import close
from products.record.models import Case, Notice
from settlement.entitlements.risk import out_of_purpose_sweep, out_of_purpose_watch
from settlement.metering.models import Refusal
from tests.settlement.stall import START

OTHER = {"Purpose": "industry.finance.post_loan"}


def cases_when(number: int, seconds: float = 8) -> list[Case]:
    """The cases of calls out of purpose, once there are so many."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = list(Case.objects.filter(kind="out_of_purpose").order_by("id"))
        if len(found) >= number:
            return found
        time.sleep(0.05)
    return list(Case.objects.filter(kind="out_of_purpose"))


def refuse(stall, number: int, *, at=START, purpose: str = "industry.finance.post_loan") -> None:
    Refusal.objects.bulk_create(
        Refusal(
            at=at, entitlement=stall.entitlement, product=stall.product, status=403, reason="purpose-outside", purpose=purpose
        )
        for _n in range(number)
    )


@pytest.mark.django_db(transaction=True)
def test_scenario_54_the_third_call_out_of_purpose_raises_one_risk_case(client, stall):
    for organisation, roles in ((stall.authority, ["reviewer"]), (stall.buyer, ["owner"])):
        Membership.objects.create(user=stall.user, organisation=organisation, roles=roles, created_at=START)
    answers = [client.call(headers=OTHER) for _n in range(3)]
    assert [(each.status_code, each.json()["type"]) for each in answers] == [(403, "/problems/purpose-outside")] * 3
    [case] = cases_when(1)
    assert (case.object_id, case.handler, case.limit_days) == (str(stall.entitlement.pk), stall.authority, 5)
    assert list(Refusal.objects.values_list("purpose", "reason")) == [("industry.finance.post_loan", "purpose-outside")] * 3
    assert sorted(Notice.objects.values_list("kind", flat=True)) == ["risk.opened", "risk.out_of_purpose"]
    assert client.call(headers=OTHER).status_code == 403 and client.call().status_code == 200
    assert out_of_purpose_sweep(at=START) == [] and len(cases_when(1)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "opens"), [(2, 0), (3, 1)], ids=["two are warnings to nobody", "the third opens it"])
def test_how_many_refusals_open_a_case(cast_stall, number, opens):
    refuse(cast_stall, number)
    assert len(out_of_purpose_watch(entitlements=[cast_stall.entitlement.pk], at=START)) == opens


@pytest.mark.django_db
def test_refusals_before_the_span_do_not_count(cast_stall):
    refuse(cast_stall, 1, at=START - timedelta(days=31))
    refuse(cast_stall, 2)
    assert out_of_purpose_watch(entitlements=[cast_stall.entitlement.pk], at=START) == []


@pytest.mark.django_db
def test_a_purpose_that_the_product_was_narrowed_by_is_not_held_against_the_buyer(cast_stall):
    refuse(cast_stall, 3, purpose="industry.finance.pre_loan")
    assert out_of_purpose_watch(entitlements=[cast_stall.entitlement.pk], at=START) == []


@pytest.mark.django_db
def test_after_a_case_is_closed_three_more_open_the_next(cast_stall):
    ids = [cast_stall.entitlement.pk]
    refuse(cast_stall, 3)
    [case] = out_of_purpose_watch(entitlements=ids, at=START)
    close(case=case, outcome="warned", actor=cast_stall.user, at=START + timedelta(hours=1))
    refuse(cast_stall, 2, at=START + timedelta(hours=2))
    assert out_of_purpose_watch(entitlements=ids, at=START + timedelta(hours=3)) == []
    refuse(cast_stall, 1, at=START + timedelta(hours=3))
    assert len(out_of_purpose_watch(entitlements=ids, at=START + timedelta(hours=3))) == 1


@pytest.fixture
def cast_stall(db):
    from tests.settlement.stall import make_stall

    return make_stall()
