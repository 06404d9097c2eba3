"""Free use: the purpose decides, two people decide, the clock stops for corrections, a grant ends with the authorisation."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from pricing.grants import refusals
from pricing.grants.rules import next_number, who_may_claim
from pricing.grants.selectors import claims_before, grant_in_force, history
from pricing.grants.services import (
    grant_add_evidence,
    grant_ask_corrections,
    grant_check,
    grant_claim,
    grant_decide,
    grant_edit,
    grant_revoke,
    grant_submit,
    grant_withdraw,
)
from pricing.models import FreeUseGrant
from products.models import Notice, Organisation
from products.organisations.selectors import OrganisationNotVerified, RoleMissing
from products.record import cases
from products.record.evidence import EvidenceTypeNotAllowed
from tests.pricing.market import make_product

TODAY = date(2026, 10, 20)
PDF = b"%PDF-1.4 ..."


@pytest.fixture
def product(cast, clock):
    return make_product(cast, clock.now, purposes=("industry.finance", "welfare.education", "governance.statistics"))


def claim(cast, product, at, *, party=None, purpose="welfare.education", **more):
    party = party or cast.nonprofit
    details = {
        "statement": "为困难家庭学生核对助学条件，减少纸面材料，结果只用于助学评审。",
        "beneficiaries": "困难家庭学生约两千人",
        "is_noncommercial": True,
        "responsible_person": "陈老师",
    }
    return grant_claim(
        organisation=party.organisation,
        product=product,
        purpose=purpose,
        scenario="student-aid",
        user=party.owner,
        at=at,
        **(details | more),
    )


def submitted(cast, product, at, **more):
    grant = claim(cast, product, at, **more)
    grant_add_evidence(grant=grant, user=grant.created_by, file_name="证书.pdf", content=PDF, at=at)
    return grant_submit(grant=grant, user=grant.created_by, at=at)


def granted(cast, product, at, **more):
    grant = submitted(cast, product, at)
    grant_decide(grant=grant, decision="grant", reason="符合公益条件", user=cast.authority.owner, at=at, **more)
    return grant_check(grant=grant, approves=True, user=cast.authority.checker, at=at)


def test_a_claim_goes_from_draft_to_grant_by_three_people(cast, clock, product):
    grant = granted(cast, product, clock.now, quota=5000, to_date=date(2027, 6, 30), conditions="按季报告使用情况")
    assert (grant.number, grant.state, grant.quota, grant.to_date) == ("FU-2026-0001", "granted", 5000, date(2027, 6, 30))
    assert len({grant.submitted_by, grant.decided_by, grant.checked_by}) == 3
    assert (grant.case.state, grant.case.outcome) == ("closed", "granted")
    found = {"organisation": cast.nonprofit.organisation, "product": product, "purpose": "welfare.education"}
    assert grant_in_force(**found, on=TODAY) == grant
    assert grant_in_force(**found, on=date(2027, 7, 1)) is None
    assert Notice.objects.filter(kind="free_use.granted", user=cast.nonprofit.owner).exists()


def test_a_draft_is_saved_and_returned_to(cast, clock, product):
    grant = grant_claim(
        organisation=cast.nonprofit.organisation,
        product=product,
        purpose="welfare.education",
        scenario="student-aid",
        user=cast.nonprofit.owner,
        at=clock.now,
    )
    with pytest.raises(refusals.ClaimIncomplete) as refused:
        grant_submit(grant=grant, user=cast.nonprofit.owner, at=clock.now)
    assert refused.value.facts["missing"] == ["statement", "beneficiaries", "is_noncommercial", "responsible_person", "evidence"]
    grant_edit(grant=grant, user=cast.nonprofit.owner, at=clock.now, statement="一" * 30, quota_asked=200)
    assert FreeUseGrant.objects.get().quota_asked == 200
    assert list(claims_before(authorising_body_ids=[cast.authority.organisation.pk])) == []


def test_scenario_51_a_company_with_a_welfare_product_is_granted_free_use(cast, clock, product):
    grant = submitted(cast, product, clock.now, party=cast.buyer)
    assert grant.state == "submitted"


def test_scenario_52_a_charged_purpose_is_not_claimed_whoever_asks(cast, clock, product):
    cast.nonprofit.organisation.kind = "institution"
    with pytest.raises(refusals.PurposeIsCharged):
        claim(cast, product, clock.now, purpose="industry.finance")
    with pytest.raises(IntegrityError, match="for_a_free_purpose"), transaction.atomic():
        FreeUseGrant.objects.filter(pk=claim(cast, product, clock.now).pk).update(purpose="industry.finance")


def test_scenario_14_a_nonprofit_still_needs_a_welfare_purpose(cast, clock, product):
    with pytest.raises(refusals.KindMayNotClaim):
        claim(cast, product, clock.now, purpose="governance.statistics")
    assert claim(cast, product, clock.now, party=cast.public_body, purpose="governance.statistics").state == "draft"


def test_the_product_must_serve_the_purpose_and_the_scenario(cast, clock, product):
    with pytest.raises(refusals.ProductDoesNotServe):
        claim(cast, product, clock.now, purpose="welfare.health")
    product.scenarios = ["threshold-firms"]
    with pytest.raises(refusals.ProductDoesNotServe):
        claim(cast, product, clock.now)


def test_an_unverified_organisation_keeps_its_draft(cast, clock, product):
    Organisation.objects.filter(pk=cast.nonprofit.organisation.pk).update(state="unverified")
    cast.nonprofit.organisation.refresh_from_db()
    with pytest.raises(OrganisationNotVerified):
        submitted(cast, product, clock.now)
    assert FreeUseGrant.objects.get().state == "draft"


def test_only_the_claimant_writes_and_only_the_authority_decides(cast, clock, product):
    grant = submitted(cast, product, clock.now)
    for person in (cast.stranger, cast.operator.owner, cast.regulator.decider, cast.nonprofit.owner):
        with pytest.raises(RoleMissing):
            grant_decide(grant=grant, decision="grant", reason="x", user=person, at=clock.now)
    with pytest.raises(RoleMissing):
        grant_withdraw(grant=grant, user=cast.buyer.owner, at=clock.now)
    with pytest.raises(refusals.ClaimNotOpen):
        grant_edit(grant=grant, user=cast.nonprofit.owner, at=clock.now, statement="changed after submission")


def test_evidence_is_checked_before_it_is_kept(cast, clock, product):
    grant = claim(cast, product, clock.now)
    with pytest.raises(EvidenceTypeNotAllowed):
        grant_add_evidence(grant=grant, user=cast.nonprofit.owner, file_name="a.html", content=b"<script>", at=clock.now)
    assert not grant.evidence.exists()


def test_the_clock_stops_while_corrections_are_asked(cast, clock, product):
    grant = submitted(cast, product, clock.now)
    clock.move(days=2)
    grant_ask_corrections(grant=grant, note="请补充受益人范围", user=cast.authority.owner, at=clock.now)
    assert grant.state == "corrections"
    clock.move(days=14)
    assert cases.days_left(case=grant.case, today=clock.now.date()).used == 2
    grant_edit(grant=grant, user=cast.nonprofit.owner, at=clock.now, beneficiaries="困难家庭学生 1 800 人")
    grant_submit(grant=grant, user=cast.nonprofit.owner, at=clock.now)
    left = cases.days_left(case=FreeUseGrant.objects.get().case, today=clock.now.date())
    assert (left.used, left.days) == (2, 8)
    assert [event.kind for event in history(grant=grant)] == ["opened", "corrections_asked", "resumed"]


def test_who_decides_does_not_check(cast, clock, product):
    grant = submitted(cast, product, clock.now)
    grant_decide(grant=grant, decision="grant", reason="符合", user=cast.authority.owner, at=clock.now)
    with pytest.raises(refusals.SamePersonDecides):
        grant_check(grant=grant, approves=True, user=cast.authority.owner, at=clock.now)
    with pytest.raises(IntegrityError, match="free_use_grant_by_two_people"), transaction.atomic():
        FreeUseGrant.objects.filter(pk=grant.pk).update(checked_by=cast.authority.owner)


def test_a_decision_sent_back_is_decided_anew(cast, clock, product):
    grant = submitted(cast, product, clock.now)
    grant_decide(grant=grant, decision="refuse", reason="不符合", user=cast.authority.owner, at=clock.now)
    with pytest.raises(refusals.DecisionIncomplete):
        grant_check(grant=grant, approves=False, user=cast.authority.checker, at=clock.now)
    grant_check(grant=grant, approves=False, reason="理由不足", user=cast.authority.checker, at=clock.now)
    assert (grant.state, grant.decision, grant.decided_by) == ("submitted", "", None)
    grant_decide(grant=grant, decision="grant", reason="符合", user=cast.authority.checker, at=clock.now)
    assert grant_check(grant=grant, approves=True, user=cast.authority.owner, at=clock.now).state == "granted"


def test_a_refusal_has_a_reason_and_reaches_the_claimant(cast, clock, product):
    grant = submitted(cast, product, clock.now)
    with pytest.raises(refusals.DecisionIncomplete):
        grant_decide(grant=grant, decision="refuse", reason=" ", user=cast.authority.owner, at=clock.now)
    grant_decide(grant=grant, decision="refuse", reason="用途属于商业经营", user=cast.authority.owner, at=clock.now)
    grant_check(grant=grant, approves=True, user=cast.authority.checker, at=clock.now)
    assert (grant.state, grant.case.outcome) == ("refused", "refused")
    assert Notice.objects.get(kind="free_use.refused", user=cast.nonprofit.owner).facts["note"] == "用途属于商业经营"


def test_a_grant_ends_no_later_than_the_authorisation(cast, clock):
    product = make_product(cast, clock.now, to_date=date(2027, 3, 31))
    grant = submitted(cast, product, clock.now)
    decide = {"grant": grant, "decision": "grant", "reason": "符合", "user": cast.authority.owner, "at": clock.now}
    with pytest.raises(refusals.GrantBeyondAuthorisation, match="2027-03-31"):
        grant_decide(**decide, to_date=date(2027, 4, 1))
    grant_decide(**decide)
    assert grant.to_date == date(2027, 3, 31)
    with pytest.raises(IntegrityError, match="no later than the authorisation"), transaction.atomic():
        FreeUseGrant.objects.filter(pk=grant.pk).update(to_date=date(2027, 4, 1))


def test_a_grant_keeps_its_content_and_is_revoked_once(cast, clock, product):
    grant = granted(cast, product, clock.now)
    for change in ({"quota": 10**6}, {"to_date": TODAY + timedelta(days=900)}, {"purpose": "welfare"}):
        with pytest.raises(IntegrityError, match=r"keeps its content|no later"), transaction.atomic():
            FreeUseGrant.objects.filter(pk=grant.pk).update(**change)
    grant_revoke(grant=grant, reason="成果对外销售", user=cast.authority.owner, at=clock.now)
    assert grant.state == "revoked"
    with pytest.raises(refusals.ClaimNotOpen):
        grant_revoke(grant=grant, reason="again", user=cast.authority.owner, at=clock.now)
    assert grant_in_force(organisation=grant.organisation, product=product, purpose=grant.purpose, on=TODAY) is None


def test_a_withdrawn_claim_closes_its_case(cast, clock, product):
    grant = grant_withdraw(grant=submitted(cast, product, clock.now), user=cast.nonprofit.owner, at=clock.now)
    assert (grant.state, grant.case.outcome) == ("withdrawn", "withdrawn")
    with pytest.raises(refusals.ClaimNotOpen):
        grant_decide(grant=grant, decision="grant", reason="x", user=cast.authority.owner, at=clock.now)


def test_numbers_follow_each_other_within_a_year(cast, clock, product):
    assert [claim(cast, product, clock.now).number for _ in range(2)] == ["FU-2026-0001", "FU-2026-0002"]
    clock.move(days=100)
    assert claim(cast, product, clock.now).number == "FU-2027-0001"
    assert next_number(year=2026, last="FU-2026-9999") == "FU-2026-10000"


def test_the_form_adapts_to_who_asks():
    assert "enterprise" in who_may_claim("welfare.education")
    assert who_may_claim("governance") == {"public_body", "data_bureau", "data_provider", "price_regulator"}
    assert who_may_claim("industry.finance") == frozenset()
