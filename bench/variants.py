"""What `bench.gateway` compares, each in a process of its own: ``python -m bench.variants NAME PORT``.

``ours`` is the gateway as it is; ``off`` answers without recording; ``single`` commits each call on its own, six at
once; ``django`` is a plain Django view with an INSERT a call. All are served by granian; the first three by
``market.server``, as in production.
"""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
NAME = os.environ.get("BENCH_VARIANT", "ours")
NAMES = ("off", "ours", "single", "django")
THREADS = 16


def application():
    """The gateway with the recorder that BENCH_VARIANT names."""
    django.setup()
    from market.gateway import resources
    from market.gateway.app import Gateway
    from settlement.metering import recorder
    from settlement.metering.events import NewEvent, Outcome, Status

    class Off:
        """Says that an event is recorded, and forgets it."""

        def __init__(self, pool, *, now, committed=None, writers: int = 1) -> None:
            self.batches = self.events = self.failures = self.queue = 0

        async def record(self, event: NewEvent) -> Outcome:
            return Outcome(Status.ACCEPTED, event.id)

        async def close(self) -> None:
            pass

    class Single(recorder.Recorder):
        """A commit a call, six at once: the pool has eight connections."""

        def __init__(self, pool, *, now, committed, writers: int = 6) -> None:
            recorder.MOST_IN_BATCH = 1
            super().__init__(pool, now=now, committed=committed, writers=writers)

    resources.Recorder = {"off": Off, "single": Single, "ours": recorder.Recorder}[NAME]  # type: ignore[assignment,misc]
    return Gateway()


def serve_django(port: int) -> None:
    """The plain view over WSGI, with a kept connection in each of its threads."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "bench.plain:application",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        log_level=LogLevels.error,  # it warns of more threads than cores; they wait for the database
    ).serve()


def main(name: str, port: int) -> None:
    os.environ["BENCH_VARIANT"] = name
    if name == "django":
        serve_django(port)
    else:
        django.setup()
        from market import server

        server.serve("bench.variants:application", host="127.0.0.1", port=port, workers=1, is_factory=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
