"""Recording: once for ever, within quotas, into the right month."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, connections, transaction

from settlement.billing.models import BillingMonth
from settlement.metering.models import UsageEvent, UsageIdentity
from settlement.metering.record import NewEvent, Status, record_events
from settlement.metering.rules import month_of_id, quota_units, usage_id
from settlement.metering.selectors import calls_by_day, calls_in_month, units_by_entitlement, units_counted, usage_event
from tests.settlement.stall import START, Stall, digest_of, make_stall


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def event(stall: Stall, n: int | None = None, *, content: str = "", at: datetime = START, **changes) -> NewEvent:
    identity = {"source": "/operators/port-data-1/meter", "event_id": f"e{n}"} if n is not None else {}
    facts = {
        "entitlement_id": stall.entitlement.pk,
        "entitlement": stall.entitlement.code,
        "product_id": stall.product.pk,
        "product": stall.product.code,
        "release_id": stall.release.pk,
        "release_version": stall.release.version,
        "purpose": "industry.finance.pre_loan",
        "units": {"calls": "1"},
        "event_time": at,
        "request_digest": digest_of(content),
        **identity,
    }
    return NewEvent(**facts | changes)


def statuses(outcomes) -> list[str]:
    return [str(outcome.status) for outcome in outcomes]


def close(month: date) -> None:
    BillingMonth.objects.update_or_create(month=month, defaults={"state": "closed", "closed_at": START})


def test_event_is_written_with_its_month_and_all_that_it_says(stall):
    (outcome,) = record_events([event(stall, key_id=stall.key.pk, has_quota=False)], at=START + timedelta(seconds=1))
    row = UsageEvent.objects.get()
    assert (outcome.status, outcome.usage_id, outcome.book_month) == (Status.ACCEPTED, row.id, date(2026, 10, 1))
    assert (row.event_month, row.book_month, row.units, row.event_time) == (
        date(2026, 10, 1),
        date(2026, 10, 1),
        {"calls": "1"},
        START,
    )
    assert row.received_at == START + timedelta(seconds=1) and row.event_id == str(row.id) and row.key_id == stall.key.pk
    assert usage_event(usage_id=outcome.usage_id) == row


def test_same_id_and_content_is_a_duplicate_and_other_content_a_conflict(stall):
    first = record_events([event(stall, 1), event(stall, 1), event(stall, 2)], at=START)
    assert statuses(first) == ["accepted", "duplicate", "accepted"]
    again = record_events([event(stall, 1), event(stall, 1, content="other"), event(stall, 3)], at=START)
    assert statuses(again) == ["duplicate", "conflict", "accepted"]
    assert again[0].usage_id == again[1].usage_id == first[0].usage_id == first[1].usage_id
    assert UsageEvent.objects.count() == UsageIdentity.objects.count() == 3


def test_quota_is_used_to_its_last_unit_and_never_beyond(stall):
    quota = stall.limit(stall.entitlement, 5, used=2)
    outcomes = record_events([event(stall, n) for n in range(4)], at=START)
    assert statuses(outcomes) == ["accepted", "accepted", "accepted", "over_quota"]
    quota.refresh_from_db()
    assert quota.used == 5 and UsageEvent.objects.count() == 3
    assert not UsageIdentity.objects.filter(event_id="e3").exists(), "an event over the quota may be reported again"
    assert statuses(record_events([event(stall, 0)], at=START)) == ["duplicate"]
    quota.refresh_from_db()
    assert quota.used == 5


def test_repeat_of_an_event_over_the_quota_is_over_the_quota(stall):
    stall.limit(stall.entitlement, 0)
    assert statuses(record_events([event(stall, 1), event(stall, 1)], at=START)) == ["over_quota", "over_quota"]


def test_quota_takes_the_units_of_an_event(stall):
    quota = stall.limit(stall.entitlement, 10)
    record_events([event(stall, 1, units={"calls": "7"})], at=START)
    assert statuses(record_events([event(stall, 2, units={"calls": "4"}), event(stall, 3, units={"calls": "3"})], at=START)) == [
        "over_quota",
        "accepted",
    ]
    quota.refresh_from_db()
    assert quota.used == 10


def test_database_itself_refuses_to_overspend_a_quota(stall):
    quota = stall.limit(stall.entitlement, 1)
    quota.used = 2
    with pytest.raises(IntegrityError, match="quota_never_overspent"):
        quota.save()


def test_event_is_booked_into_its_own_month_while_that_is_open_else_into_the_earliest_open_one(stall):
    close(date(2026, 7, 1))
    close(date(2026, 8, 1))
    BillingMonth.objects.create(month=date(2026, 9, 1))
    late, own, early = (event(stall, n, at=START.replace(month=month)) for n, month in enumerate((8, 9, 10)))
    booked = [outcome.book_month for outcome in record_events([late, own, early], at=START)]
    assert booked == [date(2026, 9, 1), date(2026, 9, 1), date(2026, 10, 1)]
    plain = [event(stall, at=START.replace(month=month), has_quota=False) for month in (7, 10)]
    assert [outcome.book_month for outcome in record_events(plain, at=START)] == [date(2026, 9, 1), date(2026, 10, 1)]


def test_late_event_opens_the_month_after_the_last_closed_one_where_none_is_open(stall):
    close(date(2026, 10, 1))
    (outcome,) = record_events([event(stall, 1)], at=START)
    assert outcome.book_month == date(2026, 11, 1)
    assert not BillingMonth.objects.filter(month__lt=date(2026, 10, 1)).exists()


def test_month_of_an_event_is_the_one_in_shanghai(stall):
    last = datetime.fromisoformat("2026-10-31T15:59:59.9+00:00")
    outcomes = record_events([event(stall, 1, at=last), event(stall, 2, at=last + timedelta(seconds=0.2))], at=START)
    assert [outcome.book_month for outcome in outcomes] == [date(2026, 10, 1), date(2026, 11, 1)]
    assert [month_of_id(outcome.usage_id) for outcome in outcomes] == [date(2026, 10, 1), date(2026, 11, 1)]


def test_usage_event_cannot_be_changed_or_deleted(stall):
    record_events([event(stall, 1)], at=START)
    for statement in ("UPDATE settlement_usageevent SET purpose = 'x'", "DELETE FROM settlement_usageevent"):
        with pytest.raises((InternalError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_units_add_up_by_entitlement_month_and_component(stall):
    other = stall.entitle()
    close(date(2026, 8, 1))
    BillingMonth.objects.create(month=date(2026, 9, 1))
    events = [
        event(stall, 1, units={"calls": "1.5", "bytes": "10"}, at=START.replace(month=9)),
        event(stall, 2, units={"calls": "2"}, at=START.replace(month=9)),
        event(stall, 3, units={"calls": "4"}, at=START.replace(month=8)),
        event(stall, 4, units={"calls": "8"}, at=START.replace(month=9), entitlement_id=other.pk),
        event(stall, 5, units={"calls": "16"}),
    ]
    record_events(events, at=START)
    found = [(row.entitlement_id, row.event_month.month, row.units) for row in units_by_entitlement(book_month=date(2026, 9, 1))]
    assert found == [
        (stall.entitlement.pk, 8, {"calls": Decimal(4)}),
        (stall.entitlement.pk, 9, {"bytes": Decimal(10), "calls": Decimal("3.5")}),
        (other.pk, 9, {"calls": Decimal(8)}),
    ]
    counted = units_counted(
        entitlement_id=stall.entitlement.pk,
        from_month=date(2026, 8, 1),
        to_month=date(2026, 10, 1),
        booked_before=date(2026, 10, 1),
    )
    assert counted[date(2026, 8, 1)] == {"calls": Decimal(4)}
    days = calls_by_day(
        entitlement_ids=[stall.entitlement.pk, other.pk], since=START.replace(day=1), until=START + timedelta(days=1)
    )
    assert days == {stall.entitlement.pk: {date(2026, 10, 20): 1}, other.pk: {}}
    assert calls_in_month(entitlement_ids=[stall.entitlement.pk, other.pk], month=date(2026, 9, 1)) == {
        stall.entitlement.pk: 2,
        other.pk: 1,
    }


def test_ten_thousand_events_take_a_handful_of_statements(stall, django_assert_max_num_queries):
    """Speed proper is measured by bench/usage_ingest.py; this holds that nothing is done row by row."""
    with django_assert_max_num_queries(16):
        outcomes = record_events([event(stall, n) for n in range(10_000)], at=START)
    assert {outcome.status for outcome in outcomes} == {Status.ACCEPTED}


def test_quota_counts_calls_else_products_else_one():
    assert quota_units({"calls": "3", "bytes": "9"}) == 3
    assert quota_units({"products": "1"}) == 1
    assert quota_units({"records": "2.5"}) == 3
    assert quota_units({"bytes": "1000000"}) == 1


def test_usage_ids_are_version_7_and_in_order_of_time():
    ids = [usage_id(START + timedelta(milliseconds=n)) for n in range(3)]
    assert ids == sorted(ids) and {i.version for i in ids} == {7} and {i.variant for i in ids} == {"specified in RFC 4122"}


@pytest.mark.django_db(transaction=True)
def test_racing_reports_of_the_same_events_are_counted_once_and_within_the_quota():
    stall = make_stall()
    quota = stall.limit(stall.entitlement, 30)
    found: list = []
    gate = threading.Barrier(4)

    def report(order: int) -> None:
        gate.wait()
        try:
            for start in range(0, 40, 10):
                batch = [event(stall, n) for n in range(start, start + 10)]
                found.extend(record_events(batch[::order], at=START))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=report, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quota.refresh_from_db()
    assert len(found) == 160
    assert quota.used == UsageEvent.objects.count() == UsageIdentity.objects.count() == 30
    assert sum(outcome.status is Status.ACCEPTED for outcome in found) == 30


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_a_recording_and_a_recording_for_the_close():
    stall = make_stall()
    BillingMonth.objects.create(month=date(2026, 10, 1))
    booked: list[date | None] = []

    def record() -> None:
        booked.append(record_events([event(stall, 1)], at=START)[0].book_month)
        connections.close_all()

    with transaction.atomic():
        month = BillingMonth.objects.select_for_update().get(month=date(2026, 10, 1))
        thread = threading.Thread(target=record)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the recording waits while the month is being closed"
        month.state, month.closed_at = "closed", START
        month.save()
    thread.join()
    assert booked == [date(2026, 11, 1)]
