"""A batch in PostgreSQL's binary format says what its events say."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import set_json_loads

from settlement.metering import record, rows
from settlement.metering.items import Item, items_of
from settlement.metering.record import NewEvent
from settlement.metering.rules import content_digest, content_of, event_digest, micro_units

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
QUANTITY = st.decimals(-(10**18), 10**18, places=6).map(lambda number: format(number, "f"))
DIGEST = st.binary(min_size=32, max_size=32)
EVENTS = st.builds(
    NewEvent,
    entitlement_id=st.integers(1, 2**63 - 1),
    entitlement=TEXT,
    product_id=st.integers(1, 2**31),
    product=TEXT,
    purpose=TEXT,
    units=st.dictionaries(TEXT, QUANTITY, min_size=1, max_size=4),
    event_time=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    request_digest=DIGEST,
    source=TEXT,
    event_id=st.just("") | TEXT,
    is_free=st.booleans(),
    release_id=st.none() | st.integers(1, 2**31),
    release_version=st.none() | st.integers(1, 99),
    key_id=st.none() | st.integers(1, 2**31),
    corrects=st.none() | st.uuids(),
    consent_digest=st.none() | DIGEST,
    answer=st.none() | st.binary(max_size=40),
)


@given(EVENTS, st.uuids())
def test_quick_digest_of_an_event_is_the_digest_of_its_content(event: NewEvent, identifier: UUID):
    content = content_of(
        id=identifier,
        time=event.event_time,
        entitlement=event.entitlement,
        product=event.product,
        release=event.release_version,
        purpose=event.purpose,
        units=event.units,
        free=event.is_free,
        source=event.source,
        event_id=event.event_id,
        request_digest=event.request_digest,
        corrects=event.corrects,
        consent_digest=event.consent_digest,
    )
    quick = event_digest(event, identifier, event.event_id, rows.encode_units(event.units))
    assert quick == content_digest(content)


@pytest.mark.django_db
def test_rows_arrive_in_the_database_as_they_were_sent():
    drawn: list[NewEvent] = []

    @given(EVENTS)
    def draw(event: NewEvent) -> None:
        drawn.append(event)

    draw()
    items = items_of(drawn)
    packed = rows.Rows(rows.EVENT_ROW, [rows.event_row(item, date(2026, 12, 1)) for item in items])
    assert read("settlement_usagerow_1", packed) == [expected(item) for item in items]


@pytest.mark.django_db
def test_hours_add_up_what_the_events_say():
    start = datetime(2026, 10, 20, 3, 59, 59, tzinfo=UTC)
    facts = {
        "entitlement_id": 1,
        "entitlement": "E1",
        "product_id": 2,
        "product": "p",
        "purpose": "x",
        "request_digest": b"d" * 32,
    }
    events = [
        NewEvent(units={"calls": "1", "bytes": "0.000001"}, event_time=start, **facts),
        NewEvent(units={"calls": "999999999999999999.999999"}, event_time=start, **facts),
        NewEvent(units={"calls": "-1.5"}, event_time=start + timedelta(seconds=1), **facts),
    ]
    items = items_of(events)
    found = read("settlement_usagehourrow_1", rows.hour_rows(items, {date(2026, 10, 1): date(2026, 11, 1)}))
    months = (date(2026, 10, 1), date(2026, 11, 1))
    assert found == [
        (1, *months, start.replace(minute=0, second=0), "x", "bytes", "1", 1),
        (1, *months, start.replace(minute=0, second=0), "x", "calls", "1000000000000000000999999", 1),
        (1, *months, start.replace(hour=4, minute=0, second=0), "x", "calls", "-1500000", 1),
    ]


def test_micro_units_are_exact():
    for text, micro in (("0", 0), ("1", 1_000_000), ("0.000001", 1), ("-12.5", -12_500_000), ("1e3", 10**9)):
        assert micro_units(text) == micro
    with pytest.raises(AssertionError):
        micro_units("0.0000001")


def read(type_name: str, packed: rows.Rows) -> list[tuple]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        rows.register(cursor.adapters)
        set_json_loads(json.loads, cursor)
        sql = f"SELECT row.* FROM unnest(%(rows)s::{type_name}[]) AS row"
        return cursor.execute(sql, rows.bound({"rows": packed}, record._row_types())).fetchall()


def expected(item: Item) -> tuple:
    event = item.event
    event_id = event.event_id or str(item.id)
    digest = event_digest(event, item.id, event_id, rows.encode_units(event.units))
    return (
        item.month, item.id, date(2026, 12, 1), event.event_time, event_id, event.request_digest, digest, event.corrects,
        event.consent_digest, event.answer, event.entitlement_id, event.product_id, event.release_id, event.key_id, event.source,
        event.purpose, dict(event.units), event.is_free, event.has_identity,
    )  # fmt: skip
