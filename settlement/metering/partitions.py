"""Partitions of usage events: next months' are made before they are needed, old ones move to files and back (decision 0051).

A month may leave once it is closed and no counter can look back at it any more; the hours that closing reads, and the identities
that keep an event once for ever, never leave.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import User
from products.record import audit
from products.record.clock import business_date
from products.record.refusals import Refused
from products.record.rule_sets import NATIONAL, parameter
from settlement.billing.models import BillingMonth
from settlement.metering import archive
from settlement.metering.archive import ArchiveNotReadable
from settlement.metering.models import ArchivedMonth
from settlement.sql import query

AHEAD = 3
TABLE = "settlement_usageevent"
KEPT = "usage_months_in_database"
LOCK_SOON = "SET LOCAL lock_timeout = '3s'"  # recorders wait behind a lock that is asked for


class MonthNotForArchive(Refused):
    """The month is open, too young, or has no partition of its own."""

    code = "month-not-for-archive"


class MonthBusy(Refused):
    """Events were written to the month, or read, at that very moment; everything is as it was."""

    code = "month-busy"


class NotTheOwner(Refused):
    """Only the account that owns the tables can take a partition off."""

    code = "not-the-owner"


@dataclass(frozen=True, slots=True)
class Partition:
    month: date
    events: int  # the planner's estimate
    size: int  # bytes


def partitions() -> list[Partition]:
    """Months that have a partition, in order."""
    return [Partition(*row) for row in _rows("partitions")]


def partitions_make(*, at: datetime, ahead: int = AHEAD) -> dict[date, int]:
    """Make the partitions of this month, of ``ahead`` to come, and of every month that has events in the default partition.

    Returns the months made, each with the events that moved there. One transaction a month; months that are archived stay so.
    """
    first = business_date(at).replace(day=1)
    wanted = {_shift(first, months) for months in range(ahead + 1)} | {month for (month,) in _rows("stray_months")}
    made: dict[date, int] = {}
    for month in sorted(wanted):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK_SOON)
            cursor.execute("SELECT usage_partition_make(%s)", [month])
            ((moved,),) = cursor.fetchall()
        if moved is not None:
            made[month] = moved
    return made


def due_months(*, at: datetime) -> list[date]:
    """Months that are closed, older than the rule set keeps in the database, and still here."""
    kept_from = _kept_from(at)
    closed = set(BillingMonth.objects.filter(state=BillingMonth.State.CLOSED).values_list("month", flat=True))
    return [found.month for found in partitions() if found.month < kept_from and found.month in closed]


def may_archive() -> bool:
    """Whether this account owns the tables."""
    return bool(_rows("owns_usage")[0][0])


def month_archive(*, month: date, at: datetime, actor: User | None = None) -> ArchivedMonth:
    """Move a month of events to a file. The file is durable and was read back before the partition goes, in one transaction.

    Interrupted, everything is as it was (a half-written ``.part`` file is written anew by the next try). Raises
    MonthNotForArchive, NotTheOwner, MonthBusy, EventDamaged.
    """
    _check_may_archive(month, at)
    final = archive.folder() / archive.file_name(month)
    part = final.with_suffix(".part")
    try:
        with transaction.atomic():
            written = archive.write(part, _stream(month), month)
        if archive.read_back(part) != written:
            raise ArchiveNotReadable(_("What was read back from the file is not what was written."))
        return _swap(month, part, final, written, at, actor)
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        raise MonthBusy(_("The month's events are being read or written; try again.")) from error
    finally:
        part.unlink(missing_ok=True)


@transaction.atomic
def month_restore(*, month: date, at: datetime, actor: User | None = None) -> int:
    """Bring an archived month back from its file, each event proven; how many. Raises ArchiveNotReadable, EventDamaged."""
    kept = ArchivedMonth.objects.select_for_update().filter(pk=month).first()
    if kept is None:
        raise MonthNotForArchive(_("%(month)s is not archived.") % {"month": f"{month:%Y-%m}"})
    if not may_archive():
        raise NotTheOwner(_("Run this as the account that owns the tables."))
    path = archive.folder() / kept.file_name
    if not path.is_file() or archive.sha256_of(path) != kept.sha256:
        raise ArchiveNotReadable(
            _("%(name)s is not in the archive's folder, or not as it was archived.") % {"name": kept.file_name}
        )
    archive.read_back(path)
    kept.delete()
    columns = [name for name in archive.NAMES if name not in ("entitlement", "product", "release")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_partition_make(%s)", [month])
        with cursor.copy(f"COPY {TABLE}_{month:%Y%m} (event_month, {', '.join(columns)}) FROM STDIN") as copy:
            for batch in archive.read(path, columns):
                for row in batch:
                    copy.write_row((month, *row))
    facts = {"events": kept.events, "sha256": kept.sha256, "file": kept.file_name}
    audit.record(action="usage.restored", obj=("usage", f"{month:%Y-%m}"), actor=actor, at=at, facts=facts)
    return kept.events


def _check_may_archive(month: date, at: datetime) -> None:
    name = {"month": f"{month:%Y-%m}"}
    if month >= _kept_from(at):
        kept = {"first": f"{_kept_from(at):%Y-%m}", **name}
        raise MonthNotForArchive(_("%(month)s is too young: months from %(first)s on stay in the database.") % kept)
    if not BillingMonth.objects.filter(month=month, state=BillingMonth.State.CLOSED).exists():
        raise MonthNotForArchive(_("%(month)s is not closed.") % name)
    if month not in {found.month for found in partitions()}:
        raise MonthNotForArchive(_("%(month)s has no partition: it is archived, or was never used.") % name)
    if not may_archive():
        raise NotTheOwner(_("Run this as the account that owns the tables."))


def _stream(month: date) -> Iterator[archive.Row]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query("archive_rows"), {"month": month})
        while rows := cursor.fetchmany(archive.BATCH):
            yield from (tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows)


@transaction.atomic
def _swap(month: date, part: Path, final: Path, written: archive.Written, at: datetime, actor: User | None) -> ArchivedMonth:
    """Take the partition off and say where its events are; the file gets its name before the commit, so it is there after it."""
    partition = f"{TABLE}_{month:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SOON)
        cursor.execute(f"LOCK TABLE {partition} IN SHARE MODE")
        cursor.execute(f"SELECT count(*) FROM {partition}")  # noqa: S608 - a name made of a date
        ((events,),) = cursor.fetchall()
        if events != written.events:
            raise MonthBusy(_("Events came in while the file was written; try again."))
        cursor.execute(query("unsealed_in_month"), {"month": month})
        if cursor.fetchone()[0]:
            raise MonthNotForArchive(_("Receipts of its events are not sealed yet; that takes an hour and a minute."))
        cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {partition}")
        cursor.execute(f"DROP TABLE {partition}")
    kept = ArchivedMonth.objects.create(
        event_month=month,
        file_name=final.name,
        sha256=written.sha256,
        size=written.size,
        events=written.events,
        archived_at=at,
        archived_by=actor,
    )
    facts = {"events": written.events, "sha256": written.sha256, "file": final.name}
    audit.record(action="usage.archived", obj=("usage", f"{month:%Y-%m}"), actor=actor, at=at, facts=facts)
    part.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return kept


def _kept_from(at: datetime) -> date:
    day = business_date(at)
    return _shift(day.replace(day=1), -int(parameter(name=KEPT, on=day, jurisdiction=NATIONAL)))


def _shift(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _rows(name: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query(name))
        return cursor.fetchall()
