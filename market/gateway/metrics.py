"""Counters of one gateway process in the text format of Prometheus. With several workers each answers for itself (``worker``)."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from market.gateway.remote_metrics import remote_lines

if TYPE_CHECKING:
    from market.gateway.resources import Resources

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self._seconds = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def answered(self, kind: str, status: int, reason: str, seconds: float) -> None:
        """One answer: ``kind`` call, sandbox, usage, receipt, delivery; ``reason`` the problem's code."""
        self.answers[kind, status, reason] += 1
        self._seconds[bisect_left(BOUNDS, seconds)] += 1
        self._total += seconds

    def text(self, held: Resources) -> str:
        worker = f'worker="{os.getpid()}"'
        lines = ["# TYPE gongshu_answers_total counter"]
        for (kind, status, reason), count in sorted(self.answers.items()):
            lines.append(f'gongshu_answers_total{{{worker},kind="{kind}",status="{status}",reason="{reason}"}} {count}')
        lines.append("# TYPE gongshu_answer_seconds histogram")
        below = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._seconds, strict=True):
            below += count
            lines.append(f'gongshu_answer_seconds_bucket{{{worker},le="{bound}"}} {below}')
        lines += [
            f"gongshu_answer_seconds_sum{{{worker}}} {self._total:.6f}",
            f"gongshu_answer_seconds_count{{{worker}}} {below}",
        ]
        recorder = held.recorder
        for name, kind, value in (
            ("commits_total", "counter", recorder.batches),
            ("commit_events_total", "counter", recorder.events),
            ("commit_failures_total", "counter", recorder.failures),
            ("commit_seconds_total", "counter", round(recorder.seconds, 6)),
            ("commit_batch_most", "gauge", recorder.most),
            ("recorder_queue", "gauge", recorder.queue),
            ("refusals_dropped_total", "counter", held.journal.dropped),
            ("staleness_seconds", "gauge", _seconds(held.listener.staleness)),
            ("notices_total", "counter", held.listener.notices),
            ("listener_connections_total", "counter", held.listener.connections),
            ("rights_known", "gauge", len(held.access)),
            ("rights_believed_total", "counter", held.access.hits),
            ("rights_looked_up_total", "counter", held.access.misses),
        ):
            lines += [f"# TYPE gongshu_{name} {kind}", f"gongshu_{name}{{{worker}}} {value}"]
        lines += remote_lines(worker, held.remotes())
        return "\n".join(lines) + "\n"


def _seconds(value: float) -> str:
    return "+Inf" if value == float("inf") else f"{value:.3f}"
