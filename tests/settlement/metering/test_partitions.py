"""Partitions: made before they are needed; old months to files and back, proven at each step and whole at every moment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from settlement.metering import archive, partitions, rollups, sealing
from settlement.metering.models import ArchivedMonth, UsageEvent
from settlement.metering.selectors import usage_event
from settlement.trace import trace
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, OCTOBER, Books, make_books, moment
from tests.settlement.stall import START

LATER = moment("2029-01-10 09:00")  # October 2026 is 27 months ago
FIELDS = [name for name in archive.NAMES if name not in ("entitlement", "product", "release")]


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.USAGE_ARCHIVE = tmp_path / "archive"
    return settings.USAGE_ARCHIVE


def make_used_books() -> Books:
    """October and November closed: reported use with an identity, late use, free use under a quota, a correction."""
    books = make_books()
    free = books.grant()
    books.stall.limit(free, 1000)
    books.use("9", "2026-10-30 10:00", source="/operators/x", event_id='一 \x01\x7f\u2028"\\/<é>')
    books.use({"calls": "2.5", "bytes": "10"}, "2026-10-30 10:30", free, event_id="free", source="/operators/x")
    for hour in range(3):
        books.use("1", f"2026-10-07 {hour + 9:02d}:00")
    books.close()
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.use("4", "2026-11-07 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    rollups.fold()
    sealing.seal(at=LATER)
    return books


@pytest.fixture
def books(db, folder) -> Books:
    return make_used_books()


def found() -> list[str]:
    return [str(mismatch) for _check, mismatch in mismatches()]


def events(month: date = OCTOBER) -> list[tuple]:
    return list(UsageEvent.objects.filter(event_month=month).order_by("id").values_list(*FIELDS))


def has_partition(month: date = OCTOBER) -> bool:
    return month in {each.month for each in partitions.partitions()}


def corrupt(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


# --- Partitions to come ------------------------------------------------------------------------------------------------------


def test_the_next_three_months_always_have_partitions(db):
    assert partitions.partitions_make(at=START) == {}, "the migrations made them up to December 2028"
    made = partitions.partitions_make(at=moment("2028-11-30 23:59"))
    assert made == {date(2029, 1, 1): 0, date(2029, 2, 1): 0}
    assert partitions.partitions_make(at=moment("2028-11-30 23:59")) == {}


def test_events_of_a_month_without_a_partition_move_into_it_and_are_as_guarded_there(db):
    books = make_books()
    right = books.sell(valid_from=moment("2025-01-01 00:00"))
    books.use("3", "2025-03-05 12:00", right, received="2026-10-20 10:00")
    books.use("4", "2025-03-31 23:59", right, received="2026-10-20 10:00")
    books.use("5", "2025-04-01 00:00", right, received="2026-10-20 10:00")
    march, all_before = events(date(2025, 3, 1)), found()
    assert partitions.partitions_make(at=START) == {date(2025, 3, 1): 2, date(2025, 4, 1): 1}
    assert events(date(2025, 3, 1)) == march and has_partition(date(2025, 3, 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlement_usageevent_other")
        assert cursor.fetchone() == (0,)
        books.use("1", "2024-12-31 23:00", books.sell(valid_from=moment("2024-01-01 00:00")), received="2026-10-20 10:00")
        for table in ("settlement_usageevent", "settlement_usageevent_other", "settlement_usageevent_202503"):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute(f"DELETE FROM {table}")
    books.use("6", "2025-03-06 12:00", right, received="2026-10-20 10:00")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlement_usageevent_202503")
        assert cursor.fetchone() == (3,)
    assert found() == all_before == []


def test_a_month_is_named_by_its_first_day(db):
    with connection.cursor() as cursor, pytest.raises(Exception, match="first day"), transaction.atomic():
        cursor.execute("SELECT usage_partition_make('2031-01-02')")


# --- To files and back -------------------------------------------------------------------------------------------------------


def test_a_month_goes_to_its_file_and_everything_still_adds_up(books, folder):
    before, ids = events(), [row[0] for row in events()]
    charge = [line for line in trace(books.invoice().number).lines() if "usage events" in line]
    kept = partitions.month_archive(month=OCTOBER, at=LATER)
    path = folder / "usage-2026-10.parquet"
    assert (kept.file_name, kept.events, kept.size, kept.sha256) == (path.name, 6, path.stat().st_size, archive.sha256_of(path))
    assert not has_partition() and events() == [] and [file.name for file in folder.iterdir()] == [path.name]
    assert found() == []
    receipt = usage_event(usage_id=ids[0])
    assert receipt is not None and tuple(getattr(receipt, name) for name in FIELDS) == before[0]
    assert "not billed yet" not in "".join(trace(str(ids[0])).lines())
    after = [line for line in trace(books.invoice().number).lines() if "usage events" in line]
    assert after[0].split("(")[0] == charge[0].split("(")[0] and path.name in after[0]


def test_a_restored_month_is_equal(books, folder):
    before = events()
    partitions.month_archive(month=OCTOBER, at=LATER)
    assert partitions.month_restore(month=OCTOBER, at=LATER) == 6
    assert events() == before and has_partition() and not ArchivedMonth.objects.exists() and found() == []
    partitions.month_archive(month=OCTOBER, at=LATER)
    assert found() == []


def test_an_edited_archive_is_found_and_the_event_named(books, folder):
    from pyarrow import Table, array, parquet

    ids = {row[0] for row in events()}
    partitions.month_archive(month=OCTOBER, at=LATER)
    path = folder / "usage-2026-10.parquet"
    original = path.read_bytes()
    table: Table = parquet.read_table(path)
    units = table.column("units").to_pylist()
    edited, units[0] = table.column("id").to_pylist()[0], '{"calls": "900"}'
    parquet.write_table(table.set_column(table.schema.get_field_index("units"), "units", array(units)), path)
    lines = found()
    named = next(each for each in ids if each.bytes == edited)
    assert any(line.startswith(f"settlement_usageevent {named} (archived): does not say what was recorded") for line in lines)
    assert any("its SHA-256 differs" in line for line in lines)
    assert any(line.startswith("settlement_usagehour ") and "its events say 900 in" in line for line in lines)
    with pytest.raises(archive.ArchiveNotReadable), transaction.atomic():
        partitions.month_restore(month=OCTOBER, at=LATER)
    parquet.write_table(table.slice(1), path)
    kept = {"sha256": archive.sha256_of(path), "size": path.stat().st_size, "events": 5}
    ArchivedMonth.objects.update(**kept)
    lines = found()
    assert any("not what the audit trail says" in line for line in lines) and any("usagehour" in line for line in lines)
    path.write_bytes(b"PAR1 no more")
    assert any("cannot be read" in line for line in found())
    path.unlink()
    assert any("is not there" in line for line in found())
    path.write_bytes(original)


def test_use_that_comes_after_its_month_was_archived_is_billed_counted_and_verified(books, folder):
    partitions.month_archive(month=OCTOBER, at=LATER)
    books.use("7", "2026-10-31 11:00", received="2026-12-05 10:00")
    assert found() == []
    books.close(date(2026, 12, 1), "2027-01-05 09:00")
    assert found() == [] and partitions.partitions_make(at=START) == {}, "an archived month gets no second partition"
    corrupt("UPDATE settlement_usageevent SET units = '{\"calls\": \"8\"}' WHERE event_month = '2026-10-01'")
    assert any(line.startswith("settlement_usagehour ") for line in found())
    corrupt("UPDATE settlement_usageevent SET units = '{\"calls\": \"7\"}' WHERE event_month = '2026-10-01'")
    assert partitions.month_restore(month=OCTOBER, at=LATER) == 6
    assert len(events()) == 7 and found() == []


def test_only_a_closed_month_that_no_counter_looks_back_at_is_archived(books, folder):
    refused = (
        (OCTOBER, moment("2028-11-30 23:00"), "距今太近"),
        (date(2026, 12, 1), moment("2029-06-01 00:00"), "尚未结账"),
        (date(2025, 10, 1), LATER, "尚未结账"),
    )
    for month, at, why in refused:
        with pytest.raises(partitions.MonthNotForArchive, match=why):
            partitions.month_archive(month=month, at=at)
    assert not folder.exists() and found() == []


def test_a_damaged_month_is_not_archived(books, folder):
    corrupt(
        "UPDATE settlement_usageevent SET purpose = 'welfare.education' WHERE source = '/gateway' AND book_month = '2026-10-01'"
    )
    before = events()
    with pytest.raises(archive.EventDamaged):
        partitions.month_archive(month=OCTOBER, at=LATER)
    assert events() == before and list(folder.iterdir()) == []


def test_a_month_whose_receipts_are_not_sealed_is_not_archived(books, folder):
    books.use("1", "2026-10-31 12:00", received="2029-01-10 09:00")
    with pytest.raises(partitions.MonthNotForArchive, match="尚未封存"):
        partitions.month_archive(month=OCTOBER, at=LATER)
    assert has_partition() and list(folder.iterdir()) == []


def test_events_that_come_while_the_file_is_written_keep_the_month_here(books, folder, monkeypatch):
    real = archive.read_back

    def read_back(path):
        books.use("1", "2026-10-31 12:00", received="2026-12-05 10:00")
        return real(path)

    monkeypatch.setattr(archive, "read_back", read_back)
    with pytest.raises(partitions.MonthBusy):
        partitions.month_archive(month=OCTOBER, at=LATER)
    assert len(events()) == 7 and has_partition() and list(folder.iterdir()) == [] and found() == []


def test_the_commands_say_what_they_did(books, folder, clock):
    clock.move_to(LATER)
    out = StringIO()
    call_command("usage_archive", "--due", stdout=out)
    call_command("usage_partitions", stdout=out)
    call_command("usage_restore", "2026-10", stdout=out)
    call_command("usage_archive", "2026-10", stdout=out)
    call_command("verify", stdout=out)
    text = out.getvalue()
    assert "2026-10 archived: 6 events in usage-2026-10.parquet" in text and "2026-11 archived: 1 events" in text
    assert "2029-04 made, 0 events moved there" in text and "2026-10 restored: 6 events" in text and "nothing wrong" in text
    with pytest.raises(CommandError, match="month-not-for-archive"):
        call_command("usage_archive", "2026-12")


KILLED = """
import django, os, signal, sys
django.setup()
from datetime import date, datetime
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from pathlib import Path
settings.USAGE_ARCHIVE = Path(sys.argv[2])
from settlement.metering import archive, partitions
kind, name = sys.argv[3].split(":")
module = {"archive": archive, "partitions": partitions, "audit": partitions.audit}[kind]
real = getattr(module, name)
def stop(*args, **more):
    real(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, name, stop)
partitions.month_archive(month=date(2026, 10, 1), at=datetime.fromisoformat("2029-01-10T09:00:00+08:00"))
"""


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_an_archive_that_is_killed_leaves_everything_as_it_was(folder):
    books = make_used_books()
    before = events()
    try:
        for step in ("archive:write", "archive:read_back", "audit:record"):
            command = [sys.executable, "-c", KILLED, connection.settings_dict["NAME"], str(folder), step]
            done = subprocess.run(command, env=os.environ | {"DJANGO_SETTINGS_MODULE": "market.settings"}, check=False)
            assert done.returncode == -signal.SIGKILL, step
            assert events() == before and has_partition() and not ArchivedMonth.objects.exists() and found() == [], step
        partitions.month_archive(month=OCTOBER, at=LATER)
        assert found() == [] and books.invoice().number
    finally:
        if not has_partition():
            partitions.month_restore(month=OCTOBER, at=LATER)
        shutil.rmtree(folder, ignore_errors=True)
