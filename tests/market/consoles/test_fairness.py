"""Equal treatment in the browser: the regulator finds, the operator explains, the regulator decides; refusals and complaints."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from pricing.models import SupplyRefusal
from pricing.tariffs.supply import supply_refuse
from products.models import AuditEntry, Organisation
from products.record import cases
from settlement.entitlements.models import Entitlement
from settlement.models import EqualTreatmentFlag
from tests.factories.offers import USAGE_ONLY, make_offer
from tests.market.pages import acting, text

REASON = "贵单位的调用环境未通过等级保护测评。"
SIDE = {
    "organisation": "甬城商业银行",
    "entitlement": "E1",
    "plan": "标准套餐",
    "scenario": "small-business-lending",
    "units": {"calls": "5000"},
    "gross": "1000.00",
    "discount": "0.00",
    "payable": "1000.00",
    "deserved": "1000.00",
    "effective_unit_price": {"calls": "0.200000"},
    "tariff_versions": [1],
    "discounts": [],
    "not_given": [],
}


@pytest.fixture
def offer(cast, clock):
    return make_offer(cast, clock.now, document=USAGE_ONLY)


@pytest.fixture
def flag(cast, clock, offer):
    return make_flag(cast, clock.now, offer, "1")


def make_flag(cast, at, offer, serial):
    rights = [
        Entitlement.objects.create(
            code=f"E{serial}-{party.organisation.pk}",
            organisation=party.organisation,
            operator=offer.product.operator,
            product=offer.product,
            plan=offer.plan,
            purposes=["industry.finance"],
            scenario="small-business-lending",
            valid_from=at,
            valid_to=at.replace(year=2027),
            anchor_date=at.date(),
            created_at=at,
        )
        for party in (cast.buyer, cast.buyer_b)
    ]
    given = [{"reason": "key_scenario", "percent": "30", "is_met": False}]
    cheaper = SIDE | {"organisation": "海曙保险", "payable": "700.00", "discount": "300.00", "discounts": given}
    found = EqualTreatmentFlag.objects.create(
        product=offer.product,
        month=date(2026, 9, 1),
        purpose="industry.finance",
        first=rights[0],
        second=rights[1],
        facts={"first": SIDE, "second": cheaper, "peers": 1, "band": []},
        found_at=at,
    )
    found.case = cases.open_case(
        kind="equal_treatment",
        obj=found,
        applicant=offer.product.operator,
        handler=cast.regulator.organisation,
        limit_days=10,
        at=at,
        actor=None,
    )
    found.save()
    return found


@pytest.fixture
def refusal(cast, clock, offer):
    facts = {"ground": "security", "reason": REASON, "user": cast.operator.owner, "at": clock.now}
    return supply_refuse(product=offer.product, organisation=cast.buyer.organisation, **facts)


# --- Findings -------------------------------------------------------------------------------------------------------------------


def test_scenario_43_the_regulator_finds_both_cases_the_operator_explains_the_regulator_decides(cast, flag):
    regulator, operator = acting(cast.regulator.owner), acting(cast.operator.owner)
    assert "甬城商业银行" in text(regulator.get("/console/regulator/fairness/"))
    page = text(regulator.get(f"/console/regulator/fairness/{flag.pk}/"))
    for part in ("¥1,000.00", "¥700.00", "海曙保险", "E1", "30%", "formaction"):
        assert (part in page) == (part != "formaction"), part  # no decision before the operator answered
    address = f"/console/operator/supply/flags/{flag.pk}/"
    assert operator.post(address, {"explanation": ""}).status_code == 422
    operator.post(address, {"explanation": "沿用旧合同的优惠，十一月起取消。"})
    flag.refresh_from_db()
    assert (flag.state, flag.explained_by) == ("explained", cast.operator.owner)
    assert "沿用旧合同" in text(regulator.get(f"/console/regulator/fairness/{flag.pk}/"))
    assert regulator.post(f"/console/regulator/fairness/{flag.pk}/uphold/", {"reason": ""}).status_code == 422
    regulator.post(f"/console/regulator/fairness/{flag.pk}/uphold/", {"reason": "同等条件不同价，应予纠正。"})
    flag.refresh_from_db()
    assert (flag.state, flag.decided_by, flag.case.outcome) == ("upheld", cast.regulator.owner, "upheld")


def test_the_regulator_cannot_decide_before_the_operators_days_are_over(cast, flag):
    acting(cast.regulator.owner).post(f"/console/regulator/fairness/{flag.pk}/dismiss/", {"reason": "轻微"})
    flag.refresh_from_db()
    assert flag.state == "open"


def test_others_do_not_see_a_finding(cast, flag):
    assert acting(cast.operator_b.owner).get(f"/console/operator/supply/flags/{flag.pk}/").status_code == 404
    assert acting(cast.buyer.owner).get(f"/console/regulator/fairness/{flag.pk}/").status_code == 403
    bureau = acting(cast.data_bureau.owner)
    assert bureau.get(f"/console/regulator/fairness/{flag.pk}/").status_code == 200
    assert bureau.post(f"/console/regulator/fairness/{flag.pk}/uphold/", {"reason": "x"}).status_code == 403
    Organisation.objects.filter(pk=cast.data_bureau.organisation.pk).update(region="440100")
    assert bureau.get(f"/console/regulator/fairness/{flag.pk}/").status_code == 404


def test_the_running_month_and_concentration_answer_without_any_use(cast, offer):
    regulator = acting(cast.regulator.owner)
    for tab in ("running", "concentration", "refusals", "flags", "nonsense"):
        assert regulator.get(f"/console/regulator/fairness/?show={tab}").status_code == 200
    assert regulator.get("/console/regulator/fairness/?show=concentration&from=2026-13&to=x").status_code == 200


def test_the_lists_come_as_files(cast, flag, refusal):
    regulator = acting(cast.regulator.owner)
    rows = list(csv.DictReader(io.StringIO(regulator.get("/console/regulator/fairness/flags.csv").content.decode("utf-8-sig"))))
    assert (rows[0]["first_payable"], rows[0]["second_payable"], rows[0]["second_units"]) == ("1000.00", "700.00", "calls=5000")
    sheet = load_workbook(io.BytesIO(regulator.get("/console/regulator/fairness/refusals.xlsx").content)).active
    assert [cell.value for cell in sheet[2]][5] == REASON
    assert regulator.get("/console/regulator/fairness/concentration.csv").status_code == 200


# --- Refusals -------------------------------------------------------------------------------------------------------------------


def test_an_operator_refuses_with_ground_and_reason_and_keeps_what_it_typed(cast, offer):
    operator = acting(cast.operator.owner)
    given = {"product": offer.product.code, "uscc": cast.buyer.organisation.uscc, "ground": "security", "reason": ""}
    answer = operator.post("/console/operator/supply/", given)
    assert answer.status_code == 422 and cast.buyer.organisation.uscc in text(answer)
    assert operator.post("/console/operator/supply/", given | {"reason": REASON, "uscc": "91330200NOBODY"}).status_code == 422
    assert operator.post("/console/operator/supply/", given | {"reason": REASON, "product": "no-such"}).status_code == 422
    assert operator.post("/console/operator/supply/", given | {"reason": REASON}).status_code == 302
    assert operator.post("/console/operator/supply/", given | {"reason": REASON}).status_code == 422  # refused already
    assert SupplyRefusal.objects.get().organisation == cast.buyer.organisation


def test_the_refused_buyer_reads_why_at_the_basket_and_at_checkout_and_complains(cast, clock, offer):
    buyer = acting(cast.buyer.owner)
    bought = {
        "product": offer.product.code,
        "plan": "standard",
        "purpose": "industry.finance",
        "scenario": "small-business-lending",
        "units-calls": "1000",
    }
    assert buyer.post("/basket/add/", bought).status_code == 302
    basket = buyer.get("/basket/").context["views"][0].basket.pk
    page = buyer.get(f"/checkout/{basket}/")
    facts = {"ground": "security", "reason": REASON, "user": cast.operator.owner, "at": clock.now}
    made = supply_refuse(product=offer.product, organisation=cast.buyer.organisation, **facts)
    digest = page.context["agreement"].digest
    answer = buyer.post(f"/checkout/{basket}/", {"digest": digest, "accept": "on"})
    assert answer.status_code == 422 and REASON in text(answer) and "12315" in text(answer)
    answer = buyer.post("/basket/add/", bought)
    assert answer.status_code == 422 and REASON in text(answer)
    assert REASON in text(buyer.get(f"/console/buyer/refusals/{made.pk}/"))
    assert acting(cast.buyer_b.owner).post("/basket/add/", bought).status_code == 302
    buyer.post(f"/console/buyer/refusals/{made.pk}/", {"statement": "测评报告已提交。"})
    made.refresh_from_db()
    assert made.case.kind == "supply_refusal"
    regulator = acting(cast.regulator.decider)
    assert "测评报告已提交" in text(regulator.get(f"/console/regulator/fairness/refusals/{made.pk}/"))
    regulator.post(f"/console/regulator/fairness/refusals/{made.pk}/lift/", {"reason": "测评有效。"})
    assert buyer.post("/basket/add/", bought).status_code == 302


def test_a_running_entitlement_is_not_touched_by_a_refusal(cast, flag, refusal):
    assert {right.state for right in Entitlement.objects.filter(organisation=cast.buyer.organisation)} == {"active"}


def test_refusals_are_seen_by_their_parties_and_the_regulator_only(cast, refusal):
    assert acting(cast.buyer_b.owner).get(f"/console/buyer/refusals/{refusal.pk}/").status_code == 404
    assert acting(cast.operator_b.owner).get(f"/console/operator/supply/refusals/{refusal.pk}/").status_code == 404
    developer = acting(cast.buyer.developer)
    developer.post(f"/console/buyer/refusals/{refusal.pk}/", {"statement": "不服"})
    refusal.refresh_from_db()
    assert refusal.case is None  # a developer does not complain for the organisation
    page = text(acting(cast.stranger).get("/fairness/"))
    assert cast.buyer.organisation.name not in page and REASON not in page


def test_the_lists_have_a_fixed_number_of_queries(cast, clock, offer, flag, refusal):
    regulator, operator, buyer = acting(cast.regulator.owner), acting(cast.operator.owner), acting(cast.buyer.owner)
    pages = [
        (regulator, "/console/regulator/fairness/"),
        (regulator, "/console/regulator/fairness/?show=refusals"),
        (regulator, "/console/regulator/fairness/?show=concentration"),
        (operator, "/console/operator/supply/"),
        (buyer, "/console/buyer/refusals/"),
        (acting(cast.stranger), "/fairness/"),
    ]
    before = [count(client, url) for client, url in pages]
    for serial in range(2, 6):
        more = make_offer(cast, clock.now, f"more-{serial}", document=USAGE_ONLY)
        make_flag(cast, clock.now, more, str(serial))
        facts = {"ground": "debt", "reason": REASON, "user": cast.operator.owner, "at": clock.now}
        supply_refuse(product=more.product, organisation=cast.buyer.organisation, **facts)
    assert [count(client, url) for client, url in pages] == before


def count(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


# --- Size -----------------------------------------------------------------------------------------------------------------------


def test_an_owner_states_the_size_of_the_enterprise(cast):
    owner = acting(cast.buyer.owner)
    owner.post("/console/organisation/size/", {"size": "small"})
    cast.buyer.organisation.refresh_from_db()
    assert cast.buyer.organisation.size == "small"
    assert AuditEntry.objects.filter(action="organisation.size", facts={"from": "", "to": "small"}).exists()
    owner.post("/console/organisation/size/", {"size": "gigantic"})
    cast.buyer.organisation.refresh_from_db()
    assert cast.buyer.organisation.size == "small"
    assert acting(cast.buyer.developer).post("/console/organisation/size/", {"size": "large"}).status_code == 403
