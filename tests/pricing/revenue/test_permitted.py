"""A permitted revenue from draft to determination: what is refused and why, three people of two bodies, nothing changed after."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product as pairs

import pytest
from django.db import IntegrityError, connection, transaction

from pricing.models import PermittedRevenue, RevenueOpinion
from pricing.revenue import permitted_refusals as refusals
from pricing.revenue.permitted import (
    opinion_add,
    permitted_revenue_agree,
    permitted_revenue_determine,
    permitted_revenue_draft,
    permitted_revenue_open,
    permitted_revenue_revise,
    permitted_revenue_send_back,
    permitted_revenue_withdraw,
)
from pricing.revenue.permitted_checks import opinions_due
from pricing.revenue.standing import full_year_complete, operating_since, permitted_revenue_on
from products.models import AuditEntry, Case, Notice, Organisation, RuleSet
from products.organisations.selectors import RoleMissing
from tests.factories.offers import make_product
from tests.pricing.revenue.operation import MILLION, determined, drafted, inputs, make_filing, make_operation, opened, spoken

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(cast, clock):
    return make_operation(cast, clock.now)


@pytest.fixture
def filing(cast, clock, operation):
    return make_filing(cast, operation, clock.now)


def with_rules(**changes):
    """The national rules with other values, from their beginning."""
    rule_set = RuleSet.objects.get(jurisdiction="CN")
    rule_set.parameters |= changes
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        rule_set.save()
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_scenario_23_a_draft_from_eight_million_of_audited_cost_permits_8_835_200(cast, clock, operation, filing):
    own = drafted(cast, operation, clock.now, filing)
    assert (own.cost_minor, own.profit_minor, own.tax_minor) == (8 * MILLION, 626_400_00, 208_800_00)
    assert own.amount_minor == own.year_minor == 8_835_200_00
    assert (own.data_bureau, own.state) == (cast.data_bureau.organisation, "draft")
    assert own.case.kind == "permitted_revenue" and own.case.limit_days == 40
    assert AuditEntry.objects.filter(action="permitted_revenue.drafted", actor=cast.regulator.owner).exists()


def test_every_figure_says_where_it_comes_from(cast, clock, operation, filing):
    own = drafted(cast, operation, clock.now, filing)
    figures = {each["code"]: each for each in own.figures}
    assert list(figures) == (
        [
            "cost",
            "base",
            "treasury_yield",
            "spread",
            "profit_rate",
            "profit",
            "income_tax_rate",
            "tax",
            "year",
            "prorated",
            "deduction",
            "amount",
        ]
    )
    source = figures["cost"]["source"]["filings"][0]
    assert (source["id"], source["year"], source["admitted_minor"]) == (filing.pk, 2025, 8 * MILLION)
    assert {row["nature"]: row["admitted_minor"] for row in source["by_nature"]}["fine"] == 0
    assert figures["spread"]["source"]["source"].startswith("发改价格〔2025〕65号")
    assert figures["tax"]["steps"] == "626,400.00 ÷ (1 − 25%) × 25% = 208,800.00"
    assert figures["prorated"]["steps"] == "8,835,200.00 × (365/365) = 8,835,200.00"


def test_scenario_22_a_rate_above_yield_and_spread_is_refused_with_the_highest(cast, clock, operation, filing):
    with pytest.raises(refusals.RateTooHigh, match=r"7\.83%") as refused:
        drafted(cast, operation, clock.now, filing, profit_rate=Decimal("0.08"))
    assert (refused.value.field, refused.value.facts["highest"]) == ("profit_rate", "7.83%")
    assert not PermittedRevenue.objects.exists() and not Case.objects.exists()


def test_scenario_24_without_a_complete_year_a_formal_maximum_is_refused_and_the_trial_offered(cast, clock):
    operation = make_operation(cast, clock.now, since=date(2025, 6, 1))
    filing = make_filing(cast, operation, clock.now)
    assert not full_year_complete(authorisation=operation, on=date(2026, 12, 31))
    with pytest.raises(refusals.NoFullYear, match=r"试行|trial"):
        drafted(cast, operation, clock.now, filing)
    assert full_year_complete(authorisation=operation, on=date(2027, 1, 1))


def test_an_operation_begins_with_its_first_listing_where_nothing_earlier_is_stated(cast, clock):
    operation = make_operation(cast, clock.now, since=None)
    assert operating_since(authorisation=operation) is None
    make_product(cast, clock.now, "first", authorisation=operation)
    assert operating_since(authorisation=operation) == clock.now.date()


def test_scenario_33_a_first_period_of_214_days_is_prorated(cast, clock, operation, filing):
    own = drafted(cast, operation, clock.now, filing, from_date=date(2026, 6, 1))
    assert (own.year_minor, own.amount_minor) == (8_835_200_00, 5_180_089_86)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_date": date(2026, 1, 2)}, "from_date"),
        ({"last_date": date(2026, 12, 30)}, "to_date"),
        ({"last_date": date(2025, 12, 31)}, "to_date"),
        ({"last_date": date(2029, 1, 31)}, "to_date"),  # 37 months
        ({"from_date": date(2028, 1, 1), "last_date": date(2029, 12, 31)}, "to_date"),  # after the authorisation
        ({"last_date": date(2026, 9, 30)}, "to_date"),  # over
        ({"from_date": date(2025, 12, 1), "last_date": date(2026, 11, 30)}, "from_date"),  # in the trial
    ],
)
def test_a_period_that_cannot_be_is_refused_at_its_field(cast, clock, operation, filing, changes, field):
    with pytest.raises(refusals.PeriodRefused) as refused:
        drafted(cast, operation, clock.now, filing, **changes)
    assert refused.value.field == field


def test_two_periods_never_overlap(cast, clock, operation, filing):
    first = determined(cast, operation, clock.now, filing)
    with pytest.raises(refusals.PeriodOverlaps, match="2026-01-01"):
        drafted(cast, operation, clock.now, filing, from_date=date(2026, 12, 1), last_date=date(2027, 11, 30))
    assert permitted_revenue_on(authorisation=operation, on=date(2026, 12, 31)) == first
    assert permitted_revenue_on(authorisation=operation, on=date(2027, 1, 1)) is None
    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        first.pk = None
        first.save(force_insert=True)


def test_two_drafts_for_one_time_become_one_determination(cast, clock, operation, filing):
    one, two = (opened(cast, operation, clock.now, filing) for _n in range(2))
    for own in (one, two):
        spoken(cast, own, clock.now)
    permitted_revenue_determine(permitted_revenue=one, user=cast.regulator.decider, at=clock.now)
    with pytest.raises(refusals.PeriodOverlaps):
        permitted_revenue_determine(permitted_revenue=two, user=cast.regulator.decider, at=clock.now)


def test_filings_that_do_not_count_are_refused(cast, clock, operation):
    other = make_operation(cast, clock.now, number="other")
    wrong = [
        make_filing(cast, operation, clock.now, state="submitted"),
        make_filing(cast, other, clock.now),
        make_filing(cast, operation, clock.now, year=2024),  # not a complete year
    ]
    for filing in wrong:
        with pytest.raises(refusals.FilingRefused):
            drafted(cast, operation, clock.now, filing)
    with pytest.raises(refusals.FilingRefused):
        permitted_revenue_draft(
            authorisation=operation,
            regulator=cast.regulator.organisation,
            inputs=inputs(),
            user=cast.regulator.owner,
            at=clock.now,
        )


def test_costs_of_two_years_count_by_their_mean(cast, clock, operation, filing):
    clock.move(days=400)
    second = make_filing(cast, operation, clock.now, year=2026, admitted=9 * MILLION + 1)
    own = drafted(cast, operation, clock.now, filing, second, from_date=date(2027, 1, 1), last_date=date(2029, 10, 31))
    assert own.cost_minor == 850_000_001  # half a fen goes up


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"treasury_yield": Decimal("1.83"), "profit_rate": Decimal("0.01")}, "treasury_yield"),
        ({"treasury_yield": Decimal("-0.01"), "profit_rate": Decimal("0.01")}, "treasury_yield"),
        ({"treasury_yield": Decimal("0.0183001")}, "treasury_yield"),
        ({"treasury_source": " "}, "treasury_source"),
        ({"profit_rate": Decimal("-0.01")}, "profit_rate"),
        ({"income_tax_rate": Decimal("0.26")}, "income_tax_rate"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_at_its_field(cast, clock, operation, filing, changes, field):
    with pytest.raises(refusals.FigureRefused) as refused:
        drafted(cast, operation, clock.now, filing, **changes)
    assert refused.value.field == field


def test_where_the_rules_take_effective_assets_the_profit_stands_on_them(cast, clock, operation, filing):
    with_rules(profit_base="EFFECTIVE_ASSETS")
    with pytest.raises(refusals.FigureRefused) as refused:
        drafted(cast, operation, clock.now, filing)
    assert refused.value.field == "assets"
    own = drafted(cast, operation, clock.now, filing, assets_minor=12 * MILLION)
    assert (own.profit_minor, own.figures[1]["source"]["basis"]) == (939_600_00, "assets")


def test_a_regulator_of_another_region_is_refused(cast, clock, operation, filing):
    Organisation.objects.filter(kind="price_regulator").update(region="330300")
    cast.regulator.organisation.refresh_from_db()
    with pytest.raises(refusals.NotThisRegulator):
        drafted(cast, operation, clock.now, filing)


def test_a_determination_needs_a_data_bureau(cast, clock, operation, filing):
    Organisation.objects.filter(kind="data_bureau").update(region="460000")
    with pytest.raises(refusals.NoDataBureau):
        drafted(cast, operation, clock.now, filing)


def test_from_draft_to_determination_with_a_public_numbered_document(cast, clock, operation, filing):
    own = determined(cast, operation, clock.now, filing)
    assert (own.state, own.drafted_by, own.agreed_by, own.determined_by) == (
        "determined",
        cast.regulator.owner,
        cast.data_bureau.reviewer,
        cast.regulator.decider,
    )
    assert own.document.is_public and bytes(own.document.pdf).startswith(b"%PDF")
    said = str(own.document.content)
    for text in ("8,835,200.00", "626,400.00", "208,800.00", "7.83%", "财政部中国国债收益率", "成本逐年上升"):
        assert text in said
    own.case.refresh_from_db()
    assert (own.case.state, own.case.outcome) == ("closed", "determined")
    told = set(Notice.objects.filter(kind="permitted_revenue.determined").values_list("organisation__kind", flat=True))
    assert told == {"operator", "authorising_body", "data_bureau", "price_regulator"}


def test_who_may_do_what_over_every_pair_of_people(cast, clock, operation, filing):
    """Draft, agree and determine by every triple of the people near it: only regulator, bureau, other regulator passes."""
    people = {
        "regulator.owner": cast.regulator.owner,
        "regulator.decider": cast.regulator.decider,
        "data_bureau.owner": cast.data_bureau.owner,
        "data_bureau.reviewer": cast.data_bureau.reviewer,
        "operator.owner": cast.operator.owner,
        "authority.owner": cast.authority.owner,
        "platform.owner": cast.platform.owner,
        "stranger": cast.stranger,
    }
    regulators = {"regulator.owner", "regulator.decider"}
    bureau = {"data_bureau.owner", "data_bureau.reviewer"}
    for name, person in people.items():
        allowed = name in regulators
        with transaction.atomic():
            try:
                permitted_revenue_draft(
                    authorisation=operation,
                    regulator=cast.regulator.organisation,
                    inputs=inputs(filing),
                    user=person,
                    at=clock.now,
                )
                assert allowed, name
            except RoleMissing:
                assert not allowed, name
            transaction.set_rollback(True)
    own = opened(cast, operation, clock.now, filing)  # drafted by regulator.owner
    said = {"permitted_revenue": own, "at": clock.now}
    opinion_add(organisation=cast.operator.organisation, stance="agree", text="", user=cast.operator.owner, **said)
    opinion_add(organisation=cast.authority.organisation, stance="agree", text="", user=cast.authority.owner, **said)
    for (agrees, agreer), (determines, determiner) in pairs(people.items(), people.items()):
        with transaction.atomic():
            said["permitted_revenue"] = PermittedRevenue.objects.get(pk=own.pk)
            passed = []
            for act, person in ((permitted_revenue_agree, agreer), (permitted_revenue_determine, determiner)):
                try:
                    act(user=person, **said)
                    passed.append(True)
                except (RoleMissing, refusals.SamePersonActs, refusals.NotAgreed):
                    passed.append(False)
            assert passed == [agrees in bureau, agrees in bureau and determines == "regulator.decider"], (agrees, determines)
            transaction.set_rollback(True)


def test_one_person_in_both_bodies_acts_once_only(cast, clock, operation, filing):
    from products.models import Membership

    both = cast.regulator.decider
    Membership.objects.create(user=both, organisation=cast.data_bureau.organisation, roles=["reviewer"], created_at=clock.now)
    own = opened(cast, operation, clock.now, filing)
    for party in (cast.operator, cast.authority):
        opinion_add(
            permitted_revenue=own, organisation=party.organisation, stance="agree", text="", user=party.owner, at=clock.now
        )
    permitted_revenue_agree(permitted_revenue=own, user=both, at=clock.now)
    with pytest.raises(refusals.SamePersonActs):
        permitted_revenue_determine(permitted_revenue=own, user=both, at=clock.now)
    own.refresh_from_db()
    own.determined_by, own.determined_at, own.state = both, clock.now, "determined"
    with pytest.raises(IntegrityError, match="by_three_people"), transaction.atomic():
        own.save()


@pytest.mark.parametrize("who", ["data_bureau", "regulator"])
def test_either_body_sends_a_draft_back_with_a_reason_and_it_is_worked_out_anew(cast, clock, operation, filing, who):
    own = opened(cast, operation, clock.now, filing)
    party, person = (
        (cast.data_bureau, cast.data_bureau.owner) if who == "data_bureau" else (cast.regulator, cast.regulator.decider)
    )
    back = {"permitted_revenue": own, "organisation": party.organisation, "user": person, "at": clock.now}
    with pytest.raises(refusals.ReasonMissing):
        permitted_revenue_send_back(reason=" ", **back)
    own = permitted_revenue_send_back(reason="利润率偏高", **back)
    assert (own.state, own.agreed_by, own.opinions.get().text) == ("draft", None, "利润率偏高")
    changed = inputs(filing, profit_rate=Decimal("0.05"))
    own = permitted_revenue_revise(permitted_revenue=own, inputs=changed, user=cast.regulator.decider, at=clock.now)
    assert (own.profit_minor, own.drafted_by) == (400_000_00, cast.regulator.decider)


def test_the_drafter_does_not_send_back_and_others_are_not_asked(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    with pytest.raises(refusals.SamePersonActs):
        permitted_revenue_send_back(
            permitted_revenue=own, organisation=cast.regulator.organisation, reason="…", user=cast.regulator.owner, at=clock.now
        )
    with pytest.raises(refusals.NotAsked):
        permitted_revenue_send_back(
            permitted_revenue=own, organisation=cast.operator.organisation, reason="…", user=cast.operator.owner, at=clock.now
        )
    with pytest.raises(refusals.NotAsked):
        opinion_add(
            permitted_revenue=own,
            organisation=cast.buyer.organisation,
            stance="agree",
            text="",
            user=cast.buyer.owner,
            at=clock.now,
        )


def test_nothing_is_determined_while_those_who_are_asked_may_still_speak(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    permitted_revenue_agree(permitted_revenue=own, user=cast.data_bureau.owner, at=clock.now)
    assert opinions_due(own) == date(2026, 11, 3)  # ten working days after 20 October
    determine = {"permitted_revenue": own, "user": cast.regulator.decider}
    with pytest.raises(refusals.OpinionsRunning):
        permitted_revenue_determine(**determine, at=clock.now)
    clock.move_to(clock.now + timedelta(days=14))
    with pytest.raises(refusals.OpinionsRunning):
        permitted_revenue_determine(**determine, at=clock.now)
    assert permitted_revenue_determine(**determine, at=clock.move(days=1)).state == "determined"


def test_without_the_data_bureau_nothing_is_determined(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    clock.move(days=60)
    with pytest.raises(refusals.NotAgreed):
        permitted_revenue_determine(permitted_revenue=own, user=cast.regulator.decider, at=clock.now)
    with pytest.raises(IntegrityError, match="with_the_data_bureau"), transaction.atomic():
        PermittedRevenue.objects.filter(pk=own.pk).update(state="determined")


def test_costs_of_the_period_itself_do_not_count(cast, clock, operation, filing):
    clock.move_to(clock.now.replace(year=2027, month=2))
    same = make_filing(cast, operation, clock.now, year=2026)
    with pytest.raises(refusals.FilingRefused):
        drafted(cast, operation, clock.now, same, from_date=date(2026, 6, 1), last_date=date(2027, 5, 31))


def test_steps_come_in_their_order(cast, clock, operation, filing):
    own = drafted(cast, operation, clock.now, filing)
    with pytest.raises(refusals.StepOutOfOrder):
        permitted_revenue_agree(permitted_revenue=own, user=cast.data_bureau.owner, at=clock.now)
    permitted_revenue_open(permitted_revenue=own, user=cast.regulator.owner, at=clock.now)
    with pytest.raises(refusals.StepOutOfOrder):
        permitted_revenue_revise(permitted_revenue=own, inputs=inputs(filing), user=cast.regulator.owner, at=clock.now)
    permitted_revenue_withdraw(permitted_revenue=own, reason="重新测算", user=cast.regulator.owner, at=clock.now)
    with pytest.raises(refusals.StepOutOfOrder):
        permitted_revenue_open(permitted_revenue=own, user=cast.regulator.owner, at=clock.now)
    assert Case.objects.get(kind="permitted_revenue").outcome == "withdrawn"


def test_what_is_determined_never_changes(cast, clock, operation, filing):
    own = determined(cast, operation, clock.now, filing)
    row = PermittedRevenue.objects.filter(pk=own.pk)
    breaks = {
        "keeps_its_content": lambda: row.update(profit_minor=1),
        "state_is_final": lambda: row.update(state="draft"),
        "keeps_its_document": lambda: row.update(document=None),
        "is_kept": lambda: row._raw_delete(row.db),
        "keeps_its_filings": lambda: own.filings.clear(),
        "append-only": lambda: RevenueOpinion.objects.update(text="…"),
    }
    for name, act in breaks.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            act()
