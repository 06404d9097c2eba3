"""Products answered by their operator's own service, over the real gateway: metered, charged or not, cut off, kept apart."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from products.catalogue.models import Release, RemoteHost
from products.organisations.models import User
from settlement.metering.models import UsageEvent
from tests.market.gateway.conftest import Client, Server, start_server
from tests.products.runtimes.test_remote import BODY, INPUT, OUTPUT
from tests.servers.certificates import Authority
from tests.servers.operator_service import GOOD, Service
from tests.settlement.stall import START, Stall, make_stall

SERIALS = itertools.count(100)


@dataclass
class Ground:
    server: Server
    service: Service


@pytest.fixture(scope="module")
def ground(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Ground]:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    service = Service(authority.context())
    environ = {"GONGSHU_EGRESS_TEST_NETWORKS": "127.0.0.0/8", "GONGSHU_EGRESS_CA_FILE": str(authority.ca_file)}
    with django_db_blocker.unblock():
        server = start_server(environ=environ)
    yield Ground(server, service)
    server.stop()
    service.stop()


def allow(stall: Stall, port: int) -> RemoteHost:
    decider, _ = User.objects.get_or_create(email="reviewer@bureau.example")
    return RemoteHost.objects.create(
        operator=stall.operator, host="localhost", port=port, state="allowed",
        requested_by=stall.user, requested_at=START, decided_by=decider, decided_at=START,
    )  # fmt: skip


def answer_with(stall: Stall, url: str, **config: Any) -> Release:
    """The stall's product, answered by a service from now on."""
    stall.product.releases.update(state="retired")
    last = stall.product.releases.order_by("-version").first()
    return Release.objects.create(
        product=stall.product, version=last.version + 1, state="active", artifact=b"", sha256="0" * 64, created_at=START,
        config={"runtime": "remote", "url": url, "seconds": 1, **config},
        input_schema=INPUT, output_schema=OUTPUT, sample_input=BODY, sample_output=GOOD,
    )  # fmt: skip


@pytest.fixture
def remote(ground, transactional_db):
    """``remote(path)``: a new stall whose product that path of the service answers; a release is new, so no breaker is shared."""

    def make(path: str = "/good", **config: Any) -> Client:
        stall = make_stall(next(SERIALS))  # a code of its own: the gateway believes what it read of another's for a second
        allow(stall, ground.service.port)
        answer_with(stall, ground.service.url(path), **config)
        return Client(ground.server, stall)

    return make


def test_a_remote_answer_is_metered_and_the_service_was_told_the_receipt(remote, ground):
    response = remote().call(json=BODY)
    assert response.status_code == 200, response.text
    assert response.json()["data"] == GOOD
    event = UsageEvent.objects.get()
    assert str(event.id) == response.json()["receipt"]["id"] == ground.service.requests[-1].headers["gongshu-call"]
    assert event.units == {"calls": "1"}


def test_the_key_that_signs_is_published(remote, ground):
    assert remote().call(json=BODY).status_code == 200
    keyid = ground.service.requests[-1].headers["signature-input"].partition('keyid="')[2].partition('"')[0]
    published = requests.get(f"{ground.server.url}/v1/keys", timeout=5).json()["keys"]
    assert keyid in [key["kid"] for key in published] and len({key["kid"] for key in published}) == len(published)


@pytest.mark.parametrize("path", ["/error", "/wrong-schema", "/redirect", "/closes-early"])
def test_scenario_57_a_fault_of_the_operator_is_not_charged(remote, path):
    response = remote(path).call(json=BODY)
    assert (response.status_code, response.json()["type"]) == (503, "/problems/runtime-failed")
    assert response.headers["retry-after"] and "psycopg" not in response.text and "3302" not in response.text
    assert not UsageEvent.objects.exists()


def test_scenario_57_no_result_is_charged_or_not_as_the_release_says(remote):
    rule = {"pointer": "/found", "equals": False}
    assert remote("/nothing", no_result=rule).call(json=BODY).status_code == 200
    assert UsageEvent.objects.get().units == {"calls": "1"}, "charged where the release says nothing else"
    free = remote("/nothing", no_result=rule, charges_no_result=False)
    response = free.call(json=BODY)
    assert response.status_code == 200 and response.json()["data"]["found"] is False
    event = UsageEvent.objects.get(id=response.json()["receipt"]["id"])
    assert event.units == {"calls": "0"}, "on record, and worth nothing"
    assert free.get(f"/v1/receipts/{event.id}").json()["units"] == {"calls": "0"}


