"""Workers for models: each release has its own lane of processes and its own bounded queue, so a slow one only slows
itself.

A call past its time limit, or a crash, ends that worker and starts another; the calls behind it go on. One ``Pool``
belongs to one event loop: ``await pool.run(...)`` from the gateway, or ``run_once`` from a command.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from products.runtimes import nursery
from products.runtimes.base import (
    InputRefused,
    ReleaseRefused,
    ReleaseSpec,
    RunResult,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeTimeout,
)
from products.runtimes.modelconfig import DEFAULT_MEMORY_MB, DEFAULT_SECONDS

log = logging.getLogger("gongshu.models")
LOAD_SECONDS = 60
GOVERNMENT, PAID, FREE = 0, 1, 2  # who goes first (R69)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one lane: per call (seconds, memory), and for the lane (workers, calls that may wait)."""

    seconds: int = DEFAULT_SECONDS
    memory_mb: int = DEFAULT_MEMORY_MB
    workers: int = 1
    queue: int = 16

    @classmethod
    def of(cls, release: ReleaseSpec) -> Limits:
        return cls(**release.config.get("limits", {}))


@dataclass(slots=True)
class Job:
    body: Any
    at: datetime
    future: asyncio.Future[RunResult]


class WorkerGone(Exception):
    """The process ended in the middle of a call."""


