"""Group commit: calls that wait at the same moment share one transaction, and each is answered when its commit is back.

The gateway's door to ``core``. One recorder lives in one event loop. What it promises a caller of ``record``:

* an ``Outcome`` means that the commit is on disk (or that nothing was to be written);
* ``RecordingFailed`` means that nothing was counted, ``RecordingUnknown`` that the database went away in the middle of a commit
  and could not be asked afterwards (a repeat with the same Idempotency-Key tells);
* a caller that is cancelled while it waits in the queue is not counted, one whose batch is on its way is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from settlement.metering import core
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.sql import query

log = logging.getLogger("gongshu.metering")
MOST_IN_BATCH = 512
MOST_WAITING = 8_192
CHECK_SECONDS = 3.0
CHECK_INTERVAL_SECONDS = 0.1


class RecordingFailed(Exception):
    """Nothing was counted."""


class RecordingUnknown(RecordingFailed):
    """The commit may or may not have happened."""


class QueueFull(RecordingFailed):
    """Too many calls wait already; nothing was counted."""


class Waiting(NamedTuple):
    event: NewEvent
    answer: asyncio.Future[Outcome]


class Recorder:
    """``await recorder.record(event)``. ``writers`` commits run at once: while one waits for the disk the next gathers."""

    def __init__(self, pool: AsyncConnectionPool, *, now: Callable[[], datetime], writers: int = 2) -> None:
        self._pool = pool
        self._now = now
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._writers = [asyncio.create_task(self._write()) for _ in range(writers)]
        self.batches = self.events = self.failures = self.most = 0
        self.seconds = 0.0

    @property
    def queue(self) -> int:
        return len(self._waiting)

    async def record(self, event: NewEvent) -> Outcome:
        """Commit the event with whatever else waits. Raises ``RecordingFailed`` or one of its kinds."""
        if self._stopping or len(self._waiting) >= MOST_WAITING:
            raise QueueFull
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(event, answer))
        self._wake.set()
        return await answer

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
        while self._waiting and len(batch) < MOST_IN_BATCH:
            waiting = self._waiting.popleft()
            if not waiting.answer.done():  # its caller went away
                batch.append(waiting)
        return batch

    async def _commit(self, batch: list[Waiting]) -> None:
        began = time.perf_counter()
        items = core.items_of(waiting.event for waiting in batch)
        try:
            outcomes = await self._record(items)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            await self._one_by_one(batch, error)
            return
        except Exception as error:
            self.failures += 1
            log.error("commit of %s events failed: %s", len(batch), type(error).__name__)
            await self._after_failure(batch, items, error)
            return
        self.batches += 1
        self.events += len(batch)
        self.most = max(self.most, len(batch))
        self.seconds += time.perf_counter() - began
        for place, waiting in enumerate(batch):
            if not waiting.answer.done():
                waiting.answer.set_result(outcomes[place])

    async def _record(self, items: list[core.Item]) -> dict[int, Outcome]:
        at = self._now()
        async with self._pool.connection() as connection:
            plain = all(core.is_plain(item) for item in items)
            if plain and await _run(connection, core.plain_statement(items, at)) == len(items):
                return core.plain_outcomes(items)
            async with connection.transaction():
                steps = core.steps(items, at)
                try:
                    statement = next(steps)
                    while True:
                        statement = steps.send(await _run(connection, statement))
                except StopIteration as finished:
                    return finished.value

    async def _one_by_one(self, batch: list[Waiting], error: Exception) -> None:
        """One event that the database refuses does not take the others with it."""
        if len(batch) == 1:
            self.failures += 1
            log.error("an event was refused by the database: %s", type(error).__name__)
            _fail(batch, RecordingFailed())
            return
        for waiting in batch:
            await self._commit([waiting])

    async def _after_failure(self, batch: list[Waiting], items: list[core.Item], error: Exception) -> None:
        """Where the connection broke, ask whether the commit had happened; never answer what is not known."""
        if not isinstance(error, psycopg.OperationalError) or isinstance(error, (PoolTimeout, psycopg.errors.QueryCanceled)):
            _fail(batch, RecordingFailed())
            return
        kept = await self._look(items)
        for waiting, item in zip(batch, items, strict=True):
            if waiting.answer.done():
                continue
            if kept is None:
                waiting.answer.set_exception(RecordingUnknown())
            elif item.id in kept:
                waiting.answer.set_result(Outcome(Status.ACCEPTED, item.id, kept[item.id]))
            else:
                waiting.answer.set_exception(RecordingFailed())

    async def _look(self, items: list[core.Item]) -> dict[Any, Any] | None:
        """The batch's events that are in the table, with their book months; None where the database does not answer."""
        ends = time.monotonic() + CHECK_SECONDS
        parameters = {"months": sorted({item.month for item in items}), "ids": [item.id for item in items]}
        while time.monotonic() < ends:
            with contextlib.suppress(psycopg.OperationalError, PoolTimeout):
                async with self._pool.connection(timeout=1) as connection:
                    return dict(await _run(connection, core.Statement("find_events", parameters, "rows")))
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
        return None


def _fail(batch: list[Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


async def _run(connection: psycopg.AsyncConnection, statement: core.Statement) -> Any:
    cursor = await connection.execute(query(statement.name), statement.parameters)
    return await cursor.fetchall() if statement.wants == "rows" else cursor.rowcount