def test_scenario_57_no_result_that_costs_nothing_takes_nothing_from_a_quota(remote):
    free = remote("/nothing", no_result={"pointer": "/found", "equals": False}, charges_no_result=False)
    entitlement = free.stall.entitle(code="E-quota")
    quota = free.stall.limit(entitlement, limit=5, used=4)
    assert free.call(free.stall.key_for(entitlement)[1], json=BODY).status_code == 200
    quota.refresh_from_db()
    assert quota.used == 4


def test_a_slow_service_is_a_timeout_and_a_busy_one_says_when(remote):
    assert remote("/silent", seconds=0.3).call(json=BODY).json()["type"] == "/problems/runtime-timeout"
    busy = remote("/busy").call(json=BODY)
    assert (busy.status_code, busy.json()["type"], busy.headers["retry-after"]) == (503, "/problems/runtime-busy", "7")
    assert not UsageEvent.objects.exists()


def test_a_service_that_keeps_failing_is_left_alone(remote, ground):
    failing = remote("/error")
    for _ in range(5):
        assert failing.call(json=BODY).json()["type"] == "/problems/runtime-failed"
    before = len(ground.service.requests)
    response = failing.call(json=BODY)
    assert (response.status_code, response.json()["type"]) == (503, "/problems/runtime-busy")
    assert 1 <= int(response.headers["retry-after"]) <= 16 and len(ground.service.requests) == before
    metrics = requests.get(f"{ground.server.url}/metrics", timeout=5).text
    key = f'release="{failing.stall.product.code}@2"'
    lines = [line for line in metrics.splitlines() if key in line]
    assert any(line.startswith("gongshu_breaker_open") and line.endswith(" 1") for line in lines), lines


def test_a_host_that_is_withdrawn_is_called_no_more_within_a_second(remote, ground):
    client = remote()
    assert client.call(json=BODY).status_code == 200
    RemoteHost.objects.update(state="withdrawn", withdrawn_by=client.stall.user, withdrawn_at=START)
    time.sleep(1.1)
    before = len(ground.service.requests)
    assert client.call(json=BODY).json()["type"] == "/problems/runtime-failed"
    assert len(ground.service.requests) == before, "also not over the connection that was kept"


def test_the_sandbox_answers_without_the_service(remote, ground):
    client = remote("/error")
    before = len(ground.service.requests)
    answer = client.call(client.stall.key_for(None, "test")[1], json=BODY).json()
    assert answer["data"] == GOOD and answer["sandbox"] and len(ground.service.requests) == before


def test_one_slow_product_never_slows_another(remote, ground):
    """A product whose service hangs, driven beyond its places, beside an index product of the same gateway, in one run."""
    slow, fast = remote("/silent", seconds=1, concurrent=4, queue=4), Client(ground.server, make_stall(90))
    assert fast.call().status_code == 200
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {fast.stall.secret}"
    url = f"{ground.server.url}/v1/products/{fast.stall.product.code}"

    def p95(calls: int = 60) -> float:
        taken = []
        for _ in range(calls):
            began = time.perf_counter()
            answer = session.post(url, json={"ask": "latest"}, timeout=20)
            assert answer.status_code == 200, answer.text
            taken.append(time.perf_counter() - began)
        return sorted(taken)[int(calls * 0.95)]

    alone, answers, stop = p95(), [], threading.Event()

    def drive() -> None:
        while not stop.is_set():
            answers.append(slow.call(json=BODY))

    drivers = [threading.Thread(target=drive) for _ in range(12)]
    for each in drivers:
        each.start()
    try:
        beside = p95()
    finally:
        stop.set()
        for each in drivers:
            each.join()
    refused = {answer.json()["type"] for answer in answers}
    assert refused <= {"/problems/runtime-timeout", "/problems/runtime-busy"} and "/problems/runtime-busy" in refused
    assert all(answer.headers["retry-after"] for answer in answers)
    assert beside < max(5 * alone, 0.25), (alone, beside)
