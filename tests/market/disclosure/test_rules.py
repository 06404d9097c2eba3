"""The rules in the open: list, version, difference, what holds where and when, an authorisation judged by both."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.urls import reverse

from products.record.models import RuleSet
from products.record.rule_sets import rules_on
from tests.factories.offers import make_offer
from tests.market.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def zhejiang(db):
    return list(RuleSet.objects.filter(jurisdiction="330000").order_by("period"))


def test_the_list_names_places_levels_versions_and_sources(client):
    page = text(client.get("/rules/"))
    for part in ("全国", "浙江省", "海南省", "浙政办发〔2023〕44号", "2025-09-01", "发改价格〔2025〕65号"):
        assert part in page


def test_the_list_takes_a_fixed_number_of_queries(client, cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get("/rules/")


def test_a_version_shows_its_source_values_and_neighbours(client, zhejiang):
    page = text(client.get(f"/rules/{zhejiang[1].pk}/"))
    assert "authorisation_max_years" in page and "5年" in page and zhejiang[1].source in page
    assert f"older={zhejiang[0].pk}" in page and f"newer={zhejiang[1].pk}" in page


def test_the_nations_version_says_how_sure_each_value_is(client):
    page = text(client.get(f"/rules/{RuleSet.objects.get(jurisdiction='CN').pk}/"))
    assert "profit_spread_max" in page and "6 %" in page and "F1" in page
    assert all(word in page for word in ("badge ok", "badge wait", "badge info"))


def test_a_difference_shows_before_and_after(client, zhejiang):
    page = text(client.get("/rules/diff/", {"older": zhejiang[0].pk, "newer": zhejiang[1].pk}))
    assert "<del>3年</del>" in page and "<ins>5年</ins>" in page
    same = text(client.get("/rules/diff/", {"older": zhejiang[0].pk, "newer": zhejiang[0].pk}))
    assert "<del>" not in same and "<ins>" not in same


@pytest.mark.parametrize(
    "query", [{}, {"older": "x", "newer": "1"}, {"older": "1" * 30, "newer": "1"}, {"older": "99999", "newer": "99998"}]
)
def test_a_difference_of_what_is_not_there_is_not_found(client, query):
    assert client.get("/rules/diff/", query).status_code == 404


def test_what_holds_in_a_place_on_a_day(client):
    page = text(client.get("/rules/in-force/", {"place": "331000", "on": "2025-08-31"}))
    assert "浙江省台州市" in page and "3年" in page and "浙政办发〔2023〕44号" in page
    answer = client.get("/rules/in-force.json", {"place": "331000", "on": "2025-08-31"})
    assert answer.json()["rules"] == json.loads(json.dumps(rules_on(on=date(2025, 8, 31), jurisdiction="331000")))
    assert client.get("/rules/in-force/", {"on": "1999-01-01"}).status_code == 200


@pytest.mark.parametrize("query", [{"place": "999999"}, {"place": "浙江"}, {"on": "2026-02-30"}, {"place": "33", "on": "x"}])
def test_a_wrong_place_or_day_is_said(client, query):
    assert client.get("/rules/in-force/", query).status_code == client.get("/rules/in-force.json", query).status_code == 422


def test_versions_are_there_for_programs(client, zhejiang):
    first = client.get(f"/rules/{zhejiang[0].pk}.json").json()
    assert (first["from"], first["to"], first["level"], first["parameters"]) == (
        "2023-09-01",
        "2025-08-31",
        "province",
        {"authorisation_max_years": 3},
    )
    assert first in client.get("/rules.json").json()["rule_sets"]


def test_scenario_79_an_authorisation_is_judged_by_the_rules_then_and_now(client, cast, clock):
    from products.models import Authorisation

    offer = make_offer(cast, clock.now, code="credit-pre-loan")
    number = offer.product.authorisation.number
    # five years from the last day of Zhejiang's trial rules: too long then, allowed today
    Authorisation.objects.filter(number=number).update(from_date=date(2025, 8, 31), to_date=date(2030, 8, 30), region="330000")
    page = text(client.get(f"/rules/authorisations/{number}/"))
    assert "2028-08-30" in page and "2030-08-30" in page
    assert page.count("badge bad") == 1 and "3年" in page and "5年" in page
    assert reverse("rules-of-authorisation", args=[number]) in text(client.get(f"/authorisations/{number}/"))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_speak_both_languages(client, zhejiang, language):
    client.post("/language/", {"language": language})
    for address in (
        "/rules/",
        f"/rules/{zhejiang[0].pk}/",
        "/rules/in-force/",
        f"/rules/diff/?older={zhejiang[0].pk}&newer={zhejiang[1].pk}",
    ):
        assert client.get(address).status_code == 200
