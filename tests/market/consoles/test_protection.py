"""The pages of protection: risk cases on both sides, consents and what people tell, join rules by two people."""

from __future__ import annotations

import pytest

from market.gateway.consent import reference_digest
from products.catalogue.joins import rules_in_force
from products.catalogue.models import JoinRule
from products.record.models import Case, Notice, Proposal
from settlement.entitlements.models import ConsentWithdrawal, Entitlement
from settlement.entitlements.risk import out_of_purpose_watch, risk_open
from settlement.entitlements.services import entitlement_open
from settlement.metering.models import Refusal
from tests.factories.offers import make_offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def entitlement(cast, clock) -> Entitlement:
    offer = make_offer(cast, clock.now)
    return entitlement_open(
        organisation=cast.buyer.organisation,
        product=offer.product,
        plan=offer.plan,
        purposes=["industry.finance.pre_loan"],
        scenario="consumer-credit",
        valid_from=clock.now,
        valid_to=clock.now.replace(year=2027),
        at=clock.now,
    )


@pytest.fixture
def risk_case(cast, clock, entitlement) -> Case:
    for _n in range(3):
        Refusal.objects.create(
            at=clock.now,
            entitlement=entitlement,
            product=entitlement.product,
            status=403,
            reason="purpose-outside",
            purpose="industry.finance.post_loan",
        )
    return out_of_purpose_watch(entitlements=[entitlement.pk], at=clock.now)[0]


def test_scenario_54_the_case_shows_the_refusals_and_both_sides_are_heard(cast, sign_in, entitlement, risk_case):
    office, buyer = sign_in(cast.authority.owner), sign_in(cast.buyer.owner)
    page = f"/console/authority/risks/{risk_case.pk}/"
    said = office.get(page).content.decode()
    assert said.count("industry.finance.post_loan") == 3 and "2026-10-20 10:00:00" in said
    assert Notice.objects.filter(kind="risk.out_of_purpose", user=cast.buyer.owner).exists()
    own = f"/console/buyer/risks/{risk_case.pk}/"
    assert buyer.post(own, {"text": ""}).status_code == 422
    assert buyer.post(own, {"text": "测试脚本误用，已改"}).status_code == 302
    assert "测试脚本误用" in office.get(page).content.decode()
    assert office.post(f"{page}decide/", {"outcome": "warned", "reason": ""}).status_code == 422
    assert office.post(f"{page}decide/", {"outcome": "warned", "reason": "已说明"}).status_code == 302
    risk_case.refresh_from_db()
    assert (risk_case.state, risk_case.outcome) == ("closed", "warned") and "已说明" in buyer.get(own).content.decode()
    assert Entitlement.objects.get().state == "active"


def test_a_case_can_suspend_the_entitlement_and_let_it_go_on(cast, sign_in, entitlement, risk_case):
    office = sign_in(cast.authority.owner)
    page = f"/console/authority/risks/{risk_case.pk}/"
    office.post(f"{page}decide/", {"outcome": "suspended", "reason": "多次超范围"})
    assert Entitlement.objects.get().state == "suspended"
    assert office.post(f"{page}resume/", {"reason": "已整改"}).status_code == 302
    assert Entitlement.objects.get().state == "active"


def test_others_do_not_see_the_case(cast, sign_in, risk_case):
    assert sign_in(cast.buyer_b.owner).get(f"/console/buyer/risks/{risk_case.pk}/").status_code == 404
    assert sign_in(cast.operator.owner).get(f"/console/authority/risks/{risk_case.pk}/").status_code == 403


def test_one_case_of_a_kind_is_open_at_a_time(entitlement, clock, risk_case):
    assert risk_open(entitlement=entitlement, kind="out_of_purpose", note="again", at=clock.now) is None
    assert risk_open(entitlement=entitlement, kind="probing", note="other", at=clock.now) is not None


def test_lists_of_risks_consents_and_joins_cost_a_fixed_number_of_queries(cast, sign_in, queries_of, risk_case):
    office, buyer, bureau = sign_in(cast.authority.owner), sign_in(cast.buyer.owner), sign_in(cast.data_bureau.owner)
    assert queries_of(office, "/console/authority/risks/") <= 13
    assert queries_of(buyer, "/console/buyer/risks/") <= 14
    assert queries_of(buyer, "/console/buyer/consents/") <= 12
    assert queries_of(buyer, "/console/buyer/joins/") <= 11
    assert queries_of(office, "/console/platform/joins/") <= 11
    assert queries_of(bureau, "/console/platform/joins/rules/") <= 12


