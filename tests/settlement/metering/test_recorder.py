"""The group commit on a link that breaks: what is said of a commit that the database may still be about to make."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import date

import psycopg
import pytest
from django.db import connection
from psycopg import conninfo
from psycopg_pool import AsyncConnectionPool

from settlement.billing.models import BillingMonth
from settlement.metering import recorder as module
from settlement.metering.events import Outcome, Status
from settlement.metering.models import UsageEvent
from settlement.metering.record import event_of
from settlement.metering.recorder import Recorder, RecordingFailed, RecordingUnknown
from tests.settlement.stall import START, Stall, digest_of, make_stall

pytestmark = pytest.mark.django_db(transaction=True)
LOCKED = "SELECT 1 FROM settlement_billingmonth FOR UPDATE"
WAITS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def stall() -> Stall:
    BillingMonth.objects.create(month=date(2026, 10, 1))
    return make_stall()


def record_while_locked(stall: Stall, then: Callable[[psycopg.AsyncConnection, int, int], Awaitable[None]]) -> Outcome:
    """Records an event whose statement waits for its month's row; ``then`` gets the holder of that lock, the writer's socket and
    its backend."""
    event = event_of(
        stall.entitlement, units={"calls": "1"}, time=START, release=stall.release, request_digest=digest_of("1"), has_quota=False
    )

    async def run() -> Outcome:
        used: list[psycopg.AsyncConnection] = []

        async def remember(taken: psycopg.AsyncConnection) -> None:
            used.append(taken)

        given = connection.get_connection_params()
        where = conninfo.make_conninfo(**{n: given[n] for n in ("host", "port", "user", "password", "dbname") if given.get(n)})
        holder = await psycopg.AsyncConnection.connect(where)
        asking = await psycopg.AsyncConnection.connect(where, autocommit=True)
        async with AsyncConnectionPool(where, min_size=2, kwargs={"autocommit": True}, check=remember) as pool, holder, asking:
            recorder = Recorder(pool, now=lambda: START, writers=1)
            await holder.execute(LOCKED)
            told = asyncio.create_task(recorder.record(event))
            async with asyncio.timeout(5):
                while not (waiting := await (await asking.execute(WAITS)).fetchone()):
                    await asyncio.sleep(0.02)
            await then(holder, used[0].fileno(), waiting[0])
            try:
                return await told
            finally:
                await holder.rollback()
                await recorder.close()

    return asyncio.run(run())


def cut(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as link:
        link.shutdown(socket.SHUT_RDWR)


def test_commit_that_may_still_come_after_the_link_broke_is_not_called_failed(stall, monkeypatch):
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.5)

    async def break_link(_holder: psycopg.AsyncConnection, link: int, _backend: int) -> None:
        cut(link)

    with pytest.raises(RecordingUnknown):
        record_while_locked(stall, break_link)


def test_commit_that_comes_after_the_link_broke_is_told_with_its_receipt(stall):
    async def break_link_and_let_go(holder: psycopg.AsyncConnection, link: int, _backend: int) -> None:
        cut(link)
        await asyncio.sleep(0.5)
        await holder.rollback()

    outcome = record_while_locked(stall, break_link_and_let_go)
    assert outcome.status is Status.ACCEPTED and UsageEvent.objects.get().id == outcome.usage_id


def test_commit_whose_backend_has_ended_without_it_is_failed(stall):
    async def end_backend(holder: psycopg.AsyncConnection, _link: int, backend: int) -> None:
        await holder.execute("SELECT pg_terminate_backend(%s)", [backend])

    with pytest.raises(RecordingFailed) as caught:
        record_while_locked(stall, end_backend)
    assert caught.type is RecordingFailed and not UsageEvent.objects.exists()


def test_caller_is_told_in_time_though_its_commit_still_waits(stall, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)

    async def keep_locked(_holder: psycopg.AsyncConnection, _link: int, _backend: int) -> None:
        pass

    with pytest.raises(RecordingUnknown):
        record_while_locked(stall, keep_locked)
