"""What operators' services did, in the text format of Prometheus: breaker, places, faults by kind, a release each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from products.runtimes.remote import RemoteRuntime


def remote_lines(worker: str, remotes: Iterable[RemoteRuntime]) -> Iterator[str]:
    """Lines for the releases that this process has loaded; ``worker`` is its label."""
    known = [(f'{worker},release="{each.key}"', each) for each in remotes]
    if not known:
        return
    now = time.monotonic()
    yield "# TYPE gongshu_breaker_open gauge"
    for label, each in known:
        yield f"gongshu_breaker_open{{{label}}} {int(each.breaker.state(now) != 'closed')}"
    yield "# TYPE gongshu_breaker_openings_total counter"
    for label, each in known:
        yield f"gongshu_breaker_openings_total{{{label}}} {each.breaker.openings}"
    yield "# TYPE gongshu_remote_calls gauge"
    for label, each in known:
        yield f'gongshu_remote_calls{{{label},state="running"}} {each.bulkhead.running}'
        yield f'gongshu_remote_calls{{{label},state="waiting"}} {each.bulkhead.waiting}'
    yield "# TYPE gongshu_remote_refused_total counter"
    for label, each in known:
        yield f"gongshu_remote_refused_total{{{label}}} {each.bulkhead.refused}"
    yield "# TYPE gongshu_remote_faults_total counter"
    for label, each in known:
        for kind, count in sorted(each.faults.items()):
            yield f'gongshu_remote_faults_total{{{label},kind="{kind}"}} {count}'
