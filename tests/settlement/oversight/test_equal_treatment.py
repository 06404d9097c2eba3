"""Findings of equal treatment from real closes: scenario 43, each pair once, the operator explains, another decides."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction

from products.organisations.selectors import RoleMissing
from products.record.models import Case, Notice
from settlement.entitlements.services import DiscountNotOpenToAll, entitlement_open
from settlement.oversight.equal_treatment import (
    DecidedByExplainer,
    FlagNotOpen,
    OperatorStillToAnswer,
    ReasonMissing,
    findings,
    flag_decide,
    flag_explain,
    flags_after_closes,
    flags_find,
)
from settlement.oversight.models import EqualTreatmentFlag
from tests.settlement.books import OCTOBER, TIERS, component, document, moment
from tests.settlement.oversight.conftest import ROLES

AT = moment("2026-11-04 09:00")
KEY = {"reason": "key_scenario", "percent": "30", "components": ["calls"]}
SMALL = {"reason": "small_business", "percent": "20", "components": ["calls"]}


@pytest.fixture
def priced(market):
    market.books.price(document(component(model="graduated", tiers=TIERS), discounts=[KEY, SMALL]))
    return market


@pytest.fixture
def flag(priced):
    priced.sell("bank-a")
    priced.sell("bank-b", discounts=("key_scenario",), calls="6000")
    priced.books.close()
    (found,) = flags_find(month=OCTOBER, at=AT)
    return found


def test_scenario_43_a_private_discount_to_one_of_two_banks_is_flagged_with_both_cases_side_by_side(priced):
    first = priced.sell("bank-a", calls="5000")
    second = priced.sell("bank-b", discounts=("key_scenario",), calls="6000")
    priced.books.close()
    (flag,) = flags_find(month=OCTOBER, at=AT)
    assert (flag.first, flag.second, flag.state, flag.purpose) == (first, second, "open", "industry.finance.pre_loan")
    named = ("units", "gross", "discount", "payable", "deserved", "effective_unit_price", "tariff_versions")
    assert [flag.facts["first"][name] for name in named] == [
        *({"calls": "5000"}, "2500.00", "0.00", "2500.00", "2500.00", {"calls": "0.500000"}, [2])
    ]
    assert [flag.facts["second"][name] for name in named] == [
        *({"calls": "6000"}, "3000.00", "900.00", "2100.00", "3000.00", {"calls": "0.350000"}, [2])
    ]
    assert flag.facts["second"]["discounts"] == [{"reason": "key_scenario", "percent": "30", "is_met": False}]
    assert (flag.case.kind, flag.case.handler, flag.case.limit_days) == ("equal_treatment", priced.regulator, 10)


def test_scenario_43_volume_tiers_open_to_all_are_fine(priced):
    priced.sell("bank-a", calls="5000")
    priced.sell("bank-b", calls="250000")  # a lower price a call, by the tiers that both have
    priced.books.close()
    assert flags_find(month=OCTOBER, at=AT) == []


def test_a_published_discount_whose_condition_the_buyer_meets_is_not_flagged(priced):
    priced.sell("bank-a")
    priced.sell("micro-lender", discounts=("small_business",), size="micro")
    priced.books.close()
    assert flags_find(month=OCTOBER, at=AT) == []


def test_a_buyer_that_meets_a_condition_and_paid_the_full_price_is_flagged_as_the_one_that_paid_more(priced):
    left_out = priced.sell("small-bank", size="small")
    given = priced.sell("micro-lender", discounts=("small_business",), size="micro")
    priced.books.close()
    (flag,) = flags_find(month=OCTOBER, at=AT)
    assert (flag.first, flag.second) == (left_out, given)
    assert flag.facts["first"]["not_given"] == [{"reason": "small_business", "percent": "20"}]


def test_a_new_version_of_the_tariff_in_the_month_is_not_a_difference_between_buyers(priced):
    priced.books.price(document(component(unit_price="0.30"), discounts=[KEY]), from_date=date(2026, 10, 16))
    priced.sell("bank-a", calls="5000")  # on 5 October, at 0.50
    later = priced.sell("bank-b", calls="1")
    priced.books.use("5000", "2026-10-20 12:00", later)  # at 0.30
    priced.books.close()
    assert flags_find(month=OCTOBER, at=AT) == []


def test_a_pair_is_flagged_once_however_often_the_comparison_runs(priced, flag):
    assert flags_find(month=OCTOBER, at=AT) == [] and flags_after_closes(at=AT) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        EqualTreatmentFlag.objects.create(
            product=flag.product, month=OCTOBER, purpose=flag.purpose, first=flag.first, second=flag.second, facts={}, found_at=AT
        )
    assert Case.objects.filter(kind="equal_treatment").count() == 1


def test_the_job_after_a_close_finds_them_too_and_tells_both_sides(priced):
    pricing, decider = priced.person("operator", "pricing"), priced.person("regulator", "decider")
    priced.sell("bank-a")
    priced.sell("bank-b", discounts=("key_scenario",))
    priced.books.close()
    assert len(flags_after_closes(at=AT)) == 1
    assert {notice.user for notice in Notice.objects.filter(kind="equal_treatment.found")} == {pricing, decider}


def test_a_running_month_can_be_looked_at_and_flags_nothing(priced):
    priced.sell("bank-a")
    priced.sell("bank-b", discounts=("key_scenario",))
    ((pair, first, second),) = findings(month=OCTOBER)
    assert (first.facts["payable"], second.facts["payable"], pair.peers) == ("2500.00", "1750.00", 1)
    assert flags_find(month=OCTOBER, at=AT) == []
    priced.books.close()
    assert [f.facts["second"]["payable"] for f in flags_find(month=OCTOBER, at=AT)] == ["1750.00"]


def test_late_use_counts_in_its_service_month(priced):
    priced.sell("bank-a")
    late = priced.sell("bank-b", discounts=("key_scenario",), calls="")
    priced.books.close()
    assert flags_find(month=OCTOBER, at=AT) == []
    priced.books.use("5000", "2026-10-20 12:00", late, received="2026-11-06 09:00")
    priced.books.close(date(2026, 11, 1), "2026-12-04 09:00")
    (flag,) = flags_after_closes(at=moment("2026-12-04 10:00"))
    assert (flag.month, flag.facts["second"]["units"], flag.facts["second"]["payable"]) == (OCTOBER, {"calls": "5000"}, "1750.00")


def test_who_explained_does_not_decide_and_an_unexplained_finding_waits_for_the_operators_days(priced, flag):
    decider = priced.person("regulator", "decider")
    with pytest.raises(OperatorStillToAnswer):
        flag_decide(flag=flag, user=decider, is_upheld=True, reason="未说明", at=AT)
    flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="沿用旧合同", at=AT)
    with pytest.raises(FlagNotOpen):
        flag_explain(flag=flag, user=priced.person("operator", "owner"), explanation="再说一次", at=AT)
    EqualTreatmentFlag.objects.filter(pk=flag.pk).update(explained_by=decider)
    flag.refresh_from_db()
    with pytest.raises(DecidedByExplainer):
        flag_decide(flag=flag, user=decider, is_upheld=True, reason="不成立", at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        EqualTreatmentFlag.objects.filter(pk=flag.pk).update(decided_by=decider, decided_at=AT, state="upheld")
    done = flag_decide(flag=flag, user=priced.person("regulator", "reviewer"), is_upheld=True, reason="同等条件不同价", at=AT)
    assert (done.state, done.case.state, done.case.outcome) == ("upheld", "closed", "upheld")


def test_an_unexplained_finding_is_decided_once_the_days_are_over(priced, flag):
    after = moment("2026-11-20 09:00")
    done = flag_decide(flag=flag, user=priced.person("regulator", "decider"), is_upheld=False, reason="金额轻微", at=after)
    assert done.state == "dismissed"
    with pytest.raises(FlagNotOpen):
        flag_decide(flag=done, user=priced.person("regulator", "decider"), is_upheld=True, reason="改判", at=after)


def test_an_upheld_finding_tells_the_buyer_that_paid_more_and_not_what_the_other_bought(priced, flag):
    owner = priced.person("buyer", "owner")
    flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="沿用旧合同", at=AT)
    flag_decide(flag=flag, user=priced.person("regulator", "decider"), is_upheld=True, reason="应予纠正", at=AT)
    (notice,) = Notice.objects.filter(kind="equal_treatment.upheld", user=owner)
    assert "bank-b" not in str(notice.facts)


def test_reasons_are_needed(priced, flag):
    with pytest.raises(ReasonMissing):
        flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="  ", at=AT)
    flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="沿用旧合同", at=AT)
    with pytest.raises(ReasonMissing):
        flag_decide(flag=flag, user=priced.person("regulator", "decider"), is_upheld=True, reason="", at=AT)


@pytest.mark.parametrize("act", ["explain", "decide"])
def test_only_the_due_roles_of_the_due_side_act_over_every_pair(priced, flag, act):
    """Every role of every side tries the step; a savepoint takes each success back."""
    may = {"explain": ("operator", {"pricing", "owner"}), "decide": ("regulator", {"pricing", "reviewer", "decider"})}[act]
    if act == "decide":
        flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="沿用旧合同", at=AT)
    done = set()
    for side in ("operator", "regulator", "buyer"):
        for role in ROLES:
            user = priced.person(side, role)
            try:
                with transaction.atomic():
                    if act == "explain":
                        flag_explain(flag=flag, user=user, explanation="说明", at=AT)
                    else:
                        flag_decide(flag=flag, user=user, is_upheld=True, reason="理由", at=AT)
                    done.add((side, role))
                    raise RoleMissing("taken back")
            except RoleMissing:
                flag.refresh_from_db()
    assert done == {(may[0], role) for role in may[1]}


def test_the_database_keeps_what_was_found_and_what_was_decided(priced, flag):
    for change in ({"facts": {}}, {"month": date(2026, 9, 1)}, {"second": flag.first}):
        with pytest.raises(IntegrityError), transaction.atomic():
            EqualTreatmentFlag.objects.filter(pk=flag.pk).update(**change)
    flag_explain(flag=flag, user=priced.person("operator", "pricing"), explanation="沿用旧合同", at=AT)
    flag_decide(flag=flag, user=priced.person("regulator", "decider"), is_upheld=True, reason="应予纠正", at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        EqualTreatmentFlag.objects.filter(pk=flag.pk).update(state="dismissed")


# --- The door: no private discount ----------------------------------------------------------------------------------------------


def open_right(market, bank, discounts, at: datetime = AT):
    stall = market.books.stall
    return entitlement_open(
        organisation=bank,
        product=stall.product,
        plan=stall.plan,
        purposes=["industry.finance.pre_loan"],
        scenario="port",
        valid_from=at,
        valid_to=moment("2027-11-04 09:00"),
        discounts=discounts,
        at=at,
    )


@pytest.mark.parametrize("reason", ["vip", "key_scenario", "small_business"])
def test_a_discount_that_is_not_published_or_whose_condition_is_not_met_is_refused(priced, reason):
    bank = priced.sell("bank-a").organisation
    with pytest.raises(DiscountNotOpenToAll) as refused:
        open_right(priced, bank, [reason])
    assert reason in str(refused.value) and refused.value.field == "discounts"


def test_a_published_discount_is_given_to_who_meets_its_condition(priced):
    bank = priced.sell("micro-lender", size="micro").organisation
    bank.refresh_from_db()
    assert open_right(priced, bank, ["small_business"]).discounts == ["small_business"]


def test_a_discount_needs_a_published_tariff_at_all(market):
    bank = market.sell("micro-lender", size="micro").organisation
    bank.refresh_from_db()
    with pytest.raises(DiscountNotOpenToAll):
        open_right(market, bank, ["small_business"])
