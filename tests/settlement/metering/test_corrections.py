"""Corrections: an event that names the one it corrects takes units back, never more than there were, and gives the quota back."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connections

from settlement.billing.models import BillingMonth
from settlement.metering.models import UsageEvent
from settlement.metering.record import NewEvent, Outcome, Status, record_events
from settlement.metering.selectors import units_by_entitlement
from settlement.verify import usage
from tests.settlement.metering.test_record import event
from tests.settlement.stall import START, Stall, make_stall


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def recorded(stall: Stall, n: int = 1, **changes) -> Outcome:
    (outcome,) = record_events([event(stall, n, **{"units": {"calls": "5"}} | changes)], at=START)
    assert outcome.status is Status.ACCEPTED
    return outcome


def correction(stall: Stall, n: int, of: Outcome, calls: str = "-2", **changes) -> NewEvent:
    return event(stall, n, **{"units": {"calls": calls}, "corrects": of.usage_id} | changes)


def statuses(outcomes) -> list[str]:
    return [str(outcome.status) for outcome in outcomes]


def test_correction_takes_units_back_and_gives_the_quota_back(stall):
    quota = stall.limit(stall.entitlement, 10)
    first = recorded(stall)
    (outcome,) = record_events([correction(stall, 2, first)], at=START)
    quota.refresh_from_db()
    assert outcome.status is Status.ACCEPTED and quota.used == 3
    assert UsageEvent.objects.get(id=outcome.usage_id).corrects == first.usage_id
    (month,) = units_by_entitlement(book_month=date(2026, 10, 1))
    assert month.units == {"calls": Decimal(3)}


def test_event_taken_back_whole_takes_nothing_from_a_quota_whatever_its_units(stall):
    quota = stall.limit(stall.entitlement, 10)
    half = recorded(stall, 1, units={"calls": "2.5"})
    bytes_only = recorded(stall, 2, units={"bytes": "7"})
    quota.refresh_from_db()
    assert quota.used == 4, "a part of a call is a call, and an event without calls is one"
    back = [correction(stall, n, half, "-1.25") for n in (3, 4)] + [correction(stall, 5, bytes_only, units={"bytes": "-7"})]
    assert statuses(record_events(back, at=START)) == ["accepted"] * 3
    quota.refresh_from_db()
    assert quota.used == 0 and not list(usage.events()), "the auditor counts an event with all that corrects it"


def test_event_of_no_units_takes_nothing_from_a_quota_until_a_correction_gives_it_some(stall):
    quota = stall.limit(stall.entitlement, 10)
    nothing = recorded(stall, 1, units={"bytes": "0"})
    (outcome,) = record_events([correction(stall, 2, nothing, units={"bytes": "7"})], at=START)
    quota.refresh_from_db()
    assert outcome.status is Status.ACCEPTED and quota.used == 1 and not list(usage.events())


def test_corrections_of_an_event_never_sum_below_zero(stall):
    first = recorded(stall)
    outcomes = record_events([correction(stall, n, first, "-2") for n in (2, 3, 4)], at=START)
    assert statuses(outcomes) == ["accepted", "accepted", "not_correctable"]
    assert outcomes[2].reason == "/data/units/calls: 1 is left to take back"
    again = record_events([correction(stall, n, first, units) for n, units in ((5, "-1.5"), (6, "1"), (7, "-2"))], at=START)
    assert statuses(again) == ["not_correctable", "accepted", "accepted"]
    assert sum(Decimal(e.units["calls"]) for e in UsageEvent.objects.all()) == 0


def test_correction_that_a_quota_refuses_does_not_count_for_those_after_it(stall):
    stall.limit(stall.entitlement, 6)
    first = recorded(stall)
    outcomes = record_events([correction(stall, 2, first, "3"), correction(stall, 3, first, "-6")], at=START)
    assert statuses(outcomes) == ["over_quota", "not_correctable"]


def test_correction_names_an_event_of_its_entitlement_time_and_purpose(stall):
    first = recorded(stall)
    other = stall.entitle()
    (second,) = record_events([correction(stall, 2, first)], at=START)
    refused = [
        (correction(stall, 3, Outcome(Status.ACCEPTED, uuid4())), "/data/corrects: no such receipt"),
        (correction(stall, 9, Outcome(Status.ACCEPTED, UUID(int=2**128 - 1))), "/data/corrects: no such receipt"),
        (correction(stall, 4, first, entitlement_id=other.pk), "/data/corrects: no such receipt"),
        (correction(stall, 5, second), "/data/corrects: that receipt is a correction itself"),
        (correction(stall, 6, first, at=START + timedelta(seconds=1)), "/time: "),
        (correction(stall, 7, first, purpose="industry.finance.in_loan"), "/data/purpose: "),
        (correction(stall, 8, first, units={"bytes": "-1"}), "/data/units/bytes: 0 is left"),
    ]
    outcomes = record_events([each for each, _why in refused], at=START)
    assert statuses(outcomes) == ["not_correctable"] * len(refused)
    for outcome, (_event, why) in zip(outcomes, refused, strict=True):
        assert outcome.reason.startswith(why)
    assert UsageEvent.objects.count() == 2


def test_same_correction_again_is_a_duplicate(stall):
    first = recorded(stall)
    full = correction(stall, 2, first, "-5")
    assert statuses(record_events([full, full], at=START)) == ["accepted", "duplicate"]
    assert statuses(record_events([full], at=START)) == ["duplicate"]


def test_correction_of_a_closed_months_event_is_booked_into_the_earliest_open_month(stall):
    first = recorded(stall, at=datetime.fromisoformat("2026-09-20T10:00:00+08:00"))
    BillingMonth.objects.update_or_create(month=date(2026, 9, 1), defaults={"state": "closed", "closed_at": START})
    back = correction(stall, 2, first, "-5", at=datetime.fromisoformat("2026-09-20T10:00:00+08:00"))
    (outcome,) = record_events([back], at=START)
    row = UsageEvent.objects.get(id=outcome.usage_id)
    assert (row.event_month, row.book_month) == (date(2026, 9, 1), date(2026, 10, 1))


@pytest.mark.django_db(transaction=True)
def test_racing_corrections_of_one_event_take_back_no_more_than_it_had():
    stall = make_stall()
    quota = stall.limit(stall.entitlement, 10)
    first = recorded(stall)
    gate, found = threading.Barrier(4), []

    def correct(number: int) -> None:
        gate.wait()
        try:
            found.extend(record_events([correction(stall, 10 + number, first, "-2")], at=START))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=correct, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quota.refresh_from_db()
    assert sorted(statuses(found)) == ["accepted", "accepted", "not_correctable", "not_correctable"] and quota.used == 1
