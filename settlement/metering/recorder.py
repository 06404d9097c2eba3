"""Group commit: calls that wait at the same moment share one transaction, and each is answered when its commit is back.

The gateway's door to ``core``. One recorder lives in one event loop. What it promises a caller of ``record``:

* an ``Outcome`` means that the commit is on disk (or that nothing was to be written);
* ``RecordingFailed`` means that nothing was counted, ``RecordingUnknown`` that the link broke in the middle of a commit and it
  could not be told in time whether the database committed or still will (a repeat with the same Idempotency-Key tells);
* a caller that is cancelled while it waits in the queue is not counted, one whose batch is on its way is;
* the events of one ``record_many`` share these: they are committed together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from settlement.metering import core, rows
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.sql import query

log = logging.getLogger("gongshu.metering")
MOST_IN_BATCH = 512
MOST_WAITING = 8_192
CHECK_SECONDS = 3.0
CHECK_INTERVAL_SECONDS = 0.1
ANSWER_SECONDS = 15.0
ENDING = "57P0"  # sqlstates of a backend that is told to end


class RecordingFailed(Exception):
    """Nothing was counted."""


class RecordingUnknown(RecordingFailed):
    """The commit may or may not have happened."""


class QueueFull(RecordingFailed):
    """Too many calls wait already; nothing was counted."""


class Waiting(NamedTuple):
    """What one caller waits for: the outcomes of its events, in their order."""

    events: Sequence[NewEvent]
    answer: asyncio.Future[list[Outcome]]


@dataclass
class Link:
    """The backend that a batch was sent to; ``pid`` is None where no commit of it can be under way."""

    pid: int | None = None
    since: float = 0


class Recorder:
    """``await recorder.record(event)``, ``await recorder.record_many(events)``.

    ``writers`` commits run at once: while one waits for the disk the next gathers. ``committed(events, seconds)`` hears of each.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool,
        *,
        now: Callable[[], datetime],
        committed: Callable[[int, float], None] = lambda _events, _seconds: None,
        writers: int = 2,
    ) -> None:
        self._pool = pool
        self._now = now
        self._waiting: deque[Waiting] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._types: dict[str, int] = {}
        self._writers = [asyncio.create_task(self._write()) for _ in range(writers)]
        self._committed = committed
        self.batches = self.events = self.failures = 0

    @property
    def queue(self) -> int:
        """Events that wait."""
        return self._queued

    async def record(self, event: NewEvent) -> Outcome:
        """Commit the event with whatever else waits. Raises ``RecordingFailed`` or one of its kinds."""
        return (await self._join((event,)))[0]

    async def record_many(self, events: Sequence[NewEvent]) -> list[Outcome]:
        """Commit the events together, with whatever else waits; an outcome for each. Raises as ``record``, for all of them."""
        return await self._join(events) if events else []

    async def _join(self, events: Sequence[NewEvent]) -> list[Outcome]:
        if self._stopping or self._queued >= MOST_WAITING:
            raise QueueFull
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(events, answer))
        self._queued += len(events)
        self._wake.set()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise RecordingUnknown from None

    async def close(self) -> None:
        """Commit what waits, then stop."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            while not self._waiting:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
            batch = self._take()
            if batch:
                await self._commit(batch)

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].events) <= MOST_IN_BATCH):
            waiting = self._waiting.popleft()
            self._queued -= len(waiting.events)
            if not waiting.answer.done():  # its caller went away
                batch.append(waiting)
                size += len(waiting.events)
        return batch

    async def _commit(self, batch: list[Waiting]) -> None:
        began = time.perf_counter()
        items = core.items_of(event for waiting in batch for event in waiting.events)
        link = Link()
        try:
            outcomes = await self._record(items, link)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            await self._one_by_one(batch, error)
            return
        except Exception as error:
            self.failures += 1
            log.error("commit of %s events failed: %s", len(items), type(error).__name__)
            await self._after_failure(batch, items, error, link)
            return
        self.batches += 1
        self.events += len(items)
        self._committed(len(items), time.perf_counter() - began)
        _tell(batch, [outcomes[place] for place in range(len(items))])

    async def _record(self, items: list[core.Item], link: Link) -> dict[int, Outcome]:
        async with self._pool.connection() as connection:
            link.pid, link.since = connection.info.backend_pid, time.monotonic()
            try:
                return await self._record_on(connection, items, self._now())
            except psycopg.OperationalError as error:
                if not connection.closed and error.sqlstate and not error.sqlstate.startswith(ENDING):
                    link.pid = None  # the database itself said no
                raise

    async def _record_on(self, connection: psycopg.AsyncConnection, items: list[core.Item], at: datetime) -> dict[int, Outcome]:
        quick = core.quick_statement(items, at)
        if quick is not None and await self._quickly(connection, quick) == len(items):
            return core.quick_outcomes(items)
        async with connection.transaction():
            steps = core.steps(items, at)
            try:
                statement = next(steps)
                while True:
                    statement = steps.send(await self._run(connection, statement))
            except StopIteration as finished:
                return finished.value

    async def _quickly(self, connection: psycopg.AsyncConnection, statement: core.Statement) -> int:
        try:
            return await self._run(connection, statement)
        except psycopg.Error as error:
            if error.sqlstate in core.IN_STEPS:
                return 0
            raise

    async def _run(self, connection: psycopg.AsyncConnection, statement: core.Statement) -> Any:
        types = self._types
        if not types:
            types = self._types = dict(await (await connection.execute(query("row_types"))).fetchall())
        cursor = connection.cursor()
        rows.register(cursor.adapters)
        await cursor.execute(query(statement.name), rows.bound(statement.parameters, types))
        return await cursor.fetchall() if statement.wants == "rows" else cursor.rowcount

    async def _one_by_one(self, batch: list[Waiting], error: Exception) -> None:
        """What the database refuses of one caller does not take the others with it."""
        if len(batch) == 1:
            self.failures += 1
            log.error("events were refused by the database: %s", type(error).__name__)
            _fail(batch, RecordingFailed())
            return
        for waiting in batch:
            await self._commit([waiting])

    async def _after_failure(self, batch: list[Waiting], items: list[core.Item], error: Exception, link: Link) -> None:
        """Where the connection broke, ask whether the commit had happened; never answer what is not known."""
        self._types = {}
        if not isinstance(error, psycopg.OperationalError) or isinstance(error, PoolTimeout) or link.pid is None:
            _fail(batch, RecordingFailed())
            return
        kept = await self._look(items, link)
        if kept is None:
            _fail(batch, RecordingUnknown())
        elif any(item.id in kept for item in items):
            _tell_kept(batch, items, kept)
        else:
            _fail(batch, RecordingFailed())

    async def _look(self, items: list[core.Item], link: Link) -> dict[Any, Any] | None:
        """The batch's events that are in the table, with their book months; None where the database does not answer, or where
        there is none yet and the backend that was asked to write them still runs: it may wait for a lock or for the disk."""
        ends = time.monotonic() + CHECK_SECONDS
        parameters = {"months": sorted({item.month for item in items}), "ids": [item.id for item in items]}
        while time.monotonic() < ends:
            with contextlib.suppress(psycopg.OperationalError, PoolTimeout):
                async with self._pool.connection(timeout=1) as connection:
                    asked = {"pid": link.pid, "seconds": time.monotonic() - link.since}
                    row = await (await connection.execute(query("backend_lives"), asked)).fetchone()
                    kept: dict[Any, Any] = dict(await (await connection.execute(query("find_events"), parameters)).fetchall())
                    if kept or row == (False,):
                        return kept
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
        return None


def _tell(batch: list[Waiting], outcomes: list[Outcome]) -> None:
    start = 0
    for waiting in batch:
        end = start + len(waiting.events)
        if not waiting.answer.done():
            waiting.answer.set_result(outcomes[start:end])
        start = end


def _tell_kept(batch: list[Waiting], items: list[core.Item], kept: dict[Any, Any]) -> None:
    """The commit had happened; whose event is not in the table all the same (a repeat, a limit) may ask again."""
    start = 0
    for waiting in batch:
        own = items[start : start + len(waiting.events)]
        start += len(own)
        if all(item.id in kept for item in own):
            _tell([waiting], [Outcome(Status.ACCEPTED, item.id, kept[item.id]) for item in own])
        else:
            _fail([waiting], RecordingUnknown() if any(item.id in kept for item in own) else RecordingFailed())


def _fail(batch: list[Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
