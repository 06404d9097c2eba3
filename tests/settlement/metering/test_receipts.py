"""Receipts: the proof, and what a use added to the list price with the counters as they stood before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement.metering import merkle
from settlement.metering.checking import check_receipt
from settlement.metering.list_price import list_price
from settlement.metering.models import ArchivedMonth, UsageEvent
from settlement.metering.receipts import ReceiptArchived, identifier_of, receipt_of
from settlement.metering.record import event_of, record_events
from settlement.metering.rules import usage_id
from settlement.metering.sealing import seal
from tests.settlement.metering.test_sealing import HOUR, use
from tests.settlement.stall import START, TARIFF, Stall, digest_of, make_stall

TIERS = [{"up_to": "3", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.30"}]


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def receipt(stall: Stall, identifier: UUID) -> dict:
    found = receipt_of(identifier=identifier, organisation_id=stall.buyer.pk)
    assert found is not None
    return found


def with_component(stall: Stall, **component) -> None:
    document = TARIFF | {"components": [TARIFF["components"][0] | component]}
    if component.get("model", "per_unit") != "per_unit":
        del document["components"][0]["unit_price"]
    stall.tariff.document = document
    with connection.cursor() as cursor:  # past the trigger that keeps a tariff as it was filed
        cursor.execute("SET LOCAL session_replication_role = replica")
        stall.tariff.save()
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def call(stall: Stall, at: datetime, units: str = "1", **more) -> UUID:
    event = event_of(stall.entitlement, units={"calls": units}, time=at, request_digest=digest_of("q"), **more)
    return record_events([event], at=at)[0].usage_id


def test_receipt_has_no_proof_before_its_hour_is_sealed_and_says_when(stall):
    (outcome,) = use(stall, 1)
    found = receipt(stall, outcome.usage_id)
    assert (found["proof"], found["sealed_after"]) == (None, "2026-10-20T11:01:00+08:00")
    seal(at=START + 2 * HOUR)
    assert receipt(stall, outcome.usage_id)["sealed_after"] is None


@pytest.mark.parametrize("count", [1, 5, 1_025, 2_600])
def test_every_receipt_of_a_sealed_hour_proves_itself(stall, count):
    outcomes = use(stall, count)
    record_events(  # late use received in the same hour, and use of the same time received in another
        [event_of(stall.entitlement, units={"calls": "1"}, time=START - timedelta(days=35), request_digest=digest_of("l"))],
        at=START,
    )
    record_events([event_of(stall.entitlement, units={"calls": "1"}, time=START, request_digest=digest_of("o"))], at=START + HOUR)
    seal(at=START + 3 * HOUR)
    ids = sorted(UsageEvent.objects.values_list("id", flat=True))
    for place in {0, 1, len(ids) // 2, len(ids) - 2, len(ids) - 1}:
        with CaptureQueriesContext(connection) as queries:
            found = receipt(stall, ids[place])
        finding = check_receipt(found | {"signature": ""})
        assert "proof" in finding.proven, finding
        assert len(queries) == 4, "event, counters, tree, one chunk"
    assert len(outcomes) == count and found["proof"]["size"] in (1, count + 1)


def test_receipt_of_an_event_that_was_changed_after_sealing_has_no_proof(stall):
    first, _second = use(stall, 2)
    seal(at=START + 2 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE settlement_usageevent SET digest = sha256('other') WHERE id = %s", [first.usage_id])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert receipt(stall, first.usage_id)["proof"] is None


def test_receipt_is_for_buyer_and_operator_only(stall):
    (outcome,) = use(stall, 1)
    assert receipt_of(identifier=outcome.usage_id, organisation_id=stall.operator.pk)
    assert receipt_of(identifier=outcome.usage_id, organisation_id=stall.authority.pk) is None
    assert receipt_of(identifier=usage_id(START), organisation_id=stall.buyer.pk) is None
    assert [identifier_of(text) for text in ("x", str(UUID(int=0)))] == [None] * 2
    far = identifier_of("ffffffff-ffff-7fff-bfff-ffffffffffff")  # of a moment after the year 9999: a month without calls
    assert far is not None and receipt_of(identifier=far, organisation_id=stall.buyer.pk) is None


def test_receipt_of_an_archived_month_is_refused_as_such(stall):
    ArchivedMonth.objects.create(
        event_month=date(2026, 3, 1), file_name="x", sha256="0" * 64, size=1, events=1, archived_at=START
    )
    with pytest.raises(ReceiptArchived):
        receipt_of(identifier=usage_id(datetime.fromisoformat("2026-03-09T00:00:00+08:00")), organisation_id=stall.buyer.pk)


def test_list_price_counts_what_was_used_before_by_time_and_then_id(stall):
    with_component(stall, model="graduated", tiers=TIERS)
    third = call(stall, START + timedelta(minutes=30))
    first = call(stall, START - timedelta(days=3), "2")
    fourth, fifth = (call(stall, START + timedelta(hours=5), id=usage_id(START + timedelta(hours=5))) for _ in range(2))
    last_month = call(stall, START - timedelta(days=25), "9")
    prices = {number: receipt(stall, number)["list_price"] for number in (first, third, last_month)}
    assert prices == {first: "1.00", third: "0.50", last_month: "3.30"}
    assert [receipt(stall, number)["list_price"] for number in sorted((fourth, fifth))] == ["0.30", "0.30"]
    seventh = call(stall, START + timedelta(minutes=29, seconds=59))
    assert [receipt(stall, number)["list_price"] for number in (seventh, third)] == ["0.50", "0.30"], (
        "late use moves later prices"
    )


def test_list_prices_of_a_months_uses_add_up_to_its_bill(stall):
    from pricing.documents import parse_tariff

    with_component(stall, model="volume", included="1.5", tiers=[{"up_to": "4", "unit_price": "0.333333"}, *TIERS[1:]])
    numbers = [call(stall, START + timedelta(hours=n, minutes=n), "0.7") for n in range(9)]
    whole = parse_tariff(stall.tariff.document).components[0].value(6_300_000)
    assert sum(Decimal(receipt(stall, number)["list_price"]) for number in numbers) == Decimal(whole) / 10**12
    assert receipt(stall, numbers[0])["list_price"] == "0.00", "within what is included"


@pytest.mark.parametrize(
    ("span", "expected"),
    [("month", "0.50"), ("year", "0.30"), ("term", "0.30")],  # the anniversary is 22 June, the start of the term too
)
def test_list_price_counts_over_the_span_of_the_component(stall, span, expected):
    with_component(stall, model="graduated", tiers=TIERS, counts_over=span)
    call(stall, START - timedelta(days=40), "7")
    assert receipt(stall, call(stall, START))["list_price"] == expected


def test_a_year_begins_anew_at_the_anniversary_and_a_term_does_not(stall):
    with_component(stall, model="graduated", tiers=TIERS, counts_over="year")
    type(stall.entitlement).objects.filter(pk=stall.entitlement.pk).update(anchor_date=date(2025, 10, 18))
    stall.entitlement.refresh_from_db()
    call(stall, datetime.fromisoformat("2026-10-17T23:59:59+08:00"), "7")
    number = call(stall, datetime.fromisoformat("2026-10-18T00:00:00+08:00"))
    assert receipt(stall, number)["list_price"] == "0.50"
    with_component(stall, model="graduated", tiers=TIERS, counts_over="term")
    assert receipt(stall, number)["list_price"] == "0.30"


def test_list_price_of_a_package_falls_on_the_call_that_opens_it(stall):
    with_component(stall, model="package", package_size="2", package_price="9.00")
    numbers = [call(stall, START + timedelta(minutes=n)) for n in range(3)]
    assert [receipt(stall, number)["list_price"] for number in numbers] == ["9.00", "0.00", "9.00"]


def test_list_price_leaves_out_what_the_plan_covers_or_does_not_collect():
    calls = TARIFF["components"][0]
    assert list_price(TARIFF, {"records": "5"}, {}) == "0.00"
    assert list_price(TARIFF, {"gone": "5"}, {}) is None
    assert list_price(TARIFF | {"components": [calls | {"collected": False}]}, {"calls": "5"}, {}) == "0.00"
    assert list_price(TARIFF, {"calls": "-2"}, {"calls": Decimal(5)}) == "-1.00", "a correction gives back"


def test_leaves_of_one_chunk_are_at_most_1024(stall):
    use(stall, 2_100)
    seal(at=START + 2 * HOUR)
    identifier = UsageEvent.objects.order_by("id").values_list("id", flat=True)[1_500]
    with CaptureQueriesContext(connection) as queries:
        receipt(stall, identifier)
    with connection.cursor() as cursor:
        cursor.execute(queries[-1]["sql"])
        assert len(cursor.fetchall()) == merkle.CHUNK
