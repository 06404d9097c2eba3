"""What a tariff must be before it is filed, beside its caps: a total that never falls, and no clause that may not stand."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from pricing.models import Plan, Tariff
from pricing.tariffs.selectors import preview, tariff_in_force, timeline
from pricing.tariffs.services import ClauseForbidden, TariffFalls, plan_open, tariff_return
from products.models import AuditEntry
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, tariff

TODAY, TOMORROW, DECEMBER = date(2026, 10, 20), date(2026, 10, 21), date(2026, 12, 1)
TIERS = [{"up_to": "100", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.25"}]
FALLING = tariff({"code": "calls", "label": "技术服务费", "basis": "calls", "model": "volume", "tiers": TIERS})


@pytest.fixture
def product(cast, clock):
    made = make_product(cast, clock.now)
    published(cast, made, caps(("calls", "0.50"), ("year", "12000"), start=TODAY), clock.now)
    return made


@pytest.fixture
def plan(cast, clock, product):
    return make_plan(cast, product, clock.now)


def test_a_total_that_falls_is_refused_with_both_totals(cast, clock, plan):
    with pytest.raises(TariffFalls, match="从 100 增至 101") as refused:
        filed(cast, plan, FALLING, TODAY, clock.now)
    found = refused.value.example
    assert (found.quantity, found.total, found.next, found.next_total) == ("100", "50.00", "101", "25.25")
    assert refused.value.field == "may_fall"
    assert not Tariff.objects.exists()


def test_a_total_may_fall_where_the_author_says_so_and_that_is_kept(cast, clock, plan):
    filing = filed(cast, plan, FALLING, TODAY, clock.now, may_fall=True)
    assert filing.may_fall
    assert AuditEntry.objects.get(action="tariff.filed").facts["may_fall"] is True
    with pytest.raises(IntegrityError, match="keeps its content"), transaction.atomic():
        Tariff.objects.filter(pk=filing.pk).update(may_fall=False)


def test_a_total_that_never_falls_is_not_marked_whatever_the_author_ticks(cast, clock, plan):
    assert not filed(cast, plan, per_call("0.40"), TODAY, clock.now, may_fall=True).may_fall


def test_the_mark_goes_on_with_a_tariff_that_goes_on(cast, clock, plan):
    filed(cast, plan, FALLING, TODAY, clock.now, may_fall=True)
    later = filed(cast, plan, per_call("0.20"), DECEMBER, clock.now)
    tariff_return(tariff=later, user=cast.regulator.decider, reason="依据不足", at=clock.now)
    assert tariff_in_force(plan=plan, on=DECEMBER).may_fall


def test_a_tariff_cut_by_a_cap_says_whether_its_total_falls(cast, clock, product, plan):
    filed(cast, plan, FALLING, TODAY, clock.now, may_fall=True)
    published(cast, product, caps(("calls", "0.25"), ("year", "12000"), start=DECEMBER), clock.now)
    cut = tariff_in_force(plan=plan, on=DECEMBER)
    assert (cut.clamped_from is not None, cut.may_fall) == (True, False)


def test_the_preview_has_the_fall(clock, plan):
    assert preview(plan=plan, document=FALLING, from_date=TODAY).fall.drop == "24.75"
    assert preview(plan=plan, document=per_call("0.40"), from_date=TODAY).fall is None


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ("合同期内不得向其他机构采购。", "exclusivity"),
        ("须同时订购数据清洗服务。", "tie_in"),
        ("You must also buy the storage service.", "tie_in"),
        ("年末按用量返利。", "loyalty"),
    ],
)
def test_scenario_44_an_exclusivity_or_tie_in_clause_is_refused(cast, clock, product, terms, kind):
    opened = {"name": "标准版", "purposes": ["industry.finance.pre_loan"], "user": cast.operator.owner, "at": clock.now}
    with pytest.raises(ClauseForbidden) as refused:
        plan_open(product=product, code="bound", terms=terms, **opened)
    assert kind in [clause.kind for clause in refused.value.clauses]
    assert refused.value.clauses[0].words in str(refused.value)
    assert not Plan.objects.exists()


def test_scenario_44_a_plan_that_was_opened_with_such_a_clause_cannot_be_priced(cast, clock, plan):
    Plan.objects.filter(pk=plan.pk).update(terms="本套餐为独家合作。")
    plan.refresh_from_db()
    with pytest.raises(ClauseForbidden, match="独家"):
        filed(cast, plan, per_call(), TODAY, clock.now)


def test_scenario_35_a_compulsory_fee_in_the_terms_is_outside_the_price_and_refused(cast, clock, product):
    opened = {"name": "标准版", "purposes": ["industry.finance.pre_loan"], "user": cast.operator.owner, "at": clock.now}
    with pytest.raises(ClauseForbidden) as refused:
        plan_open(product=product, code="deposit", terms="开通时另收接入费 5000 元。", **opened)
    assert "extra_fee" in [clause.kind for clause in refused.value.clauses]


def test_scenario_43_a_discount_for_one_named_buyer_is_refused(cast, clock, plan):
    document = per_call("0.40", discounts=[{"reason": "91330200MA2T001030", "percent": "10", "components": ["calls"]}])
    with pytest.raises(ClauseForbidden) as refused:
        filed(cast, plan, document, TODAY, clock.now)
    assert (refused.value.field, refused.value.clauses[0].kind) == ("document", "private_discount")


def test_versions_follow_each_other_without_gap_and_a_stop_shows_as_one(cast, clock, plan):
    first = filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    filed(cast, plan, per_call("0.40"), DECEMBER, clock.now)
    assert (timeline(plan=plan).gaps, timeline(plan=plan).is_open) == ((), True)
    other = make_plan(cast, plan.product, clock.now, code="other")
    stopped = filed(cast, other, per_call("0.50"), TODAY, clock.now)
    tariff_return(tariff=stopped, user=cast.regulator.decider, reason="依据不足", at=clock.now)
    assert (timeline(plan=other).gaps, timeline(plan=other).is_open) == ((), False)
    filed(cast, other, per_call("0.45"), DECEMBER, clock.now)
    assert timeline(plan=other).gaps == ((TOMORROW, date(2026, 11, 30)),)
    assert first.period.lower == TODAY
