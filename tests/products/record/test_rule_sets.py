"""Rule sets: values that are understood, versions that are kept, differences that are exact, proposals by two people."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.utils import DatabaseError, IntegrityError
from django.utils.translation import override

from products import reference
from products.models import Organisation
from products.organisations.selectors import RoleMissing
from products.record import proposals, rule_proposals, rule_sets
from products.record.jurisdictions import is_place, jurisdiction_of, level_of, place_name
from products.record.models import AuditEntry, Notice, RuleSet
from products.record.notices import words_of
from products.record.parameters import PARAMETERS, ParameterNotValid, ParameterUnknown, check_all, missing_from
from products.record.rule_proposals import rule_set_approve, rule_set_propose, rule_set_reject

CITY = "331000"  # no version of its own; the cast lives in another


def test_the_registry_knows_every_value_of_the_reference_data_and_the_nation_leaves_none_out():
    for _place, _name, _en, _source, _starts, _ends, parameters in reference.RULE_SETS:
        assert check_all(parameters) == parameters
    assert missing_from(reference.NATIONAL_PARAMETERS) == []
    assert set(reference.NATIONAL_PARAMETERS) <= set(PARAMETERS)


def test_every_value_of_the_reference_data_survives_a_form():
    for name, value in reference.NATIONAL_PARAMETERS.items():
        assert PARAMETERS[name].read(PARAMETERS[name].typed(value)) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profit_spread_max", 0.06),
        ("profit_spread_max", "0.3"),
        ("profit_spread_max", "-0.01"),
        ("profit_spread_max", "NaN"),
        ("profit_spread_max", "Infinity"),
        ("profit_spread_max", "six"),
        ("profit_spread_max", "0.0000000001"),
        ("cycle_months", 0),
        ("cycle_months", "36"),
        ("cycle_months", True),
        ("cycle_months", 12.0),
        ("under_recovery_carry", "yes"),
        ("under_recovery_carry", 1),
        ("profit_base", "ASSETS"),
        ("profit_base", ["OPERATING_COST"]),
        ("disclosure_deadline", "3-31"),
        ("disclosure_deadline", "02-29"),
        ("disclosure_deadline", "13-01"),
        ("disclosure_deadline", None),
        ("revenue_warning_percents", []),
        ("revenue_warning_percents", [100, 90]),
        ("revenue_warning_percents", [True]),
        ("revenue_warning_percents", ["90"]),
        ("key_scenarios", "small-business-lending"),
        ("key_scenarios", ["Nicht so"]),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_with_the_form(name, value):
    with pytest.raises(ParameterNotValid) as refused:
        check_all({name: value})
    assert refused.value.field == name and PARAMETERS[name].form in str(refused.value)


def test_a_name_that_no_rule_serves_is_refused():
    with pytest.raises(ParameterUnknown):
        check_all({"cycle_month": 36})


def test_a_person_types_a_rate_in_per_cent():
    rate = PARAMETERS["profit_spread_max"]
    assert rate.read("6") == rate.read("6.00 %") == rate.read("６％".replace("６", "6")) == "0.06"
    assert rate.show("0.06") == "6 %" and Decimal(rate.read("5.5")) == Decimal("0.055")
    for wrong in ("", "6%%", "0,06", "30"):
        with pytest.raises(ParameterNotValid):
            rate.read(wrong)


def test_places_have_names_and_levels():
    assert [place_name(code) for code in ("CN", "330000", CITY, "331002")] == [
        "全国",
        "浙江省",
        "浙江省台州市",
        "浙江省台州市椒江区",
    ]
    with override("en"):
        assert [place_name(code) for code in ("CN", "330000", CITY)] == ["China", "Zhejiang", "Zhejiang 台州市"]
    assert [level_of(code) for code in ("CN", "330000", CITY, "331002")] == ["nation", "province", "city", "district"]
    assert [is_place(code) for code in ("CN", CITY, "990000", "33", "abcdef", "")] == [True, True, False, False, False, False]
    assert jurisdiction_of("") == jurisdiction_of("100000") == "CN" and jurisdiction_of(CITY) == CITY


@pytest.mark.django_db
def test_rules_on_a_day_come_from_the_nearest_place_with_their_source():
    rules = rule_sets.rules_on(on=date(2025, 8, 31), jurisdiction=CITY)
    assert rules["authorisation_max_years"]["value"] == 3
    assert rules["authorisation_max_years"]["jurisdiction"] == "330000" and "44号" in rules["authorisation_max_years"]["source"]
    assert rules["profit_spread_max"] == {
        "value": "0.06",
        "rule_set": "全国规则",
        "rule_set_en": "National rules",
        "source": reference.NATIONAL_SOURCE,
        "jurisdiction": "CN",
    }
    assert rule_sets.rules_on(on=date(2025, 9, 1), jurisdiction=CITY)["authorisation_max_years"]["value"] == 5
    assert rule_sets.rules_on(on=date(2026, 1, 1), jurisdiction="460105")["product_registration_mandatory"]["value"] is True
    assert rule_sets.rules_on(on=date(2026, 1, 1), jurisdiction=CITY)["product_registration_mandatory"]["value"] is False


@pytest.mark.django_db
def test_rules_on_agree_with_every_single_parameter():
    for place in ("CN", "330000", CITY, "460000"):
        for on in (date(2025, 3, 1), date(2025, 9, 1), date(2026, 11, 10)):
            for name, rule in rule_sets.rules_on(on=on, jurisdiction=place).items():
                assert rule["value"] == rule_sets.parameter(name=name, on=on, jurisdiction=place)


@pytest.mark.django_db
def test_rules_asked_for_by_name_must_be_set(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert list(rule_sets.rules_on(on=date(2026, 1, 1), names=["vat_rate", "cycle_months"])) == ["vat_rate", "cycle_months"]
    with pytest.raises(rule_sets.ParameterNotSet):
        rule_sets.rules_on(on=date(2026, 1, 1), names=["key_scenarios"])


def test_a_difference_is_exact():
    older = {"cycle_months": 36, "vat_rate": "0.06", "capacity_floor": "0.65", "under_recovery_carry": False}
    newer = {"cycle_months": 24, "vat_rate": "0.060", "income_tax_rate": "0.25", "under_recovery_carry": False}
    found = {(change.name, change.before, change.after, change.kind) for change in rule_sets.diff(older, newer)}
    assert found == {
        ("cycle_months", 36, 24, "changed"),
        ("capacity_floor", "0.65", None, "removed"),
        ("income_tax_rate", None, "0.25", "added"),
    }
    assert rule_sets.diff(older, older) == [] and len(rule_sets.diff(newer, older)) == 3


@pytest.mark.django_db
def test_scenario_79_what_began_before_a_rule_change_keeps_the_old_set_and_can_be_rechecked_under_the_new():
    began, now = date(2025, 8, 1), date(2026, 10, 20)
    [term] = rule_sets.recheck(began=began, on=now, jurisdiction=CITY, names=["authorisation_max_years"])
    assert (term.then["value"], term.now["value"], term.is_different) == (3, 5, True)
    assert term.then["rule_set"] != term.now["rule_set"]
    different = [each.name for each in rule_sets.recheck(began=began, on=now, jurisdiction=CITY) if each.is_different]
    assert different == ["authorisation_max_years"]
    assert not any(each.is_different for each in rule_sets.recheck(began=date(2025, 9, 1), on=now, jurisdiction=CITY))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("parameters = parameters || '{\"authorisation_max_years\": 9}'", "rule_set_content_is_kept"),
        ("parameters = '{}'", "rule_set_content_is_kept"),
        ("source = 'x'", "rule_set_content_is_kept"),
        ("jurisdiction = '440000'", "rule_set_content_is_kept"),
        ("period = daterange('2020-01-01', upper(period))", "rule_set_content_is_kept"),
        ("period = daterange(lower(period), '2025-08-01')", "rule_set_end_is_set_once"),
        ("period = daterange(lower(period), NULL)", "rule_set_end_is_set_once"),
    ],
)
def test_the_database_keeps_content_and_start_and_sets_the_end_once(change, constraint):
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE products_ruleset SET {change} WHERE jurisdiction = '330000' AND NOT upper_inf(period)")
    assert refused.value.__cause__.diag.constraint_name == constraint


@pytest.mark.django_db
def test_the_database_deletes_no_rule_set():
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM products_ruleset")


@pytest.mark.django_db
def test_new_software_adds_its_parameters_and_changes_none(monkeypatch):
    wider = reference.NATIONAL_PARAMETERS | {"key_scenarios": ["a"], "vat_rate": "0.99"}
    monkeypatch.setattr(reference, "NATIONAL_PARAMETERS", wider)
    reference.extend_rule_sets(reference.installed_apps)
    national = RuleSet.objects.get(jurisdiction="CN")
    assert (national.parameters["key_scenarios"], national.parameters["vat_rate"]) == (["a"], "0.06")
    with pytest.raises(IntegrityError), transaction.atomic():  # the door is shut again
        RuleSet.objects.filter(pk=national.pk).update(parameters=national.parameters | {"new_one": 1})


# --- Proposals ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def city(cast):
    Organisation.objects.filter(pk__in=[cast.regulator.organisation.pk, cast.data_bureau.organisation.pk]).update(region=CITY)
    for party in (cast.regulator, cast.data_bureau):
        party.organisation.refresh_from_db()
    return cast


@pytest.fixture
def propose(city, clock):
    def make(party="regulator", **changes):
        body = getattr(city, party)
        given = {"name": "市规则", "source": "甬数〔2026〕1号", "from_date": date(2027, 1, 1), "reason": "本市办法施行"}
        given |= {"parameters": {"authorisation_max_years": 4}, "organisation": body.organisation, "user": body.owner}
        return rule_set_propose(**(given | {"at": clock.now} | changes))

    return make


def test_one_proposes_and_another_approves(city, clock, propose):
    proposal = propose()
    assert not rule_sets.versions(CITY)
    rules = rule_set_approve(proposal=proposal, user=city.regulator.decider, at=clock.now)
    assert rules.period == DateRange(date(2027, 1, 1), None) and rules.jurisdiction == CITY
    assert rule_sets.parameter(name="authorisation_max_years", on=date(2027, 1, 1), jurisdiction=CITY) == 4
    assert rule_sets.parameter(name="authorisation_max_years", on=date(2026, 12, 31), jurisdiction=CITY) == 5
    told = {(notice.kind, notice.user) for notice in Notice.objects.all()}
    assert told == {("rule_set.proposed", city.regulator.decider), ("rule_set.approved", city.regulator.owner)}
    assert all("市规则" in words_of(notice)[1] for notice in Notice.objects.all())
    entry = AuditEntry.objects.get(action="rule_set.approved")
    assert (entry.facts["proposed_by"], entry.facts["approved_by"]) == (city.regulator.owner.pk, city.regulator.decider.pk)


def test_the_next_version_ends_the_one_before_on_the_day_it_begins(city, clock, propose):
    first = rule_set_approve(proposal=propose(), user=city.regulator.decider, at=clock.now)
    second = propose(from_date=date(2028, 1, 1), parameters={"authorisation_max_years": 3})
    rule_set_approve(proposal=second, user=city.regulator.decider, at=clock.now)
    first.refresh_from_db()
    assert first.period.upper == date(2028, 1, 1) and rule_sets.versions(CITY).count() == 2


@pytest.mark.parametrize("days", [0, -1])
def test_rules_begin_in_the_future(propose, clock, days):
    with pytest.raises(rule_proposals.RulesBeginTooEarly):
        propose(from_date=clock.now.date() + timedelta(days=days))


def test_a_proposal_that_waited_past_its_date_is_refused(city, clock, propose):
    proposal = propose(from_date=date(2026, 10, 21))
    with pytest.raises(rule_proposals.RulesBeginTooEarly):
        rule_set_approve(proposal=proposal, user=city.regulator.decider, at=clock.move(days=1))
    proposal.refresh_from_db()
    assert proposal.state == "proposed"  # nothing half done


def test_rules_on_top_of_an_older_version_are_refused(city, clock, propose):
    rule_set_approve(proposal=propose(), user=city.regulator.decider, at=clock.now)
    with pytest.raises(rule_proposals.RulesBeginTooEarly):
        propose(from_date=date(2027, 1, 1), parameters={"authorisation_max_years": 2})


def test_only_one_proposal_of_a_place_is_open(propose):
    propose()
    with pytest.raises(proposals.ProposalAlreadyOpen):
        propose("data_bureau")


def test_what_changes_nothing_or_says_nothing_is_refused(city, clock, propose):
    rule_set_approve(proposal=propose(), user=city.regulator.decider, at=clock.now)
    for wrong in ({"from_date": date(2028, 1, 1)}, {"parameters": {}, "from_date": date(2028, 1, 1)}):
        with pytest.raises(rule_proposals.RulesUnchanged):
            propose(**wrong)
    with pytest.raises(rule_proposals.RulesIncomplete):
        propose(source=" ", from_date=date(2028, 1, 1))
    with pytest.raises(proposals.ReasonMissing):
        propose(reason="", from_date=date(2028, 1, 1))


def test_the_nations_rules_leave_nothing_out(city, propose):
    Organisation.objects.filter(pk=city.regulator.organisation.pk).update(region="100000")
    city.regulator.organisation.refresh_from_db()
    with pytest.raises(rule_proposals.RulesIncomplete):
        propose(parameters={"cycle_months": 24})
    proposal = propose(parameters=reference.NATIONAL_PARAMETERS | {"cycle_months": 24})
    assert proposal.object_id == "CN"


@pytest.mark.parametrize("party", ["operator", "authority", "auditor", "platform", "registry"])
def test_other_bodies_make_no_rules(propose, party):
    with pytest.raises(rule_proposals.NotYourRules):
        propose(party)


PEOPLE = [
    ("regulator", "owner"),
    ("regulator", "decider"),
    ("data_bureau", "owner"),
    ("data_bureau", "reviewer"),
    ("operator", "owner"),
]


@pytest.mark.parametrize("maker", PEOPLE)
@pytest.mark.parametrize("checker", PEOPLE)
@pytest.mark.parametrize("step", ["approve", "reject"])
def test_who_submits_does_not_approve_over_every_pair(city, clock, propose, maker, checker, step):
    (body, person), decided_by = maker, getattr(getattr(city, checker[0]), checker[1])
    if body == "operator":
        with pytest.raises(rule_proposals.NotYourRules):
            propose(body, user=getattr(city.operator, person))
        return
    proposal = propose(body, user=getattr(getattr(city, body), person))
    decide = {
        "approve": lambda: rule_set_approve(proposal=proposal, user=decided_by, at=clock.now),
        "reject": lambda: rule_set_reject(proposal=proposal, user=decided_by, reason="否", at=clock.now),
    }[step]
    if checker[0] == body and checker != maker:
        decide()
        assert proposal.decided_by == decided_by
        return
    with pytest.raises(proposals.MakerIsChecker if checker == maker else RoleMissing):
        decide()
    proposal.refresh_from_db()
    assert proposal.state == "proposed" and not rule_sets.versions(CITY)
