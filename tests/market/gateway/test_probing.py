"""Enumeration and probing of a verification product, and answers that do not fit their schema, at the gateway."""

from __future__ import annotations

import time
from hashlib import sha256

import pytest

from products.catalogue.models import DataProduct, Release, SubjectDay
from products.models import Membership
from products.record.models import Case, Notice
from products.runtimes import verification
from products.runtimes.digests import Digester
from settlement.metering.models import UsageEvent
from tests.market.gateway.conftest import Client
from tests.settlement.stall import START

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(32))
ENVIRON = {"GONGSHU_PRODUCT_KEY_PORT_INDEX_1": KEY.hex()}
CSV = b"uscc,state\n" + b"\n".join(b"9133020%06d,open" % number for number in range(0, 100, 2))
CONFIG = {
    "subject": {"label": "编号", "column": "uscc", "normalise": "code"},
    "fields": {"state": {"label": "状态"}},
    "limits": {"attempts_per_subject_per_day": 9, "subjects_per_day": 500, "no_match_after": 8, "neighbours_per_day": 20}
    | {"claims_per_subject": 3},
}


def publish(stall, config=CONFIG, **changes) -> Release:
    """The stall's product as a verification."""
    DataProduct.objects.filter(pk=stall.product.pk).update(type="verification")
    Release.objects.filter(pk=stall.release.pk).update(state="retired")
    artifact = verification.pack_csv(CSV, config, Digester(KEY, stall.product.code))
    fields = {
        "config": config,
        "input_schema": verification.input_schema(config),
        "output_schema": verification.output_schema(config),
        "sample_input": {"subject": "1", "claims": {"state": "open"}},
        "artifact": artifact,
        "sha256": sha256(artifact).hexdigest(),
        "created_at": START,
    }
    return Release.objects.create(product=stall.product, version=2, state="active", **fields | changes)


@pytest.fixture
def asking(serve, stall) -> Client:
    publish(stall)
    Membership.objects.create(user=stall.user, organisation=stall.buyer, roles=["owner"], created_at=START)
    return Client(serve(environ=ENVIRON), stall)


def ask(client: Client, number: int, state: str = "open", key: str | None = None):
    return client.call(key, json={"subject": f"9133020{number:06d}", "claims": {"state": state}})


def wait_for(found, seconds: float = 8):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not found():
        time.sleep(0.05)
    return found()


def test_an_absent_subject_and_a_wrong_claim_are_answered_alike(asking):
    answers = [ask(asking, 2, "shut").json()["data"], ask(asking, 3, "open").json()["data"]]
    assert answers == [{"results": {"state": "mismatch"}}] * 2


def test_a_sequence_of_subjects_opens_a_probing_case_and_is_answered_429_until_it_is_closed(asking):
    answers = [ask(asking, number * 2).status_code for number in range(20)]
    assert answers == [200] * 20
    stopped = ask(asking, 60)
    assert (stopped.status_code, stopped.json()["type"]) == (429, "/problems/subject-limit")
    assert int(stopped.headers["Retry-After"]) > 0
    [case] = wait_for(lambda: list(Case.objects.filter(kind="probing")))
    assert case.handler == asking.stall.authority
    assert Notice.objects.filter(kind="risk.probing").count() == 1
    assert ask(asking, 0).status_code == 429  # even what was asked before: the case is open
    second = asking.stall.key_for(asking.stall.entitle())[1]
    assert ask(asking, 62, key=second).status_code == 429  # another entitlement of the organisation shares the count
    assert ask(asking, 2, key=second).status_code == 200


def test_many_different_claims_about_one_subject_are_probing(asking):
    assert [ask(asking, 2, state).status_code for state in ("a", "b", "c", "a")] == [200] * 4
    assert ask(asking, 2, "d").status_code == 429
    assert wait_for(lambda: Case.objects.filter(kind="probing").count()) == 1


def test_a_day_of_guesses_opens_a_case(asking):
    for number in range(8):
        assert ask(asking, number * 2 + 1).status_code == 200
    assert wait_for(lambda: Case.objects.filter(kind="probing").count()) == 1
    day = SubjectDay.objects.get()
    assert (day.asked, day.missed) == (8, 8)
    assert ask(asking, 2).status_code == 429


def test_an_answer_that_does_not_fit_its_schema_is_never_sent_nor_charged_and_the_operator_is_told_once(serve, stall):
    Membership.objects.create(user=stall.user, organisation=stall.operator, roles=["publisher"], created_at=START)
    publish(stall, output_schema={"type": "object", "properties": {"results": {"maxProperties": 0}}})
    broken = Client(serve(environ=ENVIRON), stall)
    answers = [ask(broken, 2) for _n in range(3)]
    assert {(each.status_code, each.json()["type"]) for each in answers} == {(503, "/problems/runtime-failed")}
    assert "open" not in answers[0].text and not UsageEvent.objects.exists()
    [notice] = wait_for(lambda: list(Notice.objects.filter(kind="release.misfit")))
    assert notice.facts["where"] == "/results"
    assert ask(broken, 4).status_code == 503
    time.sleep(0.6)
    assert Notice.objects.filter(kind="release.misfit").count() == 1
