"""Tariffs: proven under every cap, dated, returned in time; content and start never change."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from pricing.bodies import NoRegulator
from pricing.models import Tariff
from pricing.reading import DocumentRefused
from pricing.selectors import price_state
from pricing.tariffs.selectors import preview, tariff_in_force, tariffs_between
from pricing.tariffs.services import (
    NoCapInForce,
    PlanRefused,
    PriceAboveCap,
    ReturnTooLate,
    TariffFollows,
    TariffNotOpen,
    TariffReasonMissing,
    TariffRetroactive,
    TariffRiseTooEarly,
    plan_open,
    tariff_file,
    tariff_note,
    tariff_return,
    tariff_withdraw,
)
from products.models import Notice, Organisation
from products.organisations.selectors import RoleMissing
from products.record import cases
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, tariff

TODAY = date(2026, 10, 20)
TOMORROW = date(2026, 10, 21)
DECEMBER = date(2026, 12, 1)


@pytest.fixture
def product(cast, clock):
    made = make_product(cast, clock.now)
    published(cast, made, caps(("calls", "0.50"), ("year", "12000"), start=TODAY), clock.now)
    return made


@pytest.fixture
def plan(cast, clock, product):
    return make_plan(cast, product, clock.now)


@pytest.mark.parametrize("price", ["0.50", "0", "0.499999"])
def test_scenario_34_a_price_up_to_the_cap_is_filed(cast, clock, plan, price):
    assert filed(cast, plan, per_call(price), TODAY, clock.now).state == "filed"


def test_scenario_34_a_price_above_the_cap_is_refused_with_the_smallest_quantity(cast, clock, plan):
    with pytest.raises(PriceAboveCap) as refused:
        filed(cast, plan, per_call("0.51"), TODAY, clock.now)
    found = refused.value.counter_examples[0]
    assert (found.quantity, found.price, found.cap, found.document_no) == (1, "0.510000", "0.50", "甬发改价〔2026〕1号")
    assert found.parts == (("技术服务费", "0.51"),)
    assert Tariff.objects.count() == 0


def test_scenario_35_a_compulsory_extra_counts_into_the_price(cast, clock, plan):
    extra = {"code": "facility", "label": "设施费", "basis": "calls", "model": "per_unit", "unit_price": "0.10"}
    document = per_call("0.45")
    document["components"].append(extra)
    with pytest.raises(PriceAboveCap) as refused:
        filed(cast, plan, document, TODAY, clock.now)
    found = refused.value.counter_examples[0]
    assert (found.price, found.total) == ("0.550000", "0.55")
    assert [amount for _label, amount in found.parts] == ["0.45", "0.10"]
    extra["collected"] = False
    assert filed(cast, plan, document, TODAY, clock.now).version == 1


def test_a_tariff_is_held_against_caps_that_begin_later_too(cast, clock, product, plan):
    published(cast, product, caps(("calls", "0.30"), ("year", "12000"), start=DECEMBER), clock.now)
    with pytest.raises(PriceAboveCap) as refused:
        filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    assert refused.value.counter_examples[0].from_date == DECEMBER


def test_a_tariff_is_held_against_the_caps_of_each_purpose_class_it_serves(cast, clock):
    product = make_product(cast, clock.now, code="both", purposes=("industry.finance", "sector.transport"))
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    plan = make_plan(cast, product, clock.now, purposes=("industry.finance", "sector.transport"))
    with pytest.raises(NoCapInForce, match="sector"):
        filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    published(cast, product, caps(("calls", "0.30"), start=TOMORROW, purposes=("sector",)), clock.now)
    with pytest.raises(PriceAboveCap) as refused:
        filed(cast, plan, per_call("0.40"), TOMORROW, clock.now)
    assert [found.purpose_class for found in refused.value.counter_examples] == ["sector"]


def test_a_filed_tariff_is_in_force_on_its_date_and_before_the_regulator(cast, clock, plan):
    filing = filed(cast, plan, per_call(), date(2026, 10, 25), clock.now)
    assert tariff_in_force(plan=plan, on=date(2026, 10, 24)) is None
    assert tariff_in_force(plan=plan, on=date(2026, 10, 25)) == filing
    assert filing.case.handler == cast.regulator.organisation
    assert cases.days_left(case=filing.case, today=TODAY).days == 5
    assert Notice.objects.filter(kind="tariff.filed", user=cast.regulator.decider).exists()


def test_only_people_who_price_for_the_operator_file(cast, clock, plan):
    for person in (cast.operator.developer, cast.operator_b.owner, cast.authority.owner):
        with pytest.raises(RoleMissing):
            tariff_file(plan=plan, document=per_call(), from_date=TODAY, user=person, reason="x", at=clock.now)


def test_a_filing_needs_a_reason_a_date_and_a_readable_document(cast, clock, plan):
    with pytest.raises(TariffReasonMissing):
        filed(cast, plan, per_call(), TODAY, clock.now, reason=" ")
    with pytest.raises(TariffRetroactive):
        filed(cast, plan, per_call(), TODAY - timedelta(days=1), clock.now)
    with pytest.raises(DocumentRefused, match="/components/0/unit_price"):
        filed(cast, plan, per_call(0.5), TODAY, clock.now)


def test_a_region_without_a_regulator_takes_no_tariff(cast, clock, plan):
    Organisation.objects.filter(kind="price_regulator").update(region="460000")
    with pytest.raises(NoRegulator):
        filed(cast, plan, per_call(), TODAY, clock.now)


def test_a_cut_may_begin_tomorrow_and_ends_the_version_before(cast, clock, plan):
    first = filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    with pytest.raises(TariffRetroactive):
        filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    second = filed(cast, plan, per_call("0.40"), TOMORROW, clock.now)
    first.refresh_from_db()
    assert (first.period.upper, second.version) == (TOMORROW, 2)
    assert tariffs_between(plan=plan, from_date=TODAY, to_date=DECEMBER) == [first, second]
    assert tariffs_between(plan=plan, from_date=TOMORROW, to_date=DECEMBER) == [second]


@pytest.mark.parametrize("start", [date(2026, 11, 1), date(2026, 11, 25)])
def test_a_rise_waits_for_the_notice_period_and_the_first_of_a_month(cast, clock, plan, start):
    filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    with pytest.raises(TariffRiseTooEarly, match="calls"):
        filed(cast, plan, per_call("0.45"), start, clock.now)
    assert filed(cast, plan, per_call("0.45"), DECEMBER, clock.now).version == 2


def test_the_regulator_notes_a_tariff_once(cast, clock, plan):
    filing = filed(cast, plan, per_call(), TODAY, clock.now)
    for person in (cast.operator.owner, cast.authority.checker, cast.data_bureau.reviewer):
        with pytest.raises(RoleMissing):
            tariff_note(tariff=filing, user=person, at=clock.now)
    tariff_note(tariff=filing, user=cast.regulator.decider, at=clock.now)
    assert (filing.state, filing.case.state, filing.case.outcome) == ("accepted", "closed", "noted")
    with pytest.raises(TariffNotOpen):
        tariff_return(tariff=filing, user=cast.regulator.decider, reason="too late", at=clock.now)


def test_a_returned_tariff_never_was_in_force_and_the_one_before_goes_on(cast, clock, plan):
    first = filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    second = filed(cast, plan, per_call("0.40"), DECEMBER, clock.now)
    with pytest.raises(TariffReasonMissing):
        tariff_return(tariff=second, user=cast.regulator.decider, reason="", at=clock.now)
    tariff_return(tariff=second, user=cast.regulator.decider, reason="成本依据不足", at=clock.now)
    going_on = tariff_in_force(plan=plan, on=DECEMBER)
    assert (second.state, going_on.continues, going_on.document) == ("returned", first, first.document)
    assert [t.version for t in tariffs_between(plan=plan, from_date=TODAY, to_date=date(2027, 1, 1))] == [1, 3]
    assert Notice.objects.get(kind="tariff.returned", user=cast.operator.owner).facts["reason"] == "成本依据不足"


def test_a_tariff_returned_after_it_began_stops_before_tomorrow(cast, clock, plan):
    first = filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    second = filed(cast, plan, per_call("0.40"), TOMORROW, clock.now)
    clock.move(days=2)
    tariff_return(tariff=second, user=cast.regulator.decider, reason="重新测算", at=clock.now)
    assert second.state == "stopped"
    assert tariff_in_force(plan=plan, on=date(2026, 10, 22)) == second
    assert tariff_in_force(plan=plan, on=date(2026, 10, 23)).continues == first


def test_a_return_comes_within_the_working_days_of_the_rule_set(cast, clock, plan):
    filing = filed(cast, plan, per_call(), TODAY, clock.now)
    clock.move(days=7)  # 27 October: the fifth working day
    assert cases.days_left(case=filing.case, today=clock.now.date()).days == 0
    clock.move(days=1)
    with pytest.raises(ReturnTooLate):
        tariff_return(tariff=filing, user=cast.regulator.decider, reason="late", at=clock.now)
    assert tariff_in_force(plan=plan, on=clock.now.date()) == filing


def test_a_withdrawn_tariff_leaves_no_gap_and_makes_room(cast, clock, plan):
    filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    second = filed(cast, plan, per_call("0.40"), DECEMBER, clock.now)
    with pytest.raises(TariffFollows):
        filed(cast, plan, per_call("0.30"), TOMORROW, clock.now)
    tariff_withdraw(tariff=second, user=cast.operator.owner, reason="", at=clock.now)
    assert second.case.state == "closed"
    assert tariff_in_force(plan=plan, on=DECEMBER).document == per_call("0.50")
    third = filed(cast, plan, per_call("0.30"), TOMORROW, clock.now)
    assert tariff_in_force(plan=plan, on=DECEMBER) == third
    assert tariff_in_force(plan=plan, on=TODAY).version == 1


def test_a_tariff_in_force_is_not_withdrawn(cast, clock, plan):
    filing = filed(cast, plan, per_call(), TODAY, clock.now)
    with pytest.raises(TariffNotOpen):
        tariff_withdraw(tariff=filing, user=cast.operator.owner, reason="", at=clock.now)


def test_a_tariff_keeps_its_content_and_start(cast, clock, plan):
    row = Tariff.objects.filter(pk=filed(cast, plan, per_call(), TODAY, clock.now).pk)
    for change in ({"document": per_call("0.01")}, {"version": 9}, {"filed_by": cast.operator.developer}):
        with pytest.raises(IntegrityError, match="keeps its content"), transaction.atomic():
            row.update(**change)
    with pytest.raises(IntegrityError, match="keeps its start"), transaction.atomic():
        row.update(period=(TOMORROW, None), end_set_at=clock.now)
    with pytest.raises(IntegrityError, match="in the future"), transaction.atomic():
        row.update(period=(TODAY - timedelta(days=1) + timedelta(days=1), TOMORROW), end_set_at=clock.now + timedelta(days=1))
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        row.delete()


def test_two_versions_of_a_plan_never_overlap(cast, clock, plan):
    filing = filed(cast, plan, per_call(), TODAY, clock.now)
    filing.pk, filing.version = None, 2
    with pytest.raises(IntegrityError, match="tariff_no_overlap"), transaction.atomic():
        filing.save(force_insert=True)


def test_a_market_priced_product_is_filed_without_cap_and_regulator(cast, clock):
    product = make_product(cast, clock.now, code="merchant")
    type(product).objects.filter(pk=product.pk).update(regime="market")
    product.refresh_from_db()
    filing = filed(cast, make_plan(cast, product, clock.now), per_call("9.99"), TODAY, clock.now)
    assert (filing.state, filing.case) == ("accepted", None)
    assert price_state(product=product, on=TODAY).kind == "priced"


def test_plans_serve_charged_purposes_of_the_product_only(cast, clock, product):
    for purposes in (["welfare.education"], ["industry.insurance"], []):
        with pytest.raises(PlanRefused):
            plan_open(product=product, code="x", name="x", purposes=purposes, user=cast.operator.owner, at=clock.now)


def test_the_preview_says_what_would_cost_more_and_where_the_cap_is_broken(cast, clock, plan):
    filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    found = preview(plan=plan, document=per_call("0.45"), from_date=DECEMBER)
    assert (found.is_within_caps, found.rises) == (True, ("calls",))
    dear = tariff({"code": "base", "label": "年费", "basis": "periods", "model": "flat", "period": "year", "price": "13000.00"})
    found = preview(plan=plan, document=dear, from_date=DECEMBER)
    assert (found.counter_examples[0].basis, found.counter_examples[0].period) == ("periods", "year")
    assert found.counter_examples[0].parts == (("年费", "13000.00"),)


def test_the_price_state_follows_cap_and_tariff(cast, clock, product, plan):
    assert [gap.code for gap in price_state(product=product, on=TODAY).gaps] == ["no_price"]
    filed(cast, plan, per_call(), TODAY, clock.now)
    assert price_state(product=product, on=TODAY).kind == "priced"
    assert price_state(product=product, on=TODAY - timedelta(days=1)).kind == "missing"
    product.purposes = ["welfare.education"]
    assert price_state(product=product, on=TODAY).kind == "free"
