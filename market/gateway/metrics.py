"""Counters of one gateway process in the text format of Prometheus. With several workers on a port each answers for itself
(``worker``): give each gateway a port where every one is to be read.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from market.gateway.remote_metrics import remote_lines

if TYPE_CHECKING:
    from market.gateway.resources import Resources

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
Sample = tuple[str, str, str, float | None]  # name, counter or gauge, what it tells, value (None: nothing to tell)


class Histogram:
    """How often what was observed is at most each bound."""

    def __init__(self, name: str, tells: str, bounds: Sequence[float]) -> None:
        self.name, self.tells, self.bounds = name, tells, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def lines(self, worker: str) -> Iterator[str]:
        yield from _head(self.name, "histogram", self.tells)
        below = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            below += count
            yield f'gongshu_{self.name}_bucket{{{worker},le="{bound}"}} {below}'
        yield f"gongshu_{self.name}_sum{{{worker}}} {self._sum:.6f}"
        yield f"gongshu_{self.name}_count{{{worker}}} {below}"


class Metrics:
    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self._seconds = Histogram("answer_seconds", "From the request's head to the answer's, whatever the answer", SECONDS)
        self._commit_seconds = Histogram("commit_seconds", "One commit of a batch of usage", SECONDS)
        self._commit_events = Histogram("commit_batch_events", "Events of one commit", SIZES)

    def answered(self, kind: str, status: int, reason: str, seconds: float) -> None:
        """One answer: ``kind`` call, sandbox, usage, receipts, …; ``reason`` the problem's code."""
        self.answers[kind, status, reason] += 1
        self._seconds.observe(seconds)

    def committed(self, events: int, seconds: float) -> None:
        """One commit that is on disk."""
        self._commit_seconds.observe(seconds)
        self._commit_events.observe(events)

    async def text(self, held: Resources) -> str:
        """Everything, with what the database says of the market as a whole; where that is away, without it."""
        worker = f'worker="{os.getpid()}"'
        lines = _head("answers_total", "counter", "Answers by kind, status and the problem's code")
        for (kind, status, reason), count in sorted(self.answers.items()):
            lines.append(f'gongshu_answers_total{{{worker},kind="{kind}",status="{status}",reason="{reason}"}} {count}')
        for histogram in (self._seconds, self._commit_seconds, self._commit_events):
            lines += histogram.lines(worker)
        lines += _told(own(held), f"{{{worker}}}")
        lines += _told(await market(held), "")
        lines += remote_lines(worker, held.remotes())
        return "\n".join(lines) + "\n"


def own(held: Resources) -> Iterator[Sample]:
    """What this process knows of itself."""
    recorders, journal, listener = (held.recorder, held.reports), held.journal, held.listener
    yield "commits_total", "counter", "Commits of usage", sum(each.batches for each in recorders)
    yield "commit_events_total", "counter", "Events that were committed", sum(each.events for each in recorders)
    failures = sum(each.failures for each in recorders)
    yield "commit_failures_total", "counter", "Commits that failed; nothing of them was counted", failures
    yield "recorder_queue", "gauge", "Calls and reports that wait for a commit", sum(each.queue for each in recorders)
    yield "refusals_dropped_total", "counter", "Refusals that were not written for want of room", journal.dropped
    yield "staleness_seconds", "gauge", "Since when a change may not have been heard of", listener.staleness
    yield "listener_connections_total", "counter", "Times that listening for changes began", listener.connections
    yield "notices_total", "counter", "Changes that were heard of", listener.notices
    for name, cache in (("rights", held.access), ("products", held.products)):
        yield f"{name}_known", "gauge", "Look-ups that are remembered", len(cache)
        yield f"{name}_believed_total", "counter", "Look-ups that were remembered", cache.hits
        yield f"{name}_looked_up_total", "counter", "Look-ups that asked the database", cache.misses


async def market(held: Resources) -> list[Sample]:
    """What the database says; the same from every gateway."""
    row = await held.health()
    if row is None:
        return [("database_up", "gauge", "Whether the database answers", 0)]
    return [
        ("database_up", "gauge", "Whether the database answers", 1),
        ("fold_seconds", "gauge", "Age of the oldest usage that is not yet by the hour", row["fold_seconds"]),
        ("fold_waiting", "gauge", "Usage that is not yet by the hour, rows", row["fold_waiting"]),
        ("seal_seconds", "gauge", "Since the end of the last hour whose receipts are sealed", row["seal_seconds"]),
        ("jobs_waiting", "gauge", "Jobs that are due and not taken", row["jobs_waiting"]),
        ("jobs_failed", "gauge", "Jobs that failed for good", row["jobs_failed"]),
        ("emergency_stops", "gauge", "Emergency stops in force", row["stops"]),
        ("months_late", "gauge", "Open billing months past their days of grace", row["months_late"]),
        ("stray_events", "gauge", "Events outside the months' partitions", row["stray_events"]),
    ]


def _told(samples: Iterable[Sample], labels: str) -> Iterator[str]:
    for name, kind, tells, value in samples:
        if value is not None:
            yield from _head(name, kind, tells)
            yield f"gongshu_{name}{labels} {'+Inf' if value == float('inf') else value}"


def _head(name: str, kind: str, tells: str) -> list[str]:
    return [f"# HELP gongshu_{name} {tells}", f"# TYPE gongshu_{name} {kind}"]
