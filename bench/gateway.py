"""A durable metered call over HTTP, against the same gateway with metering off, with a commit a call, and a plain Django view.

All four servers run at once and take turns of a few seconds at each number of connections, so that a busy machine is busy for
all of them; of each, the turn with the most calls counts, with all its figures. The load generator is a process of its own
(`bench.caller`) on the same machine.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.db import connection
from psycopg import conninfo

from bench.processes import cpu_seconds
from bench.scale import scaled
from bench.table import Figure
from bench.variants import NAMES
from settlement.metering.models import UsageEvent
from tests.settlement.stall import START, Stall, make_stall

CONNECTIONS = (1, 16, 64, 256)
BUDGETED = 64
ROUNDS = 3
WARM_SECONDS = 0.5
SAID = {
    "off": "metering off",
    "ours": "durable metered calls",
    "single": "one commit a call",
    "django": "a plain Django view with an INSERT",
}


class Turn(NamedTuple):
    """A few seconds of one variant. CPU in seconds per 1,000 calls; ``load_cores`` is the load generator's share of a core."""

    calls: float  # a second
    p50: float
    p99: float
    gateway: float
    postgres: float
    load: float
    load_cores: float


class Server(NamedTuple):
    port: int
    pid: int


def run() -> list[Figure]:
    stall = make_stall()
    seconds = max(0.5, scaled(3))
    turns: dict[tuple[str, int], list[Turn]] = {}
    served = 0
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(name)) for name in NAMES}
        for _round in range(ROUNDS):
            for connections in CONNECTIONS:
                for name, server in servers.items():
                    count, turn = take_turn(server, stall, connections, seconds)
                    served += 0 if name == "off" else count
                    turns.setdefault((name, connections), []).append(turn)
    metered = UsageEvent.objects.count()
    if metered != served:
        raise AssertionError(f"{served} calls were served, {metered} are metered")
    return figures({key: max(found) for key, found in turns.items()}, seconds, served)


def figures(best: dict[tuple[str, int], Turn], seconds: float, served: int) -> list[Figure]:
    ours, off, single, django = (best[name, BUDGETED] for name in ("ours", "off", "single", "django"))
    how = f"{BUDGETED} connections, one worker; best of {ROUNDS} turns of {seconds} s; served = metered: {served:,}"
    load = f"the load generator on the same machine took {ours.load_cores:.0%} of one of its {os.cpu_count()} cores"
    found = [
        Figure("durable metered call over metering off", ours.calls / off.calls, "×", 0.5, note=how),
        Figure("durable metered call over one commit each", ours.calls / single.calls, "×", 4, note="six at once"),
        Figure("durable metered call over a plain Django view", ours.calls / django.calls, "×", note="with an INSERT a call"),
        Figure("durable metered call, p99", ours.p99 * 1000, "ms", 15, is_at_least=False, note=f"as the caller sees it; {load}"),
    ]
    for name in NAMES:
        for connections in CONNECTIONS:
            found.append(
                Figure(
                    f"{SAID[name]}, {connections} connections",
                    best[name, connections].calls,
                    "/s",
                    note=_told(best[name, connections]),
                )
            )
    return found


def _told(turn: Turn) -> str:
    return (
        f"p50 {turn.p50 * 1000:.1f} ms, p99 {turn.p99 * 1000:.1f} ms; CPU s per 1,000 calls: gateway {turn.gateway:.3f}, "
        f"PostgreSQL {turn.postgres:.3f}, load generator {turn.load:.3f} ({turn.load_cores:.0%} of a core)"
    )


def take_turn(server: Server, stall: Stall, connections: int, seconds: float) -> tuple[int, Turn]:
    """(calls served, those to warm up included; what was measured). Raises ``AssertionError`` where an answer is not 200."""
    postgres = postmaster()
    command = [sys.executable, "-m", "bench.caller", str(server.port), str(connections), str(WARM_SECONDS), str(seconds)]
    caller = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert caller.stdin and caller.stdout and caller.stderr
    with caller:
        caller.stdin.write(request_of(stall))
        caller.stdin.close()
        spent = []
        for moment in (b"warm\n", b"over\n"):
            if (line := caller.stderr.readline()) != moment:
                raise AssertionError((line + caller.stderr.read()).decode())
            spent.append((cpu_seconds([server.pid]), cpu_seconds([postgres] if postgres else [])))
        told: dict[str, Any] = json.loads(caller.stdout.read())
    if told["wrong"] or told["lost"]:
        raise AssertionError(f"answers that are not 200: {told['wrong']}; connections lost: {told['lost']}")
    answers = told["answers"]
    gateway, database = (after - before for before, after in zip(*spent, strict=True))
    thousands = answers / 1000
    turn = Turn(
        answers / told["seconds"],
        told["p50"],
        told["p99"],
        gateway / thousands,
        database / thousands,
        told["cpu"] / thousands,
        told["cpu"] / told["seconds"],
    )
    return told["served"], turn


def request_of(stall: Stall) -> bytes:
    body = b'{"ask":"latest"}'
    head = f"POST /v1/products/{stall.product.code} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {stall.secret}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def postmaster() -> int | None:
    """PostgreSQL's first process, where the server is on this machine and lets us see it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    try:
        return int(Path(f"/proc/{backend}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


@contextmanager
def serving(name: str) -> Iterator[Server]:
    """A server of that variant in a process of its own, ready."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    given = connection.get_connection_params()
    url = conninfo.make_conninfo(**{n: given[n] for n in ("host", "port", "user", "password", "dbname") if given.get(n)})
    environ = {"DATABASE_URL": url, "GONGSHU_DATA": str(settings.DATA_DIR), "GONGSHU_CLOCK": START.isoformat()}
    process = subprocess.Popen([sys.executable, "-m", "bench.variants", name, str(port)], env=os.environ | environ)
    try:
        _wait(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("the gateway did not start")