def test_a_buyer_records_a_withdrawal_once(cast, sign_in):
    client, page = sign_in(cast.buyer.owner), "/console/buyer/consents/"
    future = client.post(page, {"reference": "C-1", "withdrawn_at": "2026-10-21T00:00"})
    assert future.status_code == 422 and "C-1" in future.content.decode()
    assert client.post(page, {"reference": "张三"}).status_code == 422
    for _n in range(2):
        assert client.post(page, {"reference": "C-1", "note": "来信"}).status_code == 302
    [row] = ConsentWithdrawal.objects.all()
    organisation = cast.buyer.organisation
    assert (bytes(row.reference_digest), row.recorded_by) == (reference_digest(organisation.pk, "C-1"), cast.buyer.owner)


def test_a_person_tells_from_outside_and_nothing_stops_until_the_organisation_records_it(client, cast, sign_in):
    told = {"uscc": cast.buyer.organisation.uscc, "reference": "授权书 C-7", "contact": "0574-5", "text": "不再同意"}
    assert client.post("/consent/", told | {"uscc": "91330200MA2T001030"}).status_code == 422
    assert client.post("/consent/", told | {"contact": ""}).status_code == 422
    assert client.post("/consent/", told).status_code == 200
    case = Case.objects.get(kind="consent_withdrawal")
    assert (case.handler, ConsentWithdrawal.objects.count()) == (cast.buyer.organisation, 0)
    buyer, page = sign_in(cast.buyer.owner), f"/console/buyer/consents/{case.pk}/"
    assert "授权书 C-7" in buyer.get(page).content.decode()
    assert buyer.post(page, {"outcome": "recorded", "text": "已电话核实"}).status_code == 422
    assert buyer.post(page, {"outcome": "recorded", "reference": "C-7", "text": "已电话核实"}).status_code == 302
    case.refresh_from_db()
    assert (case.outcome, ConsentWithdrawal.objects.count()) == ("recorded", 1)
    assert sign_in(cast.buyer_b.owner).get(page).status_code == 404


def test_a_join_rule_is_proposed_by_one_person_and_agreed_by_another(cast, sign_in):
    maker, checker = sign_in(cast.data_bureau.owner), sign_in(cast.data_bureau.reviewer)
    given = {
        "name": "车辆与不动产",
        "concepts": ["person.vehicle", "person.property"],
        "explanation": "家庭财产",
        "from_date": "2026-11-01",
    }
    one = maker.post("/console/platform/joins/rules/new/", given | {"concepts": ["person.vehicle"]})
    assert one.status_code == 422 and "家庭财产" in one.content.decode()
    assert maker.post("/console/platform/joins/rules/new/", given).status_code == 302
    page = f"/console/platform/joins/rules/proposals/{Proposal.objects.get().pk}/"
    assert maker.post(f"{page}agree/").status_code == 302 and not JoinRule.objects.filter(name="车辆与不动产").exists()
    assert "车辆与不动产" in checker.get(page).content.decode()
    assert checker.post(f"{page}agree/").status_code == 302
    rule = JoinRule.objects.get(name="车辆与不动产")
    assert rule in rules_in_force(on=rule.from_date)
    assert (
        checker.post(
            f"/console/platform/joins/rules/{rule.pk}/end/", {"to_date": "2026-12-31", "reason": "并入新规则"}
        ).status_code
        == 302
    )
    end = Proposal.objects.get(act="join_rule.end")
    assert maker.post(f"/console/platform/joins/rules/proposals/{end.pk}/agree/").status_code == 302
    rule.refresh_from_db()
    assert str(rule.to_date) == "2026-12-31"


def test_an_authorising_body_reads_the_rules_and_makes_none(cast, sign_in):
    client = sign_in(cast.authority.owner)
    assert client.get("/console/platform/joins/rules/").status_code == 200
    answer = client.post(
        "/console/platform/joins/rules/new/",
        {"name": "x", "concepts": ["person.vehicle", "person.property"], "explanation": "y", "from_date": "2026-11-01"},
    )
    assert answer.status_code == 422 and not Proposal.objects.exists()
