"""Reported usage in batches of 100 over HTTP, against COPY of the same rows into a table with the same indexes.

The gateway runs in a process of its own, the load generator in this one, both on the machine of the database. What is compared
differs in what it does: over HTTP each event is parsed, checked against its entitlement, named once for ever in a second table,
digested for its receipt and added up by the hour; COPY writes rows that are ready. So COPY is measured twice: into a twin of the
events alone (the budget), and into that and a twin of the identities.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta

from django.db import connection

from bench.gateway import postmaster, serving
from bench.load import drive
from bench.processes import cpu_seconds
from bench.scale import scaled
from bench.table import Figure
from settlement.metering.models import UsageEvent
from tests.settlement.stall import START, Stall, make_stall

BATCH = 100
CONNECTIONS = 8
ENTITLEMENTS = 50
ROUNDS = 3
PARTITION = "settlement_usageevent_202610"


def run() -> list[Figure]:
    stall = make_stall()
    _key, secret = stall.key_for(None, mode="op", organisation=stall.operator)
    entitlements = [stall.entitlement.code, *(stall.entitle().code for _more in range(ENTITLEMENTS - 1))]
    batches = max(CONNECTIONS, scaled(300))
    spoken: list[tuple[float, float, float]] = []
    with serving("ours") as server:
        for turn in range(ROUNDS + 1):  # the first warms up
            bodies = [_request(stall, secret, entitlements, turn * batches + n) for n in range(batches)]
            gateway, postgres, began = _cpu(server.pid), _cpu(postmaster()), time.perf_counter()
            answers = asyncio.run(drive([server.port], connections=CONNECTIONS, request=bodies.__getitem__, total=batches))
            seconds = time.perf_counter() - began
            gateway, postgres = _cpu(server.pid) - gateway, _cpu(postmaster()) - postgres
            if any(b'"accepted":%d,' % BATCH not in answer.body for answer in answers):
                raise AssertionError("an event was not accepted")
            count = batches * BATCH
            spoken.append((count / seconds, gateway / count * 1e6, postgres / count * 1e6))
    if UsageEvent.objects.count() != (ROUNDS + 1) * batches * BATCH:
        raise AssertionError("not every accepted event is in the table")
    return _figures(max(spoken[1:]), _copied(PARTITION), _copied(PARTITION, "settlement_usageidentity"))


def _cpu(process: int | None) -> float:
    return cpu_seconds([process]) if process else 0.0


def _figures(best: tuple[float, float, float], events: float, both: float) -> list[Figure]:
    reported, gateway, postgres = best
    how = f"{CONNECTIONS} connections, {ENTITLEMENTS} entitlements, one worker, load generator beside it; best of {ROUNDS}"
    cpu = f"CPU µs an event: gateway {gateway:.1f}, PostgreSQL {postgres:.1f}"
    return [
        Figure("reported usage over COPY", reported / events, "×", 0.5, note=how),
        Figure("reported usage over COPY of events and identities", reported / both, "×", note="what both must write"),
        Figure("reported usage, batches of 100 over HTTP", reported, "events/s", note=cpu),
        Figure("COPY into the same table and indexes", events, "rows/s", note="one statement"),
        Figure("COPY into it and into the identities", both, "rows/s", note="two statements"),
    ]


def _request(stall: Stall, secret: str, entitlements: list[str], batch: int) -> bytes:
    events = [_event(stall, entitlements, batch * BATCH + n) for n in range(BATCH)]
    body = json.dumps(events).encode()
    head = (
        f"POST /v1/usage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/cloudevents-batch+json\r\n\r\n"
    )
    return head.encode() + body


def _event(stall: Stall, entitlements: list[str], number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": f"/operators/{stall.operator.slug}/bench",
        "type": "cn.gongshu.usage.v1",
        "subject": entitlements[number % ENTITLEMENTS],
        "time": (START - timedelta(milliseconds=number)).isoformat(),
        "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1"}},
    }


def _copied(*tables: str) -> float:
    """Rows a second of what was just recorded, out and into twins with their indexes; the best of a few."""
    return max(_copy_once(tables) for _round in range(ROUNDS))


def _copy_once(tables: tuple[str, ...]) -> float:
    seconds, count = 0.0, 0
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"CREATE TABLE bench_twin (LIKE {table} INCLUDING ALL)")
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                rows = b"".join(bytes(part) for part in copy)
            began = time.perf_counter()
            with cursor.copy("COPY bench_twin FROM STDIN") as copy:
                copy.write(rows)
            seconds += time.perf_counter() - began
            cursor.execute("SELECT count(*) FROM bench_twin")
            count = cursor.fetchone()[0]
            cursor.execute("DROP TABLE bench_twin")
    return count / seconds
