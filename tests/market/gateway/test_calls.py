"""Calls of a product over HTTP: what is served, metered and refused."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import requests
from django.db import connection

from settlement.entitlements.models import Quota
from settlement.metering.models import Refusal, UsageEvent
from tests.settlement.stall import START, organisation


def problem(response: requests.Response, status: int, code: str) -> dict:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), response.text
    document = response.json()
    assert (document["type"], document["status"]) == (f"/problems/{code}", status) and document["title"]
    return document


def test_call_is_answered_with_its_receipt_after_it_was_metered(client):
    response = client.call(headers={"Purpose": "industry.finance.pre_loan"})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["data"]["points"] == [{"date": "2026-10-15", "value": "114.25", "vintage": "2026-10-15"}]
    row = UsageEvent.objects.get()
    assert answer["receipt"] == {"id": str(row.id), "url": f"/v1/receipts/{row.id}"}
    assert (row.units, row.purpose, row.is_free) == ({"calls": "1"}, "industry.finance.pre_loan", False)
    assert (row.entitlement_id, row.release_id, row.key_id) == (
        client.stall.entitlement.pk,
        client.stall.release.pk,
        client.stall.key.pk,
    )
    assert row.book_month == date(2026, 10, 1) and row.request_digest and abs(row.event_time - START) < timedelta(minutes=9)
    assert re.fullmatch(r'"rate";q=1000000;w=60, "organisation";q=6000000;w=60', response.headers["ratelimit-policy"])
    assert re.fullmatch(r'"rate";r=999999;t=\d+, "organisation";r=\d+;t=\d+', response.headers["ratelimit"])
    client.stall.key.refresh_from_db()
    ends = time.monotonic() + 3
    while client.stall.key.last_used_at is None and time.monotonic() < ends:
        client.stall.key.refresh_from_db()
    assert client.stall.key.last_used_at is not None


def test_a_connection_that_was_cut_while_idle_costs_a_second_try_and_not_the_call(client):
    assert client.call().status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'gongshu-gateway' AND state = 'idle'"
        )
        assert cursor.fetchone()[0] >= 2
    time.sleep(1.1)  # past the second for which the key was looked up
    assert client.call().status_code == 200
    assert UsageEvent.objects.count() == 2


def test_every_refusal_is_a_problem_costs_nothing_and_is_kept_with_its_reason(client):
    """One server, every status that a state of the market or a wrong request can bring."""
    stall, expected = client.stall, []

    def refused(response: requests.Response, status: int, code: str) -> dict:
        expected.append(code)
        return problem(response, status, code)

    good = stall.secret
    refused(requests.post(f"{client.server.url}/v1/products/{stall.product.code}", json={}, timeout=9), 401, "key-missing")
    refused(client.call(good[:-1] + ("a" if good[-1] != "a" else "b")), 401, "key-malformed")
    from settlement.entitlements import keys

    refused(client.call(keys.make("live")), 401, "key-unknown")
    refused(client.call(stall.key_for(stall.entitlement, revoked_at=START)[1]), 401, "key-revoked")
    refused(client.call(stall.key_for(stall.entitlement, expires_at=START)[1]), 401, "key-expired")
    refused(client.call(stall.key_for(None, "op")[1]), 403, "key-mode")
    refused(client.call(code="no-such-product"), 404, "product-unknown")
    for number, (status, code, changes) in enumerate(
        [
            (402, "invoice-overdue", {"state": "overdue"}),
            (402, "balance-empty", {"is_prepaid": True}),
            (403, "entitlement-suspended", {"state": "suspended"}),
            (403, "entitlement-ended", {"state": "ended"}),
            (403, "entitlement-ended", {"valid_to": START}),
            (403, "entitlement-not-begun", {"valid_from": START + timedelta(days=1)}),
            (403, "scenario-outside", {"scenario": "elsewhere"}),
            (403, "purpose-outside", {"purposes": ["sector.retail"]}),
        ]
    ):
        entitlement = stall.entitle(code=f"E-{number}", **changes)
        refused(client.call(stall.key_for(entitlement)[1]), status, code)
    refused(client.call(headers={"Purpose": "industry.finance.post_loan"}), 403, "purpose-outside")
    refused(client.call(headers={"Purpose": "NOT a purpose"}), 422, "header-refused")
    refused(client.call(data=b"{}", headers={"Content-Type": "text/plain"}), 415, "not-json")
    refused(client.call(data=b"{" + b" " * 300_000 + b"}", headers={"Content-Type": "application/json"}), 413, "body-too-large")
    refused(client.call(data=b"{", headers={"Content-Type": "application/json"}), 422, "input-refused")
    errors = refused(client.call(json={"ask": "date", "date": "soon"}), 422, "input-refused")["errors"]
    assert [error["pointer"] for error in errors] == ["/date"] and errors[0]["message"]
    refused(client.call(json={"ask": "date", "date": "2020-01-01"}), 422, "input-refused")
    refused(client.call(headers={"Idempotency-Key": "with space"}), 422, "header-refused")
    slow = stall.key_for(stall.entitle(code="E-slow", rate_per_minute=1))[1]
    assert client.call(slow).status_code == 200
    response = client.call(slow)
    refused(response, 429, "rate-limit")
    assert 1 <= int(response.headers["retry-after"]) <= 60 and '"rate";r=0' in response.headers["ratelimit"]
    assert UsageEvent.objects.count() == 1, "only the one call that was served"
    ends = time.monotonic() + 5
    while Refusal.objects.count() < len(expected) and time.monotonic() < ends:
        time.sleep(0.05)
    kept = Refusal.objects.order_by("id")
    assert [row.reason for row in kept] == expected
    assert (
        kept.filter(
            reason="purpose-outside", purpose="industry.finance.post_loan", entitlement=stall.entitlement, status=403
        ).count()
        == 1
    )


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("product-suspended", lambda s: type(s.product).objects.update(state="suspended")),
        ("authorisation-ended", lambda s: type(s.authorisation).objects.update(state="ended")),
        ("authorisation-ended", lambda s: type(s.authorisation).objects.update(to_date=date(2026, 10, 19))),
        ("organisation-suspended", lambda s: type(s.buyer).objects.filter(pk=s.buyer.pk).update(state="suspended")),
        ("price-missing", lambda s: type(s.tariff).objects.update(state="returned")),
    ],
)
def test_change_in_the_market_stops_calls_within_two_seconds(client, code, change):
    assert client.call().status_code == 200
    change(client.stall)
    changed = time.monotonic()
    while (response := client.call()).status_code == 200:
        assert time.monotonic() - changed < 2
    problem(response, 403, code)


def test_a_merchants_product_stands_on_no_authorisation_and_answers(client):
    product = client.stall.product
    product.regime, product.authorisation = "market", None
    product.save()
    response = client.call()
    assert response.status_code == 200, response.text
    type(product).objects.update(regime="guided")
    changed = time.monotonic()
    while (response := client.call()).status_code == 200:
        assert time.monotonic() - changed < 2
    problem(response, 403, "authorisation-ended")


def test_revoked_key_stops_within_two_seconds(client):
    assert client.call().status_code == 200
    client.stall.key.revoked_at = START
    client.stall.key.save()
    changed = time.monotonic()
    while (response := client.call()).status_code == 200:
        assert time.monotonic() - changed < 2
    problem(response, 401, "key-revoked")


def test_key_of_another_product_is_told_so(client):
    from tests.settlement.stall import make_stall

    other = make_stall(2)
    problem(client.call(code=other.product.code), 403, "product-not-covered")
    assert not UsageEvent.objects.exists()


def test_quota_ends_in_429_and_says_what_is_left(client):
    quota = client.stall.limit(client.stall.entitlement, 3)
    answers = [client.call() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert '"quota";q=3' in answers[0].headers["ratelimit-policy"] and '"quota";r=3' in answers[0].headers["ratelimit"]
    problem(answers[3], 429, "quota-used-up")
    quota.refresh_from_db()
    assert quota.used == UsageEvent.objects.count() == 3


def test_repeat_with_the_same_idempotency_key_is_the_same_answer_and_one_event(client):
    headers = {"Idempotency-Key": "order-77"}
    first, again = client.call(headers=headers), client.call(headers=headers)
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    document = problem(client.call(headers=headers, json={"ask": "date", "date": "2026-10-03"}), 409, "idempotency-conflict")
    assert document["receipt"]["id"] == first.json()["receipt"]["id"]
    assert UsageEvent.objects.count() == 1
    assert UsageEvent.objects.get().source == f"/keys/{client.stall.entitlement.code}"


def test_repeat_after_the_answer_was_forgotten_is_a_conflict_with_the_receipt(client):
    from django.db import connection

    first = client.call(headers={"Idempotency-Key": "once"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM settlement_idempotentanswer")
        assert b"114.25" not in bytes(cursor.fetchone()[0]), "the answer is kept encrypted"
        cursor.execute("UPDATE settlement_idempotentanswer SET expires_at = %s", [START - timedelta(days=1)])
    document = problem(client.call(headers={"Idempotency-Key": "once"}), 409, "idempotency-forgotten")
    assert document["receipt"]["id"] == first.json()["receipt"]["id"]


def test_sandbox_key_of_an_unverified_organisation_gets_made_up_data_that_says_so(client):
    newcomer = organisation(97, "enterprise", "newcomer", state="unverified")
    _key, secret = client.stall.key_for(None, "test", organisation=newcomer)
    response = client.call(secret)
    assert response.status_code == 200
    assert response.json() == {"data": client.stall.release.sample_output, "sandbox": True, "receipt": None}
    problem(client.call(secret, json={"ask": "never"}), 422, "input-refused")
    problem(client.call(secret, code="nothing"), 404, "product-unknown")
    assert UsageEvent.objects.count() == 0


def test_receipt_is_signed_and_only_for_buyer_and_operator(client):
    import base64

    import msgspec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    receipt = client.call().json()["receipt"]
    found = client.get(receipt["url"])
    assert found.status_code == 200
    facts = found.json()
    assert (facts["id"], facts["product"], facts["release"], facts["units"]) == (receipt["id"], "port-index-1", 1, {"calls": "1"})
    assert (facts["tariff_version"], facts["list_price"], facts["free"], facts["book_month"]) == (1, "0.50", False, "2026-10")
    assert datetime.fromisoformat(facts["time"]).utcoffset() == timedelta(hours=8)
    published = requests.get(f"{client.server.url}/v1/keys", timeout=9).json()["keys"]
    (jwk,) = (each for each in published if each["kid"] == facts["kid"])
    signature = base64.urlsafe_b64decode(facts.pop("signature") + "==")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "="))
    public.verify(signature, msgspec.json.encode(facts, order="deterministic"))
    operator_key = client.stall.key_for(None, "op", organisation=client.stall.operator)[1]
    assert client.get(receipt["url"], operator_key).status_code == 200
    stranger = client.stall.key_for(None, "test", organisation=client.stall.authority)[1]
    problem(client.get(receipt["url"], stranger), 404, "receipt-unknown")
    for text in (str(UUID(int=0)), "x", "01890000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff"):
        problem(client.get(f"/v1/receipts/{text}"), 404, "receipt-unknown")


def test_free_call_is_metered_as_free(client):
    from pricing.grants.models import FreeUseGrant

    stall = client.stall
    grant = FreeUseGrant.objects.create(
        number="免1",
        organisation=stall.buyer,
        product=stall.product,
        purpose="welfare.health",
        scenario="port",
        statement="…",
        quota_asked=9,
        asked_until=date(2026, 12, 1),
        created_at=START,
    )
    entitlement = stall.entitle(plan=None, grant=grant, purposes=["welfare.health"])
    quota = stall.limit(entitlement, 9)
    assert client.call(stall.key_for(entitlement)[1]).status_code == 200
    row = UsageEvent.objects.get()
    assert row.is_free and row.units == {"calls": "1"} and Quota.objects.get(pk=quota.pk).used == 1


def test_operator_reports_usage_and_gets_an_answer_for_each(client):
    stall = client.stall
    _key, secret = stall.key_for(None, "op", organisation=stall.operator)
    event = {
        "specversion": "1.0", "id": "1", "source": f"/operators/{stall.operator.slug}/meter", "type": "cn.gongshu.usage.v1",
        "subject": stall.entitlement.code, "time": "2026-10-19T09:00:00+08:00",
        "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "2"}},
    }  # fmt: skip
    one = client.report(secret, event, "application/cloudevents+json")
    assert one.status_code == 200 and one.json()["accepted"] == 1
    batch = client.report(
        secret, [event, event | {"id": "2"}, event | {"id": "3", "subject": "E0"}], "application/cloudevents-batch+json"
    )
    answer = batch.json()
    assert [item["status"] for item in answer["items"]] == ["duplicate", "accepted", "rejected"]
    assert (answer["accepted"], answer["duplicate"], answer["rejected"]) == (1, 1, 1)
    assert answer["items"][0]["receipt"] == one.json()["items"][0]["receipt"] and answer["items"][2]["reason"] == "entitlement"
    assert UsageEvent.objects.count() == 2
    problem(client.report(stall.secret, event), 403, "key-mode")
    problem(client.report(secret, event, "text/csv"), 415, "not-json")
    problem(client.report(secret, []), 422, "input-refused")
    problem(client.report("gs_op_none", event), 401, "key-malformed")


def test_health_readiness_metrics_and_problems_can_be_read(client):
    url = client.server.url
    assert requests.get(f"{url}/healthz", timeout=9).text == "ok\n" and requests.get(f"{url}/readyz", timeout=9).text == "ready\n"
    client.call()
    client.call("gs_live_x")
    text = requests.get(f"{url}/metrics", timeout=9).text
    assert re.search(r'gongshu_answers_total\{worker="\d+",kind="call",status="200",reason=""\} [1-9]', text)
    assert re.search(r'reason="key-malformed"\} [1-9]', text) and re.search(r"gongshu_commit_events_total\{[^}]+\} [1-9]", text)
    listed = requests.get(f"{url}/problems/", timeout=9).json()["problems"]
    assert {entry["status"] for entry in listed} >= {401, 402, 403, 404, 409, 413, 415, 422, 429, 503}
    chinese = requests.get(f"{url}/problems/key-unknown", timeout=9).json()
    english = requests.get(f"{url}/problems/key-unknown", headers={"Accept-Language": "en"}, timeout=9).json()
    assert chinese["status"] == 401 and english["title"] == "This key is not known."
    assert (
        client.get("/v1/nowhere").status_code == 404
        and client.get(f"/v1/products/{client.stall.product.code}").status_code == 405
    )
    assert requests.get(f"{url}/sign-in/", timeout=9).status_code == 200, "everything else goes to the site"


def test_time_of_the_call_is_the_markets_clock(client):
    client.call()
    row = UsageEvent.objects.get()
    assert abs((row.received_at - row.event_time).total_seconds()) < 5 and row.event_time.astimezone(UTC).month == 10
