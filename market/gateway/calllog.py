"""One JSON line an answer, with its receipt and never a payload, a key or an address; written a few times a second.

``CALL_LOG`` says where: ``-`` for standard output, a path, or nothing. Lines wait in memory for a moment, so a kill loses the
last of them; what counts is in the books.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

from django.conf import settings

from market.gateway.http import encode

EVERY_SECONDS = 0.5
MOST_KEPT = 50_000


class CallLog:
    """``say`` returns at once; ``close`` writes what waits."""

    def __init__(self, place: str) -> None:
        self._file = os.dup(1) if place == "-" else os.open(Path(place), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._lines: list[bytes] = []
        self._task = asyncio.create_task(self._run())
        self.dropped = 0

    @classmethod
    def configured(cls) -> CallLog | None:
        return cls(settings.CALL_LOG) if settings.CALL_LOG else None

    def say(self, **facts: Any) -> None:
        if len(self._lines) >= MOST_KEPT:
            self.dropped += 1
            return
        self._lines.append(encode(facts))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._write)
        os.close(self._file)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if self._lines:
                await asyncio.shield(asyncio.to_thread(self._write))

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        data = memoryview(b"\n".join([*lines, b""])) if lines else memoryview(b"")
        with contextlib.suppress(OSError):  # a full disk must not stop calls
            while data:
                data = data[os.write(self._file, data) :]
