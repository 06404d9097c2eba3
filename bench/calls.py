"""A durable metered call over HTTP at 64 connections, against the same gateway with metering off and with one commit a call."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg import conninfo

from bench.load import Answer, Connection, drive, percentile
from bench.scale import scaled
from bench.table import Figure
from settlement.metering.models import UsageEvent
from tests.settlement.stall import START, Stall, make_stall

CONNECTIONS = 64
ROUNDS = 3


def run() -> list[Figure]:
    """The three gateways take turns, so that a busy machine is busy for all of them; the best turn of each counts."""
    stall = make_stall()
    seconds = max(0.5, scaled(4))
    turns: dict[str, list[tuple[float, float]]] = {"on": [], "off": [], "single": []}
    served = 0
    for _round in range(ROUNDS):
        for metering, found in turns.items():
            with gateway(metering) as port:
                warm, answers, took = asyncio.run(_drive(port, stall, seconds))
            wrong = {answer.status for answer in answers} - {200}
            if wrong:
                raise AssertionError(f"metering {metering}: answers with status {wrong}")
            served += 0 if metering == "off" else warm + len(answers)
            found.append((len(answers) / took, percentile([answer.seconds for answer in answers], 0.99) * 1000))
    metered = UsageEvent.objects.count()
    if metered != served:
        raise AssertionError(f"{served} calls were served, {metered} are metered")
    best = {metering: max(found) for metering, found in turns.items()}
    how = f"{CONNECTIONS} connections, one worker, load generator on the same machine; best of {ROUNDS} turns of {seconds} s"
    return [
        Figure("durable metered call over metering off", best["on"][0] / best["off"][0], "×", 0.5, note=how),
        Figure("durable metered call over one commit each", best["on"][0] / best["single"][0], "×", 4, note="six at once"),
        Figure("durable metered call, p99", best["on"][1], "ms", 15, is_at_least=False, note="as the caller sees it"),
        Figure("durable metered calls", best["on"][0], "/s", note=f"served = metered: {metered:,}"),
        Figure("the same with metering off", best["off"][0], "/s"),
        Figure("the same with one commit a call", best["single"][0], "/s"),
    ]


async def _drive(port: int, stall: Stall, seconds: float) -> tuple[int, list[Answer], float]:
    """(calls to warm up, the answers that count, the seconds they took)."""
    body = b'{"ask":"latest"}'
    head = f"POST /v1/products/{stall.product.code} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {stall.secret}\r\n"
    raw = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    warm = await drive([port], connections=CONNECTIONS, request=lambda _number: raw, total=CONNECTIONS * 20)
    began = time.perf_counter()
    answers = await drive([port], connections=CONNECTIONS, request=lambda _number: raw, seconds=seconds)
    return len(warm), answers, time.perf_counter() - began


@contextmanager
def gateway(metering: str) -> Iterator[int]:
    """A gateway with that metering, served by granian in a process of its own; its port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    given = connection.get_connection_params()
    url = conninfo.make_conninfo(**{n: given[n] for n in ("host", "port", "user", "password", "dbname") if given.get(n)})
    environ = {"DATABASE_URL": url, "GONGSHU_DATA": str(settings.DATA_DIR), "BENCH_METERING": metering, "GONGSHU_SERVER": "1"}
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-ws", "--backpressure", "1024", "--log-level", "warning", "bench.variants:application"]
    process = subprocess.Popen(command, env=os.environ | environ | {"GONGSHU_CLOCK": START.isoformat()})
    try:
        asyncio.run(_ready(process, port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


async def _ready(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            answer = await Connection("127.0.0.1", port).send(b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n")
            if answer.status == 200:
                return
        except OSError:
            await asyncio.sleep(0.05)
    raise AssertionError("the gateway did not start")
