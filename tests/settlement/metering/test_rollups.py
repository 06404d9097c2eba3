"""Usage by the hour: what commits added is folded once, whatever happens, and closing reads it and never the events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from settlement.metering import rollups
from settlement.metering.models import UsageRollup
from settlement.metering.record import event_of, record_events
from settlement.metering.rules import content_digest, content_of, usage_id
from settlement.verify.content import digest
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, Books, component, document, make_books
from tests.settlement.stall import START, Stall, digest_of, make_stall

HOURS = """
SELECT entitlement_id, event_month, book_month, hour, purpose, component, sum(units), sum(events)::bigint
FROM {} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
EVENTS = """
(SELECT u.entitlement_id, u.event_month, u.book_month, date_trunc('hour', u.event_time) AS hour, u.purpose, x.key AS component,
    x.value::numeric AS units,
    (x.key = (SELECT min(k COLLATE "C") FROM jsonb_object_keys(u.units) k))::int AS events
FROM settlement_usageevent u, jsonb_each_text(u.units) x) AS raw
"""


def rows(source: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(HOURS.format(source))
        return cursor.fetchall()


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def use(stall: Stall, at: datetime = START, units: dict[str, str] | None = None, **more) -> None:
    given = {"request_digest": digest_of("use"), "has_quota": False} | more
    record_events([event_of(stall.entitlement, units=units or {"calls": "1"}, time=at, **given)], at=START)


def test_what_commits_added_is_folded_into_the_hours_of_its_events(stall):
    use(stall)
    use(stall, START + timedelta(minutes=59), {"calls": "2.5", "bytes": "10"})
    use(stall, START + timedelta(minutes=60))
    before = rows("settlement_usagehour")
    assert before == rows(EVENTS) and count("settlement_usagerollup") == 0
    assert rollups.fold() == count("settlement_usagehour") + 1 == 4, "one hour was added to twice"
    assert rows("settlement_usagehour") == rows("settlement_usagerollup") == before
    assert count("settlement_usagedelta") == 0 and rollups.fold() == 0
    row = UsageRollup.objects.get(component="calls", hour=START)
    assert (row.units, row.events, row.event_month) == (Decimal("3.5"), 1, date(2026, 10, 1)), (
        "an event with two components is counted at the first of them"
    )


def test_folding_adds_to_hours_that_were_folded_before(stall):
    for _turn in range(3):
        use(stall, units={"calls": "0.000001"})
        assert rollups.fold() == 1
    assert [(r.units, r.events) for r in UsageRollup.objects.all()] == [(Decimal("0.000003"), 3)]


def test_a_turn_takes_no_more_than_its_limit_and_all_turns_take_all(stall):
    for hour in range(7):
        use(stall, START + timedelta(hours=hour))
    whole = rows("settlement_usagehour")
    assert rollups.fold(limit=3) == 3 and count("settlement_usagedelta") == 4
    assert rows("settlement_usagehour") == whole
    assert rollups.fold_all() == 4 and rows("settlement_usagerollup") == whole


def test_lag_is_the_age_of_the_oldest_delta_and_nothing_when_nothing_waits(stall):
    assert rollups.lag() == (0, 0)
    use(stall)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_usagedelta SET written_at = clock_timestamp() - interval '90 seconds'")
    use(stall)
    seconds, waiting = rollups.lag()
    assert 90 <= seconds < 100 and waiting == 2
    rollups.fold()
    assert rollups.lag() == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_second_folder_takes_nothing_while_the_first_is_at_work_and_a_folder_that_dies_took_nothing():
    use(make_stall())
    whole = rows("settlement_usagehour")
    taken: list[int] = []

    def fold_beside() -> None:
        taken.append(rollups.fold())
        connections.close_all()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert rollups.fold() == 1
        beside = threading.Thread(target=fold_beside)
        beside.start()
        beside.join(20)
        raise ZeroDivisionError  # as if killed before the commit
    assert taken == [0] and count("settlement_usagedelta") == 1 and rows("settlement_usagehour") == whole
    assert rollups.fold() == 1 and rows("settlement_usagerollup") == whole


@pytest.mark.django_db(transaction=True)
def test_the_sums_are_exact_at_every_moment_while_recorders_record_and_folders_fold():
    """Whoever asks sees every committed event once, whether its hour is folded or not."""
    stall = make_stall()
    errors: list[object] = []
    done = threading.Event()

    def record() -> None:
        try:
            for n in range(40):
                use(stall, START + timedelta(minutes=7 * n))
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    def fold() -> None:
        while not done.is_set():
            rollups.fold(limit=5)
        connections.close_all()

    recorders = [threading.Thread(target=record) for _ in range(3)]
    folders = [threading.Thread(target=fold) for _ in range(2)]
    for thread in (*recorders, *folders):
        thread.start()
    while any(thread.is_alive() for thread in recorders):
        with connection.cursor() as cursor:  # one statement: one moment
            cursor.execute("SELECT (SELECT sum(events) FROM settlement_usagehour), (SELECT count(*) FROM settlement_usageevent)")
            summed, events = cursor.fetchone()
            if (summed or 0) != events:
                errors.append((summed, events))
    for thread in recorders:
        thread.join()
    done.set()
    for thread in folders:
        thread.join()
    rollups.fold_all()
    assert not errors
    assert rows("settlement_usagerollup") == rows(EVENTS) and sum(row[-1] for row in rows("settlement_usagerollup")) == 120


SCANS = """
SELECT sum(seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_xact_all_tables
WHERE relname LIKE 'settlement_usageevent%'
"""


def scans() -> int:
    with connection.cursor() as cursor:
        cursor.execute(SCANS)
        return cursor.fetchone()[0]


def rich_books() -> Books:
    """On-time and late use, counters over a year, free use: every query that a close has."""
    books = make_books()
    yearly = component(
        model="graduated", counts_over="year", tiers=[{"up_to": "5", "unit_price": "1"}, {"up_to": None, "unit_price": "2"}]
    )
    books.price(document(yearly))
    books.use("4", "2026-09-05 12:00")
    books.use("3")
    books.use("2", "2026-10-20 12:00", books.grant())
    return books


def test_closing_never_reads_an_event(db):
    """The database counts the scans of the partitions: none in a close, though usage is on time, late, free and yearly."""
    books = rich_books()
    rollups.fold()
    before = scans()
    books.close(date(2026, 9, 1), "2026-10-05 09:00")
    books.close()
    books.use("1", "2026-10-31 12:00", received="2026-11-05 12:00")
    recorded = scans()
    books.close(NOVEMBER, "2026-12-05 09:00")
    assert scans() == recorded
    assert before == scans(), "recording plain use only inserts"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlement_usageevent")
    assert scans() > before, "the count does see a scan"


def test_a_close_gives_the_same_bytes_whether_hours_are_folded_or_not(db):
    digests = []
    for is_folded in (False, True):
        with transaction.atomic():
            books = rich_books()
            if is_folded:
                rollups.fold()
            digests.append([books.close(date(2026, 9, 1), "2026-10-05 09:00").month.digest, books.close().month.digest])
            transaction.set_rollback(True)
    assert digests[0] == digests[1]


EDITS = [
    (
        "settlement_usageevent SET units = '{\"calls\": \"5\"}' WHERE event_time < '2026-09-30'",
        "settlement_usageevent {event}: does not say",
    ),
    (
        "settlement_usageevent SET purpose = 'industry.finance' WHERE event_time < '2026-09-30'",
        "settlement_usageevent {event}: does",
    ),
    (
        "settlement_usageevent SET event_time = event_time + interval '1 us' WHERE event_time < '2026-09-30'",
        "settlement_usageevent {event}:",
    ),
    ("settlement_usageevent SET digest = NULL WHERE event_time < '2026-09-30'", "settlement_usageevent {event}: has no digest"),
    ("settlement_usageevent SET book_month = '2026-10-01' WHERE event_time < '2026-09-30'", "settlement_usagehour {hour}"),
    (
        "settlement_usagerollup SET units = units + 1 WHERE hour < '2026-09-30'",
        "settlement_usagehour {hour} industry.finance.pre_loan calls: says 5 in 1 events; its events say 4 in 1",
    ),
    (
        "settlement_usagerollup SET events = 2 WHERE hour < '2026-09-30'",
        "settlement_usagehour {hour} industry.finance.pre_loan calls: says 4 in 2 events",
    ),
    ("settlement_usagerollup SET hour = hour + interval '1 hour' WHERE hour < '2026-09-30'", "settlement_usagehour {hour}"),
    ("settlement_usagedelta SET units = 9 WHERE units = 1", "settlement_usagehour "),
]


@pytest.mark.parametrize(
    ("edit", "shows"), EDITS, ids=[f"{e.split()[0].split('_')[1]}-{e.split()[2]}-{n}" for n, (e, _) in enumerate(EDITS)]
)
def test_an_edit_past_the_triggers_is_found_and_placed(db, edit, shows):
    books = rich_books()
    rollups.fold()
    books.use("1", "2026-10-21 12:00")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM settlement_usageevent WHERE event_time < '2026-09-30'")
        ((event,),) = cursor.fetchall()
        assert [str(wrong) for _check, wrong in mismatches()] == []
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE {edit}")
        assert cursor.rowcount == 1
        cursor.execute("SET session_replication_role = origin")
    hour = f"{books.stall.entitlement.pk} 2026-09 2026-09 2026-09-05T04:00Z"
    wanted = shows.format(event=event, hour=hour)
    found = [str(wrong) for _check, wrong in mismatches()]
    assert any(line.startswith(wanted) for line in found), (wanted, found)


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    units=st.dictionaries(st.text(max_size=3), st.sampled_from(["1", "0.5"])),
)
def test_verify_computes_the_same_digest_as_the_recorder(text, units):
    facts = {"id": usage_id(START), "entitlement": text, "product": text[::-1], "release": None, "purpose": text, "units": units}
    facts |= {"source": text, "event_id": text, "request_digest": b"\x01" * 32, "corrects": None, "consent_digest": b"\xff" * 32}
    said = content_digest(content_of(**facts, time=START, free=False))
    assert digest(facts | {"event_time": START, "is_free": False}) == said


FOLDER = """
import django, sys, time
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from settlement.metering import rollups
rollups.fold()
print("folding", flush=True)
while True:
    rollups.fold(limit=3)
"""


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_folders_that_are_killed_at_any_moment_lose_and_double_nothing():
    stall = make_stall()
    recorded = 0
    for kill in range(6):
        command = [sys.executable, "-c", FOLDER, connection.settings_dict["NAME"]]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"DJANGO_SETTINGS_MODULE": "market.settings"}
        )
        assert child.stdout is not None and child.stdout.readline() == "folding\n"
        for n in range(25 + 3 * kill):
            use(stall, START + timedelta(minutes=11 * n))
            recorded += 1
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert rows("settlement_usagehour") == rows(EVENTS)
    rollups.fold_all()
    assert rows("settlement_usagerollup") == rows(EVENTS)
    assert sum(row[-1] for row in rows("settlement_usagerollup")) == recorded
