"""Sealing: an hour's receipts become a Merkle tree whose root is chained to the one before, so that nobody can change them later.

The leaves are the digests of the events received in the hour, in the order of their ids. Two steps, each its own transaction:

1. ``sealed_until`` of the open billing months is moved on while no recording is on its way. From then on no event is received
   before it (``record_now.sql``), so every hour before it is final.
2. The trees of final hours are computed and written, in the order of time, a day a transaction. A kill loses the day that was
   on its way; the next run makes it again, the same. An hour without events has no tree: the chain runs from one hour with
   events to the next.

Events without a digest, recorded before digests were kept, are in no tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from settlement.metering import merkle
from settlement.metering.models import ReceiptTree
from settlement.sql import query

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WAIT = timedelta(seconds=60)  # after the hour, before it is sealed
LOCK_MILLISECONDS = 250  # calls wait for the sealer as long as it waits for its lock
ONE_SEALER = 0x5EA1_0001
ROWS = 20_000


class SealingBusy(Exception):
    """The months are held by a close or a long recording just now; the next run tries again."""


def hour_of(moment: datetime) -> datetime:
    """The first moment of its hour, in UTC (Shanghai is whole hours from it)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def sealed_after(received_at: datetime) -> datetime:
    """The moment after which an event received then is sealed, by the next run."""
    return hour_of(received_at) + HOUR + WAIT


def seal(*, at: datetime) -> list[ReceiptTree]:
    """Seal every hour that has been over for a minute, and say which. Idempotent; a second sealer finds nothing to do.

    Raises ``SealingBusy`` where a close holds the months.
    """
    until = hour_of(_not_ahead(at) - WAIT)
    begin = _first_unsealed(until)
    if begin is None:
        return []
    _make_final(until)
    sealed: list[ReceiptTree] = []
    while begin < until:
        end = min(begin + DAY, until)
        made = _seal_span(begin, end, at)
        if made is None:
            break
        sealed += made
        begin = end
    return sealed


def _not_ahead(at: datetime) -> datetime:
    """In production a worker whose clock is ahead of the database's must not make hours final that are still to come."""
    if not settings.IS_PRODUCTION:
        return at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return min(at, cursor.fetchone()[0])


def _first_unsealed(until: datetime) -> datetime | None:
    """The first hour with events that has no tree; None where there is none before ``until``."""
    with connection.cursor() as cursor:
        cursor.execute(query("first_unsealed"), {"until": until})
        (received,) = cursor.fetchone()
    return None if received is None else hour_of(received)


def _make_final(until: datetime) -> None:
    """Move ``sealed_until`` of every open month to ``until``, while nobody records.

    Recordings queue behind a table lock that waits. Behind a row lock they do not: shared, they would pass the sealer one after
    the other and keep it out for as long as there is traffic.
    """
    with connection.cursor() as cursor:
        cursor.execute(query("sealed_so_far"), {"until": until})
        if cursor.fetchone()[0]:
            return
        try:
            with transaction.atomic():
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MILLISECONDS}ms"])
                cursor.execute("LOCK TABLE settlement_billingmonth IN EXCLUSIVE MODE")
                cursor.execute(query("ensure_months"), {"months": []})  # where every month is closed, the next one carries it
                cursor.execute(query("seal_months"), {"until": until})
                cursor.execute("SELECT set_config('lock_timeout', '0', true)")
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise SealingBusy from error
            raise


def _seal_span(begin: datetime, end: datetime, at: datetime) -> list[ReceiptTree] | None:
    """The trees of [begin, end), written; None where another sealer is at work."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_SEALER])
            if not cursor.fetchone()[0]:
                return None
        last = ReceiptTree.objects.order_by("-hour").values_list("hour", "chain").first()
        before = bytes(last[1]) if last else merkle.GENESIS
        begin = max(begin, last[0] + HOUR) if last else begin
        trees = []
        for hour, rows in groupby(_events(begin, end), key=lambda row: row[0]):
            tree = _tree(hour, ((identifier, bytes(digest)) for _hour, identifier, digest in rows), before, at)
            before = tree.chain
            tree.save(force_insert=True)
            trees.append(tree)
        return trees


def _events(begin: datetime, end: datetime) -> Iterator[tuple[datetime, UUID, bytes]]:
    """(hour, id, digest) of the events received in [begin, end), by hour and id, a few thousand in memory at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query("events_to_seal"), {"begin": begin, "end": end})
        while rows := cursor.fetchmany(ROWS):
            yield from rows


def _tree(hour: datetime, events: Iterable[tuple[UUID, bytes]], before: bytes, at: datetime) -> ReceiptTree:
    chunks: list[bytes] = []
    first_ids: list[UUID] = []
    leaves: list[bytes] = []
    size = 0
    identifier: UUID | None = None
    for identifier, digest in events:
        if not leaves:
            first_ids.append(identifier)
        leaves.append(merkle.leaf(digest))
        size += 1
        if len(leaves) == merkle.CHUNK:
            chunks.append(merkle.root(leaves))
            leaves = []
    if leaves:
        chunks.append(merkle.root(leaves))
    top = merkle.root(chunks)
    return ReceiptTree(
        hour=hour,
        size=size,
        root=top,
        chain=merkle.chain(before, hour, size, top),
        chunks=b"".join(chunks),
        first_ids=first_ids,
        last_id=identifier,
        sealed_at=at,
    )
