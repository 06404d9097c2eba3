"""The sandbox over HTTP: marked, made up, never metered; each problem can be asked for."""

from __future__ import annotations

import time

import pytest

from market.gateway.problems import CATALOGUE
from market.gateway.sandbox import NOT_OF_A_CALL
from products.runtimes.made_up import made_up
from products.runtimes.schemas import Schema
from settlement.metering.models import Refusal, UsageEvent


@pytest.fixture
def test_key(client) -> str:
    return client.stall.key_for(None, "test")[1]


def test_an_answer_is_marked_and_follows_the_input(client, test_key):
    first = client.call(test_key, json={"ask": "range", "from": "2026-10-01", "to": "2026-10-03"})
    assert first.status_code == 200 and first.headers["gongshu-sandbox"] == "1"
    answer = first.json()
    assert answer["sandbox"] is True and answer["receipt"] is None
    assert [point["date"] for point in answer["data"]["points"]] == ["2026-10-01", "2026-10-02", "2026-10-03"]
    again = client.call(test_key, json={"ask": "date", "date": "2026-10-02"}).json()["data"]["points"]
    assert again == answer["data"]["points"][1:2], "the same day, the same number"
    assert again[0]["value"] != "101.25", "and not the market's own"
    assert client.call().headers.get("gongshu-sandbox") is None
    assert UsageEvent.objects.count() == 1, "the live call"


def test_every_problem_of_a_call_can_be_asked_for(client, monkeypatch):
    """Each magic input gives its documented problem document, with the headers and members of the live one."""
    keys = [client.stall.key_for(None, "test")[1] for _ in range(2)]
    for number, (code, (status, _title)) in enumerate(CATALOGUE.items()):
        response = client.call(keys[number % 2], headers={"Sandbox-Problem": code})
        document = response.json()
        assert response.headers["gongshu-sandbox"] == "1" and document["sandbox"] is True
        assert response.headers["content-type"] == "application/problem+json"
        if code in NOT_OF_A_CALL:
            assert (response.status_code, document["type"]) == (422, "/problems/header-refused")
            continue
        assert (response.status_code, document["status"], document["type"]) == (status, status, f"/problems/{code}")
        if status in (429, 503):
            assert int(response.headers["retry-after"]) >= 1, code
        if status == 401:
            assert response.headers["www-authenticate"].startswith("Bearer")
    assert client.call(keys[0], headers={"Sandbox-Problem": "quota-used-up"}).json()["limit"] == 1000
    errors = client.call(keys[0], headers={"Sandbox-Problem": "input-refused"}).json()["errors"]
    assert errors[0]["pointer"].startswith("/")
    known = client.call(keys[0], headers={"Sandbox-Problem": "no-such"}).json()["known"]
    assert set(known) == set(CATALOGUE) - NOT_OF_A_CALL
    assert not UsageEvent.objects.exists() and not Refusal.objects.exists()


def test_a_slow_answer_can_be_asked_for_within_ten_seconds(client, test_key):
    began = time.monotonic()
    assert client.call(test_key, headers={"Sandbox-Delay": "0.5"}).status_code == 200
    assert time.monotonic() - began >= 0.5
    late = client.call(test_key, headers={"Sandbox-Delay": "0.2", "Sandbox-Problem": "runtime-timeout"})
    assert late.status_code == 503
    for wrong in ("11", "-1", "1e3", "soon"):
        refused = client.call(test_key, headers={"Sandbox-Delay": wrong})
        assert refused.status_code == 422 and refused.json()["header"] == "Sandbox-Delay"


def test_a_live_key_is_not_moved_by_the_sandboxs_headers(client):
    assert client.call(headers={"Sandbox-Problem": "quota-used-up", "Sandbox-Delay": "10"}).status_code == 200


def test_own_refusals_of_the_sandbox_are_marked_too(client, test_key):
    response = client.call(test_key, json={"ask": "date", "date": "soon"})
    assert response.status_code == 422 and response.json()["sandbox"] is True and response.headers["gongshu-sandbox"] == "1"


def test_a_made_up_verification_answers_by_the_last_character():
    body = {"subject": "x", "claims": {"name": "甬江测试", "status": "存续0", "founded": "2019"}}
    found = made_up(type="verification", sample={"results": {"name": "match"}}, body=body)
    assert found == {"results": {"name": "match", "status": "mismatch", "founded": "not_found"}}


@pytest.mark.parametrize("ask", [{"ask": "latest"}, {"ask": "date", "date": "2026-01-05"}, {"ask": "range", "from": "2026-02-03", "to": "2026-02-01"}, {"ask": "range", "from": "2020-01-01", "to": "2026-02-01", "series": "b"}])  # fmt: skip
def test_a_made_up_series_fits_the_output_schema(ask):
    from products.runtimes import index

    config = {"series": {"a": {"unit": "点"}, "b": {"unit": "点"}}}
    sample = {"series": "a", "unit": "点", "as_of": "2026-05-10", "points": [{"date": "2026-05-09", "value": "1.00", "vintage": "2026-05-09"}]}  # fmt: skip
    found = made_up(type="index", sample=sample, body=ask)
    assert not Schema(index.output_schema(config), where="").errors(dict(found)) and len(found["points"]) <= 31


def test_a_type_without_a_rule_answers_its_sample():
    assert made_up(type="model", sample={"score": 1}, body={"x": 2}) == {"score": 1}
