"""The gateway with another recorder, for comparison only: BENCH_METERING=off answers without recording, =single commits each call
on its own."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
django.setup()

from market.gateway.app import Gateway  # noqa: E402  needs Django set up
from settlement.metering import core, recorder  # noqa: E402
from settlement.metering.events import NewEvent, Outcome  # noqa: E402

application = Gateway()


class Off:
    """Says that an event is recorded, and forgets it."""

    def __init__(self, pool, *, now, writers: int = 1) -> None:
        self.batches = self.events = self.failures = self.most = self.queue = 0
        self.seconds = 0.0

    async def record(self, event: NewEvent) -> Outcome:
        (item,) = core.items_of([event])
        return core.plain_outcomes([item])[0]

    async def close(self) -> None:
        pass


class Single(recorder.Recorder):
    """A commit a call, as many at once as there are connections."""

    def __init__(self, pool, *, now, writers: int = 6) -> None:
        super().__init__(pool, now=now, writers=writers)

    def _take(self) -> list[recorder.Waiting]:
        batch: list[recorder.Waiting] = []
        while self._waiting and not batch:
            waiting = self._waiting.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch


def _choose() -> None:
    from market.gateway import resources

    chosen = {"off": Off, "single": Single, "on": recorder.Recorder}[os.environ.get("BENCH_METERING", "on")]
    resources.Recorder = chosen  # type: ignore[assignment,misc]


_choose()
