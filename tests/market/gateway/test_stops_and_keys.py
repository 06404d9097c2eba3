"""Emergency stops and the limits of a key, over HTTP."""

from __future__ import annotations

import time

import pytest
import requests

from products.models import User
from settlement.entitlements.models import ApiKey, EmergencyStop
from settlement.metering.models import UsageEvent
from tests.market.gateway.conftest import Client
from tests.market.gateway.test_calls import problem
from tests.settlement.stall import START


def stop(stall, kind="product", **changes):
    target = (
        {"product": stall.product}
        if kind == "product"
        else {"organisation": stall.operator if kind == "operator" else stall.buyer}
    )
    facts = {"reason": "file", "public_reason": "Wrong figures", "started_for": stall.authority, "started_by": stall.user}
    return EmergencyStop.objects.create(kind=kind, started_at=START, **target, **facts | changes)


@pytest.mark.parametrize("kind", ["product", "operator", "buyer"])
def test_scenario_72_calls_of_what_is_stopped_are_answered_503_within_two_seconds_with_the_public_reason(client, kind):
    sandbox = client.stall.key_for(None, "test")[1]
    assert client.call().status_code == client.call(sandbox).status_code == 200
    began = time.monotonic()
    stop(client.stall, kind)
    while (response := client.call()).status_code == 200:
        assert time.monotonic() - began < 2
    document = problem(response, 503, "emergency-stop")
    assert (document["detail"], document["stopped"]) == ("Wrong figures", kind)
    assert document["since"] == START.isoformat() and response.headers["retry-after"] == "600"
    while client.call(sandbox).status_code == 200:
        assert time.monotonic() - began < 2
    problem(client.call(sandbox), 503, "emergency-stop")
    metered = UsageEvent.objects.count()
    problem(client.call(), 503, "emergency-stop")
    assert UsageEvent.objects.count() == metered, "nothing is metered while it holds"


def test_a_stop_of_another_product_stops_nothing_here(client):
    from tests.settlement.stall import make_stall

    stop(make_stall(2))
    assert client.call().status_code == 200


def test_a_key_cut_to_some_scopes_is_refused_for_the_others(client):
    reading = client.stall.key_for(client.stall.entitlement, scopes=["receipts"])[1]
    calling = client.stall.key_for(client.stall.entitlement, scopes=["calls"])[1]
    answer = client.call(calling)
    assert answer.status_code == 200
    url = answer.json()["receipt"]["url"]
    assert client.get(url, reading).status_code == 200
    assert problem(client.get(url, calling), 403, "key-scope")["scope"] == "receipts"
    assert problem(client.call(reading), 403, "key-scope")["scope"] == "calls"
    reporting = client.stall.key_for(None, "op", organisation=client.stall.operator, scopes=["receipts"])[1]
    problem(client.report(reporting, []), 403, "key-scope")


def test_a_key_bound_to_networks_is_refused_from_elsewhere(client):
    inside = client.stall.key_for(client.stall.entitlement, networks=["10.0.0.0/8", "127.0.0.0/8"])[1]
    outside = client.stall.key_for(client.stall.entitlement, networks=["10.0.0.0/8", "2001:db8::/32"])[1]
    assert client.call(inside).status_code == 200
    assert problem(client.call(outside), 403, "key-network")["address"] == "127.0.0.1"
    lied = client.call(outside, headers={"X-Forwarded-For": "10.1.2.3"})
    problem(lied, 403, "key-network")
    assert ApiKey.objects.get(networks=["10.0.0.0/8", "2001:db8::/32"]).last_used_at is None


@pytest.mark.proof
def test_scenario_72_a_stop_acts_on_two_gateways_within_two_seconds_and_so_does_its_lifting(serve, stall):
    clients = [Client(serve(), stall), Client(serve(), stall)]
    assert [each.call().status_code for each in clients] == [200, 200]

    def all_answer(status: int) -> float:
        """Seconds until both gateways answer with the status, from now."""
        began = time.monotonic()
        while [each.call().status_code for each in clients] != [status, status]:
            assert time.monotonic() - began < 2
        return time.monotonic() - began

    held = stop(stall)
    stopped = all_answer(503)
    other = User.objects.create(email="other@stall.example")
    lifted = {"outcome": "recovery", "lift_asked_by": stall.user, "lifted_by": other, "lifted_at": START}
    EmergencyStop.objects.filter(pk=held.pk).update(**lifted)
    print(f"stopped after {stopped:.3f} s, lifted after {all_answer(200):.3f} s")


def test_a_key_that_is_reported_as_leaked_stops_within_a_second_and_the_answer_tells_nothing(client):
    url = f"{client.server.url}/v1/keys/reports"
    assert client.call().status_code == 200
    unknown = requests.post(url, json={"key": "gs_live_nothing"}, timeout=9)
    known = requests.post(url, json={"key": client.stall.secret}, timeout=9)
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (202, {"received": True})
    began = time.monotonic()
    while (response := client.call()).status_code == 200:
        assert time.monotonic() - began < 1.5
    problem(response, 401, "key-revoked")
    problem(requests.post(url, json=["key"], timeout=9), 422, "input-refused")
    problem(requests.get(url, timeout=9), 405, "method-not-allowed")
