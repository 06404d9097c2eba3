"""A gateway that answers before its commit, to show that the harness would see it. Nothing else uses this."""

from __future__ import annotations

import asyncio
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
django.setup()

from market.gateway import resources  # noqa: E402  needs Django set up
from market.gateway.app import Gateway  # noqa: E402
from settlement.metering import core, recorder  # noqa: E402
from settlement.metering.events import NewEvent, Outcome  # noqa: E402


class Eager(recorder.Recorder):
    """Says that a call is recorded, and records it a moment later."""

    async def record(self, event: NewEvent) -> Outcome:
        self._later = getattr(self, "_later", set())
        task = asyncio.create_task(self._record_later(event))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        (item,) = core.items_of([event])
        return core.quick_outcomes([item])[0]

    async def _record_later(self, event: NewEvent) -> None:
        await asyncio.sleep(0.02)
        await super().record(event)


resources.Recorder = Eager  # type: ignore[misc]
application = Gateway()
