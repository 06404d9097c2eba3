"""Free use in the browser: the nonprofit claims, the authorising body decides, a second person checks."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pricing.grants.services import grant_add_evidence, grant_check, grant_claim, grant_decide, grant_submit
from pricing.models import FreeUseGrant, Plan
from products.models import DataProduct
from settlement.entitlements.services import entitlement_open
from settlement.models import Entitlement
from tests.market.pages import acting, text
from tests.pricing.market import make_product

TODAY = date(2026, 10, 20)
OFFICE = "/console/authority/free-use/"
STATEMENT = {
    "statement": "为困难家庭学生核对助学条件，减少纸面材料，结果只用于助学评审。",
    "beneficiaries": "困难家庭学生",
    "quota_asked": "5000",
    "asked_until": "2027-06-30",
    "responsible_person": "陈老师",
    "is_noncommercial": "on",
}


@pytest.fixture
def product(cast, clock):
    made = make_product(cast, clock.now)
    DataProduct.objects.filter(pk=made.pk).update(state="listed", listed_at=clock.now)
    return made


@pytest.fixture
def submitted(cast, clock, product):
    grant = grant_claim(
        organisation=cast.nonprofit.organisation,
        product=product,
        purpose="welfare.education",
        scenario="student-aid",
        user=cast.nonprofit.owner,
        at=clock.now,
        statement=STATEMENT["statement"],
        beneficiaries="学生",
        is_noncommercial=True,
        responsible_person="陈老师",
    )
    grant_add_evidence(grant=grant, user=cast.nonprofit.owner, file_name="证书.pdf", content=b"%PDF-1.4 x", at=clock.now)
    return grant_submit(grant=grant, user=cast.nonprofit.owner, at=clock.now)


def test_a_nonprofit_claims_free_use_from_start_to_submission(cast, product):
    client = acting(cast.nonprofit.owner)
    assert product.name in text(client.get("/free-use/"))
    page = text(client.get(f"/free-use/new/?product={product.code}"))
    assert "welfare.education" in page and "industry.finance" not in page
    started = client.post("/free-use/new/", {"product": product.code, "purpose": "welfare.education", "scenario": "student-aid"})
    assert started.url == "/free-use/FU-2026-0001/"
    client.post(f"{started.url}submit/")
    assert FreeUseGrant.objects.get().state == "draft"
    client.post(f"{started.url}save/", STATEMENT)
    client.post(f"{started.url}add-evidence/", {"file": SimpleUploadedFile("证书.pdf", b"%PDF-1.4 x")})
    client.post(f"{started.url}submit/")
    grant = FreeUseGrant.objects.get()
    assert (grant.state, grant.quota_asked, grant.evidence.count()) == ("submitted", 5000, 1)


def test_a_refused_decision_keeps_what_was_typed(cast, submitted):
    page, typed = f"{OFFICE}{submitted.number}/decide/", {"decision": "grant", "quota": "3000", "conditions": "每季报告一次"}
    answer = acting(cast.authority.owner).post(page, typed)
    assert answer.status_code == 422
    assert "每季报告一次" in text(answer) and "3000" in text(answer)
    submitted.refresh_from_db()
    assert submitted.state == "submitted"


def test_a_refused_draft_keeps_what_was_typed(cast, submitted):
    number = submitted.number
    type(submitted).objects.filter(pk=submitted.pk).update(state="corrections")
    answer = acting(cast.nonprofit.owner).post(
        f"/free-use/{number}/save/", {**STATEMENT, "statement": "改写过的说明", "quota_asked": "x"}
    )
    assert answer.status_code == 422
    assert "改写过的说明" in text(answer)


def test_scenario_49_the_claimant_chooses_beforehand_what_happens_at_the_quotas_end(cast, clock, product):
    grant = grant_claim(
        organisation=cast.nonprofit.organisation,
        product=product,
        purpose="welfare.education",
        scenario="student-aid",
        user=cast.nonprofit.owner,
        at=clock.now,
    )
    plan = Plan.objects.create(product=product, code="after", name="超额按次", purposes=[], created_at=clock.now)
    client, address = acting(cast.nonprofit.owner), f"/free-use/{grant.number}/"
    page = text(client.get(address))
    assert "超额按次" in page and grant.continues_on is None
    assert client.post(f"{address}save/", {**STATEMENT, "continues_on": plan.pk}).status_code == 302
    grant.refresh_from_db()
    assert grant.continues_on == plan
    Plan.objects.filter(pk=plan.pk).update(state="closed")
    refused = client.post(f"{address}save/", {**STATEMENT, "continues_on": plan.pk})
    assert refused.status_code == 422 and STATEMENT["beneficiaries"] in text(refused)
    client.post(f"{address}save/", STATEMENT)
    grant.refresh_from_db()
    assert grant.continues_on is None


def test_the_authority_decides_and_another_person_checks(cast, submitted):
    page, decider, checker = f"{OFFICE}{submitted.number}/", acting(cast.authority.owner), acting(cast.authority.checker)
    assert STATEMENT["statement"] in text(decider.get(page))
    decider.post(f"{page}decide/", {"decision": "grant", "reason": "符合公益条件", "quota": "3000", "to_date": "2027-03-31"})
    assert 'confirm/"' not in text(decider.get(page))
    assert 'confirm/"' in text(checker.get(page))
    claimant = acting(cast.nonprofit.owner)
    assert "符合公益条件" not in text(claimant.get(f"/free-use/{submitted.number}/"))
    decider.post(f"{page}confirm/")
    submitted.refresh_from_db()
    assert submitted.state == "decided"
    checker.post(f"{page}confirm/")
    submitted.refresh_from_db()
    assert (submitted.state, submitted.quota, submitted.to_date) == ("granted", 3000, date(2027, 3, 31))
    assert "3,000" in text(claimant.get(f"/free-use/{submitted.number}/"))


def test_corrections_are_asked_and_answered(cast, submitted):
    page, client = f"{OFFICE}{submitted.number}/", acting(cast.nonprofit.owner)
    acting(cast.authority.owner).post(f"{page}ask/", {"note": "请补充受益人范围"})
    assert "请补充受益人范围" in text(client.get(f"/free-use/{submitted.number}/"))
    client.post(f"/free-use/{submitted.number}/save/", STATEMENT | {"beneficiaries": "学生 1800 人"})
    client.post(f"/free-use/{submitted.number}/submit/")
    submitted.refresh_from_db()
    assert (submitted.state, submitted.beneficiaries) == ("submitted", "学生 1800 人")


def test_a_refusal_says_why_and_how_to_object(cast, submitted):
    page = f"{OFFICE}{submitted.number}/"
    acting(cast.authority.owner).post(f"{page}decide/", {"decision": "refuse", "reason": "用途属于商业经营"})
    acting(cast.authority.checker).post(f"{page}confirm/")
    shown = text(acting(cast.nonprofit.owner).get(f"/free-use/{submitted.number}/"))
    assert "用途属于商业经营" in shown and cast.authority.organisation.name in shown


def test_a_revocation_ends_the_entitlement(cast, clock, submitted):
    grant_decide(grant=submitted, decision="grant", reason="符合", user=cast.authority.owner, at=clock.now)
    grant_check(grant=submitted, approves=True, user=cast.authority.checker, at=clock.now)
    entitlement_open(
        organisation=submitted.organisation,
        product=submitted.product,
        grant=submitted,
        purposes=[submitted.purpose],
        scenario=submitted.scenario,
        valid_from=clock.now,
        valid_to=clock.now.replace(year=2027),
        at=clock.now,
    )
    acting(cast.authority.owner).post(f"{OFFICE}{submitted.number}/revoke/", {"reason": "成果对外销售"})
    submitted.refresh_from_db()
    assert (submitted.state, Entitlement.objects.get().state) == ("revoked", "ended")


def test_evidence_is_a_download_for_the_two_sides_of_the_case_only(cast, submitted):
    kept = submitted.evidence.get()
    office, own = f"{OFFICE}{submitted.number}/evidence/{kept.pk}/", f"/free-use/{submitted.number}/evidence/{kept.pk}/"
    for person, url in ((cast.authority.owner, office), (cast.nonprofit.owner, own)):
        answer = acting(person).get(url)
        assert answer["Content-Disposition"].startswith("attachment")
        assert (answer["Content-Type"], answer.content) == ("application/octet-stream", b"%PDF-1.4 x")
    assert acting(cast.buyer.owner).get(own).status_code == 404
    assert acting(cast.regulator.owner).get(office).status_code == 403


def test_the_claim_is_its_organisations_own(cast, client, submitted):
    page = f"/free-use/{submitted.number}/"
    assert client.get("/free-use/").status_code == 200
    assert client.get(page).status_code == 302
    assert acting(cast.stranger).get(page).status_code == 403
    assert acting(cast.buyer.owner).get(page).status_code == 404
    assert acting(cast.buyer.owner).post(f"{page}withdraw/").status_code == 404
    assert acting(cast.nonprofit.owner).post(page).status_code == 405
    assert acting(cast.nonprofit.owner).get(f"{page}submit/").status_code == 405
    assert acting(cast.nonprofit.owner).post(f"{page}dance/").status_code == 404
    assert acting(cast.operator.owner).get(f"{OFFICE}{submitted.number}/").status_code == 403
    assert acting(cast.authority.owner).post(OFFICE).status_code == 405


def test_a_product_that_is_not_listed_cannot_be_claimed(cast, product):
    DataProduct.objects.filter(pk=product.pk).update(state="draft")
    assert acting(cast.nonprofit.owner).get(f"/free-use/new/?product={product.code}").status_code == 404


def test_who_may_not_claim_is_told_where_to_go(cast, product):
    assert f"/products/{product.code}/" in text(acting(cast.public_body.owner).get(f"/free-use/new/?product={product.code}"))


def test_the_lists_have_a_fixed_number_of_queries(cast, clock, product, submitted, django_assert_num_queries):
    for _ in range(4):
        grant_claim(
            organisation=cast.nonprofit.organisation,
            product=product,
            purpose="welfare.education",
            scenario="student-aid",
            user=cast.nonprofit.owner,
            at=clock.now,
        )
    claimant, office = acting(cast.nonprofit.owner), acting(cast.authority.owner)
    claimant.get("/free-use/"), office.get(OFFICE)
    with django_assert_num_queries(7):
        claimant.get("/free-use/")
    with django_assert_num_queries(7):
        office.get(OFFICE)