class Worker:
    """One process that has one release loaded."""

    def __init__(self, pid: int, asks: asyncio.StreamWriter, replies: asyncio.StreamReader) -> None:
        self.pid = pid
        self._asks, self._replies = asks, replies
        self.locks: list[str] = []

    @classmethod
    async def start(cls, release: ReleaseSpec, limits: Limits) -> Worker:
        """A worker with the release loaded. Raises ``ReleaseRefused``, ``WorkerGone`` or ``TimeoutError``."""
        channel, pid = await asyncio.to_thread(nursery.spawn)
        replies, asks = await asyncio.open_connection(sock=channel)
        worker = cls(pid, asks, replies)
        first = {
            "release": {field: getattr(release, field) for field in ReleaseSpec.__dataclass_fields__},
            "limits": {"seconds": limits.seconds, "memory_mb": limits.memory_mb, "load_seconds": LOAD_SECONDS},
            "language": get_language() or "en",
        }
        try:
            reply = await worker.ask(first, LOAD_SECONDS)
        except BaseException:
            await worker.stop()
            raise
        if "ready" not in reply:
            await worker.stop()
            if "refused" in reply:
                raise ReleaseRefused(reply["refused"])
            raise WorkerGone(str(reply.get("failed")))
        worker.locks = reply["locks"]
        if set(worker.locks) != {"files", "calls"}:
            log.warning("model worker runs with %s only: this kernel does not cut it off whole", worker.locks or "no lock")
        return worker

    async def ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Reply to one message. After ``TimeoutError`` or ``WorkerGone`` the worker is of no more use."""
        data = msgspec.msgpack.encode(message)
        try:
            async with asyncio.timeout(seconds):
                self._asks.write(len(data).to_bytes(4, "big") + data)
                await self._asks.drain()
                size = int.from_bytes(await self._replies.readexactly(4), "big")
                return msgspec.msgpack.decode(await self._replies.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerGone from error

    async def stop(self) -> None:
        if not self._replies.at_eof():
            nursery.end(self.pid)
        self._asks.close()
        with contextlib.suppress(ConnectionError):
            await self._asks.wait_closed()


class Lane:
    """The workers and the queue of one release."""

    def __init__(self, release: ReleaseSpec) -> None:
        self.limits = Limits.of(release)
        self._release = release
        self._queue: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue(self.limits.queue)
        self._numbers = itertools.count()  # first come, first served among equals
        self._running = 0
        self.workers: dict[int, Worker] = {}
        self._tasks = [asyncio.create_task(self._serve(slot)) for slot in range(self.limits.workers)]

    @property
    def is_idle(self) -> bool:
        return not self._running and self._queue.empty()

    async def submit(self, body: Any, at: datetime, priority: int = PAID) -> RunResult:
        """A fifth of the places is kept for government calls, which also go first."""
        job = Job(body, at, asyncio.get_running_loop().create_future())
        try:
            if priority > GOVERNMENT and self._queue.qsize() >= self.limits.queue - self.limits.queue // 5:
                raise asyncio.QueueFull
            self._queue.put_nowait((priority, next(self._numbers), job))
        except asyncio.QueueFull:
            raise RuntimeBusy(
                _("This product has too many calls waiting. Try again soon."), retry_after=self.limits.seconds
            ) from None
        return await job.future

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._queue.empty():
            _settle(self._queue.get_nowait()[2], RuntimeBusy(_("This product is being stopped."), retry_after=1))

    async def _serve(self, slot: int) -> None:
        try:
            while True:
                _priority, _number, job = await self._queue.get()
                if job.future.done():  # the caller went away while waiting
                    continue
                self._running += 1
                try:
                    await self._run(slot, job)
                except asyncio.CancelledError:
                    _settle(job, RuntimeBusy(_("This product is being stopped."), retry_after=1))
                    raise
                finally:
                    self._running -= 1
        finally:
            worker = self.workers.pop(slot, None)
            if worker:
                await worker.stop()

    async def _run(self, slot: int, job: Job) -> None:
        try:
            if slot not in self.workers:
                self.workers[slot] = await Worker.start(self._release, self.limits)
            message = {"body": job.body, "at": job.at.isoformat()}
            reply = await self.workers[slot].ask(message, self.limits.seconds)
            _settle(job, _result(reply))
        except ReleaseRefused as refusal:
            _settle(job, refusal)
        except TimeoutError:
            _settle(job, RuntimeTimeout(_("The call took longer than this product may.")))
            await self._replace(slot)
        except (WorkerGone, OSError):
            _settle(job, RuntimeFailed(_("The product broke on this call. Nothing was charged.")))
            await self._replace(slot)

    async def _replace(self, slot: int) -> None:
        worker = self.workers.pop(slot, None)
        if worker is None:
            return
        await worker.stop()
        # At once, so that the next call does not pay for the start. If that fails, the next call tries and says so.
        with contextlib.suppress(ReleaseRefused, WorkerGone, TimeoutError, OSError):
            self.workers[slot] = await Worker.start(self._release, self.limits)


class Pool:
    """Lanes by release. ``max_workers`` bounds the processes of all of them; the lane idle longest makes room."""

    def __init__(self, *, max_workers: int = 8) -> None:
        self._max_workers = max_workers
        self._lanes: dict[str, Lane] = {}

    async def run(self, release: ReleaseSpec, body: Any, at: datetime, priority: int = PAID) -> RunResult:
        """Run one checked body, the lower ``priority`` first.

        Raises ``RuntimeBusy``, ``RuntimeTimeout``, ``RuntimeFailed``, ``ReleaseRefused``.
        """
        lane = self._lanes.pop(release.key, None)
        if lane is None:
            await self._make_room(Limits.of(release).workers)
            lane = self._lanes.pop(release.key, None) or Lane(release)
        self._lanes[release.key] = lane  # last used stands last
        return await lane.submit(body, at, priority)

    async def close(self) -> None:
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(lane.close() for lane in lanes))

    async def _make_room(self, wanted: int) -> None:
        while self._lanes and sum(lane.limits.workers for lane in self._lanes.values()) + wanted > self._max_workers:
            idle = next((key for key, lane in self._lanes.items() if lane.is_idle), None)
            if idle is None:
                raise RuntimeBusy(_("All workers are taken. Try again soon."), retry_after=1)
            await self._lanes.pop(idle).close()


def run_once(release: ReleaseSpec, body: Any, at: datetime) -> RunResult:
    """Run one body in a worker of its own that ends with the call: for commands, outside any event loop."""

    async def once() -> RunResult:
        pool = Pool()
        try:
            return await pool.run(release, body, at)
        finally:
            await pool.close()

    return asyncio.run(once())


def _result(reply: dict[str, Any]) -> RunResult | Exception:
    if "output" in reply:
        return RunResult(output=reply["output"], units=reply["units"])
    if "input" in reply:
        return InputRefused(reply["input"])
    return RuntimeFailed(_("The product broke on this call. Nothing was charged."), kind=reply.get("failed"))


def _settle(job: Job, outcome: RunResult | Exception) -> None:
    if job.future.done():
        return
    if isinstance(outcome, Exception):
        job.future.set_exception(outcome)
    else:
        job.future.set_result(outcome)
