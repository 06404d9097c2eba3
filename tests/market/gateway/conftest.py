"""The real gateway: ``manage.py serve`` in processes of its own, on free ports, against the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection
from psycopg import conninfo

from settlement.metering.models import Refusal
from tests.settlement.stall import START, Stall, make_stall

ROOT = Path(__file__).parents[3]


@dataclass
class Server:
    """A running server; ``kill`` is ``kill -9`` of it and of its workers."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C or a supervisor does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_conninfo() -> str:
    given = connection.get_connection_params()
    return conninfo.make_conninfo(**{n: given[n] for n in ("host", "port", "user", "password", "dbname") if given.get(n)})


test_conninfo.__test__ = False  # type: ignore[attr-defined]


def start_server(*, workers: int = 1, environ: dict[str, str] | None = None, database: str | None = None) -> Server:
    port = free_port()
    env = os.environ | {
        "DATABASE_URL": database or test_conninfo(),
        "GONGSHU_DATA": str(settings.DATA_DIR),
        "GONGSHU_CLOCK": START.isoformat(),
        **(environ or {}),
    }
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    server = Server(process, port)
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            if requests.get(f"{server.url}/readyz", timeout=5).status_code == 200:
                return server
        except requests.ConnectionError:
            time.sleep(0.05)
    server.kill()
    raise AssertionError("the gateway did not start")


@pytest.fixture
def serve(transactional_db) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(**options: Any) -> Server:
        servers.append(start_server(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def stall(transactional_db) -> Stall:
    return make_stall()


@dataclass
class Client:
    """Calls of one stall through one server."""

    server: Server
    stall: Stall

    def call(self, key: str | None = None, *, code: str | None = None, json: Any = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key or self.stall.secret}", "Accept-Language": "en"} | options.pop("headers", {})
        if "data" not in options:
            options["json"] = {"ask": "latest"} if json is None else json
        url = f"{self.server.url}/v1/products/{code or self.stall.product.code}"
        return requests.post(url, headers=headers, timeout=20, **options)

    def get(self, path: str, key: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {key or self.stall.secret}", "Accept-Language": "en"}
        return requests.get(self.server.url + path, headers=headers, timeout=20)

    def report(self, key: str, events: Any, content_type: str = "application/json") -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type, "Accept-Language": "en"}
        import json as encoder

        return requests.post(f"{self.server.url}/v1/usage", data=encoder.dumps(events), headers=headers, timeout=20)

    def post_raw(self, path: str, body: bytes, key: str, content_type: str = "application/json") -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type, "Accept-Language": "en"}
        return requests.post(self.server.url + path, data=body, headers=headers, timeout=20)

    def refusals(self, seconds: float = 3) -> list[str]:
        """Reasons on record, once the journal has been written."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = list(Refusal.objects.order_by("id").values_list("reason", flat=True))
            if found:
                return found
            time.sleep(0.05)
        return []


@pytest.fixture(scope="session")
def shared_server(django_db_setup, django_db_blocker) -> Iterator[Server]:
    """One server for all tests that do nothing to it; keys and releases are new in each test, so its caches do not mislead."""
    with django_db_blocker.unblock():
        server = start_server()
    yield server
    server.stop()


@pytest.fixture
def client(shared_server, stall) -> Client:
    return Client(shared_server, stall)
