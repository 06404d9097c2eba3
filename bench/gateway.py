"""Durable metered calls a second of an index product, against the same gateway with metering off.

Server and load generator share the machine. Metering off is the same path with a recorder that answers at once
(bench/unmetered.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg import conninfo

from bench.load import drive, percentile
from bench.scratch import database

ROOT = Path(__file__).parents[1]
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
CONNECTIONS = (1, 16, 64, 256)
BODY = b'{"ask": "latest"}'


def run() -> Iterator[dict[str, Any]]:
    from tests.settlement.stall import make_stall

    with database():
        stall = make_stall()
        lines = f"Authorization: Bearer {stall.secret}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
        request = f"POST /v1/products/{stall.product.code} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode() + BODY
        for mode in ("metered", "unmetered"):
            with server(mode) as port:
                asyncio.run(drive([port], connections=4, request=lambda _n: request, seconds=1))
                for connections in CONNECTIONS:
                    yield {"mode": mode, **measure(port, connections, request)}


def measure(port: int, connections: int, request: bytes) -> dict[str, Any]:
    began = time.perf_counter()
    answers = asyncio.run(drive([port], connections=connections, request=lambda _n: request, seconds=SECONDS))
    took = time.perf_counter() - began
    bad = sum(answer.status != 200 for answer in answers)
    times = [answer.seconds * 1000 for answer in answers]
    return {
        "connections": connections,
        "calls_per_second": round(len(answers) / took),
        "p50_ms": round(percentile(times, 0.5), 2),
        "p99_ms": round(percentile(times, 0.99), 2),
        "not_200": bad,
    }


@contextmanager
def server(mode: str) -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    given = connection.get_connection_params()
    url = conninfo.make_conninfo(**{n: given[n] for n in ("host", "port", "user", "password", "dbname") if given.get(n)})
    env = os.environ | {"DATABASE_URL": url, "GONGSHU_CLOCK": "2026-10-20T10:00:00+08:00"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.gateway", mode, str(port)], cwd=ROOT, env=env, start_new_session=True
    )
    try:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def serve(mode: str, port: int) -> None:
    """The server under test, in a process of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
    os.environ["GONGSHU_SERVER"] = "1"
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    target = "market.asgi:application" if mode == "metered" else "bench.unmetered:application"
    Granian(target, port=port, interface=Interfaces.ASGI, websockets=False, log_level=LogLevels.warning).serve()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
