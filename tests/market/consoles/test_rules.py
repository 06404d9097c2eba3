"""Rules and working days in the console of price regulator and data bureau."""

from __future__ import annotations

import pytest

from products.models import Organisation
from products.record import rule_sets
from products.record.models import Proposal, RuleSet
from tests.market.pages import acting, text

pytestmark = pytest.mark.django_db
CITY, LIST, NEW, DAYS = "331000", "/console/regulator/rules/", "/console/regulator/rules/new/", "/console/regulator/calendar/"


@pytest.fixture
def city(cast):
    Organisation.objects.filter(pk__in=[cast.regulator.organisation.pk, cast.data_bureau.organisation.pk]).update(region=CITY)
    return cast


def typed(**changes):
    given = {
        "name": "台州规则",
        "source": "台数〔2026〕1号",
        "from_date": "2027-01-01",
        "reason": "本市办法",
        "p-authorisation_max_years": "4",
    }
    return (
        given | {"p-profit_spread_max": "5.5", "p-under_recovery_carry": "true", "p-revenue_warning_percents": "80, 95"} | changes
    )


def test_a_version_takes_two_people(city):
    assert acting(city.regulator.owner).post(NEW, typed()).status_code == 302
    proposal = Proposal.objects.get()
    assert proposal.content["parameters"] == {
        "profit_spread_max": "0.055",
        "under_recovery_carry": True,
        "revenue_warning_percents": [80, 95],
        "authorisation_max_years": 4,
    }
    address = f"{LIST}proposals/{proposal.pk}/"
    mine = acting(city.regulator.owner)
    assert "5.5 %" in text(mine.get(address)) and "approve/" not in text(mine.get(address))
    mine.post(f"{address}approve/")
    assert not rule_sets.versions(CITY)
    colleague = acting(city.regulator.decider)
    assert "approve/" in text(colleague.get(address))
    colleague.post(f"{address}approve/")
    assert rule_sets.versions(CITY).get().parameters["authorisation_max_years"] == 4
    assert "台州规则" in text(colleague.get(LIST))


def test_the_form_begins_with_the_version_before_and_says_what_empty_means(city):
    page = text(acting(city.regulator.owner).get(NEW))
    assert "36个月" in page and "全国规则" in page  # the nation's value, where the field stays empty
    Organisation.objects.filter(pk=city.regulator.organisation.pk).update(region="330000")
    assert 'value="5"' in text(acting(city.regulator.owner).get(NEW))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"p-profit_spread_max": "60"}, "p-profit_spread_max"),
        ({"p-profit_spread_max": "abc"}, "p-profit_spread_max"),
        ({"p-cycle_months": "3.5"}, "p-cycle_months"),
        ({"p-under_recovery_carry": "perhaps"}, "p-under_recovery_carry"),
        ({"p-disclosure_deadline": "31 March"}, "p-disclosure_deadline"),
        ({"p-revenue_warning_percents": "100, 90"}, "p-revenue_warning_percents"),
        ({"from_date": "2026-10-20"}, "from_date"),
        ({"from_date": "2026-13-01"}, "from_date"),
        ({"name": ""}, "name"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_wrong_field_is_said_beside_it_and_what_was_typed_is_kept(city, changes, field):
    response = acting(city.regulator.owner).post(NEW, typed(**changes))
    assert response.status_code == 422 and list(response.context["form"].errors) == [field]
    assert "本市办法" in text(response) or field == "reason"
    assert not Proposal.objects.exists()


def test_a_version_that_says_nothing_is_refused(city):
    kept = {key: value for key, value in typed().items() if not key.startswith("p-")}
    assert acting(city.regulator.owner).post(NEW, kept).status_code == 422


def test_the_nations_form_asks_for_every_parameter(city):
    Organisation.objects.filter(pk=city.regulator.organisation.pk).update(region="")
    response = acting(city.regulator.owner).post(NEW, typed())
    errors = response.context["form"].errors
    assert response.status_code == 422 and "p-vat_rate" in errors and "p-key_scenarios" not in errors


def test_a_rejection_needs_a_reason_and_a_withdrawal_the_maker(city):
    acting(city.regulator.owner).post(NEW, typed())
    address = f"{LIST}proposals/{Proposal.objects.get().pk}/"
    colleague = acting(city.regulator.decider)
    assert colleague.post(f"{address}reject/", {"reason": " "}).status_code == 422
    colleague.post(f"{address}withdraw/")
    assert Proposal.objects.get().state == "proposed"
    colleague.post(f"{address}reject/", {"reason": "依据不足"})
    assert Proposal.objects.get().state == "rejected" and "依据不足" in text(colleague.get(address))
    assert colleague.post(f"{address}approve/").status_code == 302 and not rule_sets.versions(CITY)


def test_another_bodys_proposal_is_not_found(city):
    acting(city.regulator.owner).post(NEW, typed())
    address = f"{LIST}proposals/{Proposal.objects.get().pk}/"
    assert acting(city.data_bureau.owner).get(address).status_code == 404
    assert acting(city.data_bureau.owner).post(f"{address}approve/").status_code == 404


def test_the_list_takes_a_fixed_number_of_queries(city, django_assert_max_num_queries):
    client = acting(city.regulator.owner)
    client.get(LIST)
    with django_assert_max_num_queries(14):
        assert client.get(LIST).status_code == 200


def test_the_calendar_marks_holidays_and_working_weekends(city):
    page = text(acting(city.data_bureau.owner).get(DAYS, {"year": "2026"}))
    assert page.count('class="month"') == 12 and "春节" in page
    assert page.count('class="extra') == 6 and page.count('class="holiday') == 33  # domain.md F15: 3+9+3+5+3+3+7
    assert "国办发明电〔2025〕7号" in page


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-09-15", "20", "2026-10-19"),
        ("2026-02-10", "10", "2026-03-02"),
        ("2026-02-13", "1", "2026-02-14"),
        ("2026-09-18", "3", "2026-09-22"),
    ],
)
def test_working_days_are_counted_as_the_rule_says(city, start, days, end):
    client = acting(city.regulator.owner)
    assert end in text(client.get(DAYS, {"start": start, "days": days}))
    counted = client.get(DAYS, {"start": start, "end": end})
    assert counted.context["result"]["days"] == int(days)


def test_scenario_80_a_year_that_is_not_loaded_is_said_and_not_guessed(city):
    client = acting(city.regulator.owner)
    response = client.get(DAYS, {"start": "2027-12-30", "days": "10"})
    assert response.context["result"] == {"missing_year": 2027} and "2027" in text(response)
    assert client.get(DAYS, {"year": "2028"}).status_code == 200 and "2028" in text(client.get(DAYS, {"year": "2028"}))


@pytest.mark.parametrize(
    "query",
    [
        {"start": ""},
        {"start": "x", "days": "1"},
        {"start": "2026-01-01", "days": "-1"},
        {"start": "2026-01-01"},
        {"start": "2026-01-01", "days": "3", "end": "2026-02-01"},
        {"start": "2026-01-01", "days": "99999"},
    ],
)
def test_a_wrong_question_is_said(city, query):
    assert acting(city.regulator.owner).get(DAYS, query).status_code == 422


def test_nothing_of_the_reference_rules_was_touched(db):
    assert RuleSet.objects.filter(jurisdiction="CN").count() == 1
