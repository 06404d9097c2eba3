"""``POST /v1/usage`` over HTTP: an answer for each event; late, early and corrected use by rule."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from settlement.billing.models import BillingMonth
from settlement.metering.models import UsageEvent
from settlement.metering.rules import business_day
from tests.settlement.metering.test_reports import cloud_event
from tests.settlement.stall import START

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(stall) -> str:
    return stall.key_for(None, mode="op", organisation=stall.operator)[1]


def items(response) -> list[dict]:
    assert response.status_code == 200, response.text
    return response.json()["items"]


def test_batch_is_answered_item_by_item(client, stall, key):
    events = [
        cloud_event(stall, "1"),
        cloud_event(stall, "1"),
        cloud_event(stall, "1", data={"units": {"calls": "4"}}),
        {**cloud_event(stall, "2"), "time": "yesterday"},
        cloud_event(stall, "3", subject="E0"),
        "what",
        cloud_event(stall, "4", data={"units": {"bytes": "1"}}),
    ]
    response = client.report(key, events, "application/cloudevents-batch+json")
    found = items(response)
    assert {name: response.json()[name] for name in ("accepted", "duplicate", "rejected")} == {
        "accepted": 1,
        "duplicate": 1,
        "rejected": 5,
    }
    assert [(item["id"], item["status"], item.get("reason")) for item in found] == [
        ("1", "accepted", None),
        ("1", "duplicate", None),
        ("1", "rejected", "conflict"),
        ("2", "rejected", "malformed"),
        ("3", "rejected", "entitlement"),
        (None, "rejected", "malformed"),
        ("4", "rejected", "units"),
    ]
    assert found[0]["receipt"] == found[1]["receipt"] == str(UsageEvent.objects.get().id)
    assert found[3]["detail"].startswith("/time: ") and found[6]["detail"] == "/data/units/bytes"
    assert client.get(f"/v1/receipts/{found[0]['receipt']}", key).status_code == 200


def test_single_event_is_a_batch_of_one_and_zulu_time_is_the_same_moment(client, stall, key):
    assert items(client.report(key, cloud_event(stall), "application/cloudevents+json"))[0]["status"] == "accepted"
    assert items(client.report(key, cloud_event(stall, time="2026-10-19T01:00:00Z")))[0]["status"] == "duplicate"


def test_what_is_no_batch_is_refused_whole(client, stall, key):
    def code(response) -> tuple[int, str]:
        return response.status_code, response.json()["type"].removeprefix("/problems/")

    assert code(client.report(stall.secret, [cloud_event(stall)])) == (403, "key-mode")
    assert code(client.report(key, [cloud_event(stall)], "text/plain")) == (415, "not-json")
    assert code(client.report(key, [])) == code(client.report(key, "x")) == code(client.report(key, 7)) == (422, "input-refused")
    assert code(client.report(key, [cloud_event(stall)] * 5_001)) == (413, "body-too-large")
    broken = client.post_raw("/v1/usage", b"[{", key)
    assert code(broken) == (422, "input-refused") and broken.json()["errors"][0]["message"]
    assert UsageEvent.objects.count() == 0


def test_scenario_55_same_id_twice_is_one_event_and_other_content_a_conflict(client, stall, key):
    first = items(client.report(key, [cloud_event(stall, "a")]))[0]
    again = items(client.report(key, [cloud_event(stall, "a")]))[0]
    other = items(client.report(key, [cloud_event(stall, "a", data={"units": {"calls": "1"}})]))[0]
    assert (first["status"], again["status"], other["reason"]) == ("accepted", "duplicate", "conflict")
    assert first["receipt"] == again["receipt"] == other["receipt"] and UsageEvent.objects.count() == 1


def test_scenario_56_use_of_the_last_moment_belongs_to_its_month_until_that_is_closed(client, stall, key):
    """23:59:59.9 on 30 September, reported on 20 October: billed by September while that is open, else by October."""
    last = "2026-09-30T23:59:59.9+08:00"
    BillingMonth.objects.create(month=date(2026, 9, 1))
    before = items(client.report(key, [cloud_event(stall, "before", time=last)]))[0]
    BillingMonth.objects.filter(month=date(2026, 9, 1)).update(state="closed", closed_at=START)
    after = items(client.report(key, [cloud_event(stall, "after", time=last)]))[0]
    rows = {str(e.id): (e.event_month, e.book_month) for e in UsageEvent.objects.all()}
    assert rows[before["receipt"]] == (date(2026, 9, 1), date(2026, 9, 1))
    assert rows[after["receipt"]] == (date(2026, 9, 1), date(2026, 10, 1))


def test_clock_may_be_a_minute_ahead_and_use_thirteen_months_old(client, stall, key):
    stall.entitlement.valid_from = START - timedelta(days=900)
    stall.entitlement.save()
    times = {
        "ahead": START + timedelta(seconds=50),
        "far": START + timedelta(days=1),
        "old": "2025-09-01T00:00:00+08:00",
        "older": "2025-08-31T23:59:59+08:00",
    }
    events = [cloud_event(stall, name, time=str(t) if isinstance(t, str) else t.isoformat()) for name, t in times.items()]
    found = {item["id"]: item.get("reason", "accepted") for item in items(client.report(key, events))}
    # What is not too old is looked at further: no tariff was in force then.
    assert found == {"ahead": "accepted", "far": "future", "old": "units", "older": "too_old"}


def test_correction_takes_units_back_and_gives_the_quota_back(client, stall, key):
    quota = stall.limit(stall.entitlement, 3)
    first = items(client.report(key, [cloud_event(stall, "a")]))[0]["receipt"]

    def correct(name: str, calls: str, **data) -> dict:
        return cloud_event(stall, name, data={"units": {"calls": calls}, "corrects": first, **data})

    no_name = cloud_event(stall, "b", data={"units": {"calls": "-1"}})
    wrong = [no_name, correct("c", "-4"), correct("d", "-1", corrects="7"), {**correct("e", "-1"), "time": START.isoformat()}]
    found = items(client.report(key, wrong))
    assert [(item["reason"], item["detail"].split(":")[0]) for item in found] == [
        ("units", "/data/units/calls"),
        ("not_correctable", "/data/units/calls"),
        ("malformed", "/data/corrects"),
        ("not_correctable", "/time"),
    ]
    assert items(client.report(key, [cloud_event(stall, "full")]))[0]["reason"] == "over_quota"
    assert items(client.report(key, [correct("f", "-3")]))[0]["status"] == "accepted"
    quota.refresh_from_db()
    assert quota.used == 0
    assert items(client.report(key, [cloud_event(stall, "full")]))[0]["status"] == "accepted"


def test_batch_that_cannot_be_committed_is_answered_503_and_nothing_of_it_is_counted(client, stall, key):
    """The month is held as by a close that takes long; the statement gives up after its five seconds."""
    BillingMonth.objects.create(month=date(2026, 10, 1))
    batch = [cloud_event(stall, str(number)) for number in range(3)]
    with transaction.atomic():
        BillingMonth.objects.select_for_update().get(month=date(2026, 10, 1))
        response = client.report(key, batch)
    assert (response.status_code, response.json()["type"]) == (503, "/problems/recording-failed")
    assert response.headers["retry-after"] and UsageEvent.objects.count() == 0
    assert [item["status"] for item in items(client.report(key, batch))] == ["accepted"] * 3


def test_late_reports_that_wait_for_a_month_being_closed_hold_up_no_call(client, stall, key):
    months = BillingMonth.objects.bulk_create(BillingMonth(month=date(2026, number, 1)) for number in (9, 10))
    late = "2026-09-30T12:00:00+08:00"
    assert client.call().status_code == 200  # what is looked up once is known
    with ThreadPoolExecutor(4) as threads, transaction.atomic():
        BillingMonth.objects.select_for_update().get(pk=months[0].pk)
        waiting = []
        for number in (1, 2):
            waiting.append(threads.submit(client.report, key, [cloud_event(stall, str(number), time=late)]))
            until_waiting(number)
        began = time.monotonic()
        assert [client.call().status_code for _ in range(3)] == [200] * 3
        assert time.monotonic() - began < 4 and not any(report.done() for report in waiting)
        transaction.set_rollback(True)
    assert {report.result().status_code for report in waiting} <= {200, 503}


def until_waiting(backends: int) -> None:
    """Until so many writers wait for a lock."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ends = time.monotonic() + 4
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(asked)
            if cursor.fetchone()[0] >= backends:
                return
        time.sleep(0.02)
    pytest.fail("no writer waits")


def test_ended_entitlement_is_known_within_a_second(client, stall, key):
    assert items(client.report(key, [cloud_event(stall, "1")]))[0]["status"] == "accepted"
    type(stall.entitlement).objects.filter(pk=stall.entitlement.pk).update(ended_at=START - timedelta(days=10))
    assert business_day(START) == date(2026, 10, 20)
    for number in range(200):
        answer = items(client.report(key, [cloud_event(stall, f"x{number}")]))[0]
        if answer["status"] == "rejected":
            assert answer["reason"] == "validity"
            return
    pytest.fail("the end of the entitlement was not heard of")
