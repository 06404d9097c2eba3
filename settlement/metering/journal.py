"""What a gateway writes beside usage, in the background: refusals, and when keys were last used; it also folds usage by the hour.

Nothing waits for it; it is written a few times a second and at shutdown. A refusal is never charged, so a crash may lose the
last moments of it, and only of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from django.db import close_old_connections, connections
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from products.runtimes.limits import DAYS_SQL, is_fishing
from settlement.entitlements.risk import FISHING, ids_of, out_of_purpose_watch, probing_watch
from settlement.metering.misfits import misfits_tell
from settlement.metering.rollups import fold_through
from settlement.sql import query

log = logging.getLogger("gongshu.metering")
EVERY_SECONDS = 0.25
FOLD_TURNS = 2  # half a second
FORGET_TURNS = 2_400  # ten minutes
MOST_KEPT = 200_000
MOST_WRITTEN = 2_000


@dataclass(frozen=True, slots=True)
class NewRefusal:
    at: datetime
    status: int
    reason: str
    purpose: str = ""
    key_id: int | None = None
    entitlement_id: int | None = None
    product_id: int | None = None


@dataclass(slots=True)
class AskedDay:
    """Questions about subjects since they were last written; the limits are those of the release that answered last."""

    entitlement: int
    limits: Mapping[str, Any]
    asked: int = 0
    missed: int = 0


class Journal:
    """``journal.refuse(...)`` and ``journal.used(key, at)`` return at once."""

    def __init__(self, pool: AsyncConnectionPool, *, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now
        self._turns = 0
        self._refusals: deque[NewRefusal] = deque(maxlen=MOST_KEPT)
        self._used: dict[int, datetime] = {}
        self._signs: dict[int, str] = {}
        self._misfits: dict[int, Sequence[str]] = {}
        self._asked: dict[tuple[int, int, date], AskedDay] = {}
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self.dropped = 0

    def refuse(self, refusal: NewRefusal) -> None:
        if len(self._refusals) == MOST_KEPT:
            self.dropped += 1
        self._refusals.append(refusal)

    def used(self, key_id: int, at: datetime) -> None:
        self._used[key_id] = at

    def probing(self, entitlement: int, sign: str) -> None:
        """A question that looks like probing was refused; ``sign`` as ``products.runtimes.limits.PROBING``."""
        self._signs[entitlement] = sign

    def misfit(self, release: int, pointers: Sequence[str]) -> None:
        """An answer did not fit its release's output schema; the operator is told behind the calls."""
        self._misfits[release] = pointers

    def asked(self, key: tuple[int, int, date], entitlement: int, limits: Mapping[str, Any], *, missed: bool) -> None:
        """A question about a subject was answered. ``key`` is product, organisation, business day."""
        day = self._asked.setdefault(key, AskedDay(entitlement, limits))
        day.entitlement, day.limits = entitlement, limits
        day.asked += 1
        day.missed += missed

    async def close(self) -> None:
        self._stopping.set()
        await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._stopping.wait(), EVERY_SECONDS)
            except TimeoutError:
                await self._write()
        await self._write()

    async def _write(self) -> None:
        try:
            while self._refusals:
                await self._write_refusals()
            if self._used:
                used, self._used = self._used, {}
                async with self._pool.connection() as connection:
                    await connection.execute(query("touch_keys"), {"ids": list(used), "moments": list(used.values())})
            if self._asked or self._signs:
                await self._write_asked()
            if self._misfits:
                misfits, self._misfits = self._misfits, {}
                await asyncio.to_thread(_in_django, misfits_tell, misfits=misfits, at=self._now())
            self._turns += 1
            if self._turns % FOLD_TURNS == 0:
                await fold_through(self._pool)
            if self._turns % FORGET_TURNS == 1:
                async with self._pool.connection() as connection:
                    await connection.execute(query("forget_answers"), {"at": self._now()})
        except Exception as error:  # the next turn tries again; calls go on
            log.error("the journal could not be written: %s", type(error).__name__)
            if isinstance(error, psycopg.OperationalError):  # not for a call to find out
                with contextlib.suppress(psycopg.OperationalError, PoolTimeout):
                    await self._pool.check()

    async def _write_asked(self) -> None:
        """Add up the day's questions, and open a risk case where they look like guesses or a limit says probing."""
        days, self._asked = dict(sorted(self._asked.items())), {}  # rows are locked in one order by all gateways
        signs, self._signs = self._signs, {}
        if days:
            columns: dict[str, list[Any]] = {
                "product": [key[0] for key in days],
                "organisation": [key[1] for key in days],
                "day": [key[2] for key in days],
                "asked": [each.asked for each in days.values()],
                "missed": [each.missed for each in days.values()],
            }
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(DAYS_SQL, columns)).fetchall()
            for product, organisation, day, asked, missed in rows:
                held = days[product, organisation, day]
                if is_fishing(asked_=asked, missed=missed, limits=held.limits):
                    signs[held.entitlement] = FISHING
        if signs:
            await asyncio.to_thread(_in_django, probing_watch, signs=signs, at=self._now())

    async def _watch(self, batch: list[NewRefusal]) -> None:
        """What was refused may be a signal: counted here, where no call waits for it. An hourly sweep finds what a crash lost."""
        entitlements = ids_of((each.entitlement_id, each.reason, each.purpose) for each in batch)
        if not entitlements:
            return
        try:
            await asyncio.to_thread(_in_django, out_of_purpose_watch, entitlements=entitlements, at=self._now())
        except Exception as error:
            log.error("risk cases could not be opened: %s", type(error).__name__)

    async def _write_refusals(self) -> None:
        batch = [self._refusals.popleft() for _ in range(min(MOST_WRITTEN, len(self._refusals)))]
        columns = ("at", "key_id", "entitlement_id", "product_id", "status", "reason", "purpose")
        parameters = {name: [getattr(refusal, name) for refusal in batch] for name in columns}
        try:
            async with self._pool.connection() as connection:
                await connection.execute(query("write_refusals"), parameters)
        except psycopg.IntegrityError:  # names what is no longer there; it would never be taken
            self.dropped += len(batch)
            raise
        except Exception:
            self._refusals.extendleft(reversed(batch))
            raise
        await self._watch(batch)


def _in_django(act: Callable[..., object], **facts: Any) -> None:
    """A service with a connection of Django's, in a thread of its own."""
    close_old_connections()
    try:
        act(**facts)
    finally:
        connections.close_all()
