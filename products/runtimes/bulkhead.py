"""A bulkhead: so many calls of one product run at once, so many more wait; what comes besides is told to come back.

One belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.utils.translation import gettext_lazy as _

from products.runtimes.base import RuntimeBusy


class Bulkhead:
    def __init__(self, *, concurrent: int, queue: int, seconds: float) -> None:
        """``seconds`` is how long one call may take: the longest wait in the queue, and what ``Retry-After`` says."""
        self._free = asyncio.Semaphore(concurrent)
        self._queue, self._seconds = queue, seconds
        self.running = self.waiting = self.refused = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one call. Raises ``RuntimeBusy`` where the queue is full or the wait takes too long."""
        await self._wait()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._free.release()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()  # returns at once
            return
        if self.waiting >= self._queue:
            raise self._busy()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self.waiting -= 1

    def _busy(self) -> RuntimeBusy:
        self.refused += 1
        wait = max(1, round(self._seconds))
        return RuntimeBusy(_("This product has too many calls waiting. Try again soon."), retry_after=wait)
