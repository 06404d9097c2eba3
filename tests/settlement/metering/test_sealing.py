"""Sealing of receipts: what an hour's tree holds, that it is final, and that nothing runs twice or is left out."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, connection, connections, transaction

from settlement.billing.models import BillingMonth
from settlement.metering import merkle
from settlement.metering.models import ReceiptTree, UsageEvent
from settlement.metering.record import event_of, record_events
from settlement.metering.sealing import SealingBusy, hour_of, seal
from tests.settlement.stall import START, Stall, digest_of, make_stall

HOUR = timedelta(hours=1)


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def use(stall: Stall, count: int, *, at: datetime = START, **more) -> list:
    """``count`` calls, a millisecond apart."""
    events = [
        event_of(
            stall.entitlement,
            units={"calls": "1"},
            time=at + timedelta(milliseconds=n),
            release=stall.release,
            request_digest=digest_of(str(n)),
            **more,
        )
        for n in range(count)
    ]
    return record_events(events, at=at + timedelta(seconds=1))


def test_hour_is_sealed_a_minute_after_it_is_over_and_not_before(stall):
    use(stall, 3)
    assert seal(at=START + HOUR + timedelta(seconds=59)) == []
    assert not BillingMonth.objects.exclude(sealed_until=None).exists()
    (tree,) = seal(at=START + HOUR + timedelta(seconds=60))
    assert (tree.hour, tree.size, tree.sealed_at) == (hour_of(START), 3, START + HOUR + timedelta(seconds=60))
    assert BillingMonth.objects.get().sealed_until == START + HOUR
    assert seal(at=START + 2 * HOUR) == [] and ReceiptTree.objects.count() == 1


def test_tree_holds_the_digests_in_the_order_of_ids_and_is_chained_to_the_one_before(stall):
    use(stall, 5)
    use(stall, 2, at=START + 30 * HOUR)
    first, second = seal(at=START + 40 * HOUR)
    rows = list(UsageEvent.objects.order_by("id").values_list("id", "digest"))
    leaves = [sha256(b"\x00" + bytes(digest)).digest() for _id, digest in rows]
    kept = ReceiptTree.objects.get(hour=first.hour)
    assert bytes(kept.root) == merkle.root(leaves[:5]) and kept.first_ids == [rows[0][0]] and kept.last_id == rows[4][0]
    assert second.hour == hour_of(START + 30 * HOUR) and second.root == merkle.root(leaves[5:])
    for tree, before in ((first, bytes(32)), (second, first.chain)):
        hour, size = int(tree.hour.timestamp()).to_bytes(8, "big"), tree.size.to_bytes(8, "big")
        assert tree.chain == sha256(before + hour + size + tree.root).digest()


def test_hour_of_more_than_a_chunk_keeps_the_node_of_each(stall):
    use(stall, 2_500)
    (tree,) = seal(at=START + 2 * HOUR)
    rows = list(UsageEvent.objects.order_by("id").values_list("id", "digest"))
    assert (tree.size, tree.chunks) == (2_500, b"".join(merkle.chunks_of(bytes(digest) for _id, digest in rows)))
    assert tree.first_ids == [rows[0][0], rows[1_024][0], rows[2_048][0]] and tree.last_id == rows[-1][0]
    assert tree.root == merkle.root([merkle.leaf(bytes(digest)) for _id, digest in rows])


def test_what_comes_after_an_hour_was_made_final_belongs_to_a_later_one_in_every_month(stall):
    use(stall, 1)
    seal(at=START + 2 * HOUR)
    late = [
        event_of(stall.entitlement, units={"calls": "1"}, time=moment, request_digest=digest_of("late"))
        for moment in (START, START - timedelta(days=40))  # the second opens a month that was not there
    ]
    record_events(late, at=START + timedelta(minutes=1))  # a gateway that was asleep, or whose clock is slow
    assert BillingMonth.objects.filter(sealed_until=START + HOUR * 1).count() == BillingMonth.objects.count() == 2
    assert list(UsageEvent.objects.order_by("received_at").values_list("received_at", flat=True)[1:]) == [START + HOUR] * 2
    (tree,) = seal(at=START + 3 * HOUR)
    assert (tree.hour, tree.size) == (hour_of(START + HOUR), 2)


def test_events_without_a_digest_are_left_out(stall):
    use(stall, 3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE settlement_usageevent SET digest = NULL WHERE id = (SELECT id FROM settlement_usageevent LIMIT 1)")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    (tree,) = seal(at=START + 2 * HOUR)
    assert tree.size == 2


def test_sealing_goes_on_where_every_month_is_closed(stall):
    use(stall, 1)
    BillingMonth.objects.update(state="closed", closed_at=START)
    (tree,) = seal(at=START + 2 * HOUR)
    (month,) = BillingMonth.objects.filter(state="open")
    assert tree.size == 1 and month.sealed_until == START + HOUR * 1, "the next month carries what is sealed"


def test_months_missed_are_caught_up_in_one_run(stall):
    moments = [START - timedelta(days=60), START - timedelta(days=59), START - timedelta(days=3, hours=5), START]
    for moment in moments:
        use(stall, 2, at=moment)
    trees = seal(at=START + timedelta(days=2))
    assert [tree.hour for tree in trees] == [hour_of(moment) for moment in moments]


def test_tree_is_never_changed(stall):
    use(stall, 1)
    seal(at=START + 2 * HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReceiptTree.objects.update(size=2)


@pytest.mark.django_db(transaction=True)
def test_sealer_waits_for_no_long_recording_and_recordings_hardly_for_it():
    stall = make_stall()
    use(stall, 1)
    holds, done = threading.Event(), threading.Event()

    def close() -> None:
        try:
            with transaction.atomic():
                list(BillingMonth.objects.select_for_update())
                holds.set()
                done.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=close)
    thread.start()
    assert holds.wait(20)
    try:
        with pytest.raises(SealingBusy):
            seal(at=START + 2 * HOUR)
        assert not ReceiptTree.objects.exists()
    finally:
        done.set()
        thread.join()
    assert len(seal(at=START + 2 * HOUR)) == 1


@pytest.mark.django_db(transaction=True)
def test_sealers_and_recorders_at_once_leave_every_event_in_exactly_one_tree():
    """Four recorders whose clocks stand in an hour that is being sealed, and two sealers."""
    stall = make_stall()
    use(stall, 1)
    faults: list[BaseException] = []
    stop = threading.Event()

    def run(work) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    hours = iter(range(1, 1_000))

    def seal_next() -> None:
        with contextlib.suppress(SealingBusy):
            seal(at=START + next(hours) * HOUR + timedelta(seconds=61))

    works = [*(lambda: use(stall, 3) for _ in range(4)), seal_next, seal_next]
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    stop.wait(2.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults
    last = UsageEvent.objects.order_by("-received_at").values_list("received_at", flat=True)[0]
    seal(at=last + 2 * HOUR)
    trees = list(ReceiptTree.objects.order_by("hour"))
    assert len(trees) > 1 and sum(tree.size for tree in trees) == UsageEvent.objects.count()
    before = bytes(32)
    for tree in trees:
        inside = UsageEvent.objects.filter(received_at__gte=tree.hour, received_at__lt=tree.hour + HOUR).order_by("id")
        leaves = [merkle.leaf(bytes(digest)) for digest in inside.values_list("digest", flat=True)]
        assert bytes(tree.root) == merkle.root(leaves)
        before = merkle.chain(before, tree.hour.astimezone(UTC), tree.size, bytes(tree.root))
        assert bytes(tree.chain) == before
