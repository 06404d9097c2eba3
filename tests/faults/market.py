"""The processes under fault: two gateways and a worker over one PostgreSQL; whatever dies is started again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.postgres import Postgres
from tests.market.gateway.conftest import ROOT, free_port

CLOCK = "2026-10-31T23:{minute:02}:{second:02}+08:00"  # the last minutes of a month, so that clocks fall on both sides of it
GATEWAYS = 2


@dataclass
class Market:
    """``kill`` and ``start`` by name: "gateway-0", "gateway-1", "worker". Each start sets that process's clock anew, skewed."""

    postgres: Postgres
    rng: random.Random
    application: str = "market.asgi:application"
    ports: list[int] = field(default_factory=lambda: [free_port() for _gateway in range(GATEWAYS)])
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [*(f"gateway-{number}" for number in range(GATEWAYS)), "worker"]

    def start(self, name: str) -> None:
        found = self._running.get(name)
        if found is not None and found.poll() is None:
            return
        clock = CLOCK.format(minute=self.rng.randint(56, 59), second=self.rng.randint(0, 59))
        environment = os.environ | {
            "DATABASE_URL": self.postgres.url,
            "DJANGO_SETTINGS_MODULE": "market.settings",
            "GONGSHU_CLOCK": clock,
            "GONGSHU_SERVER": "1",
            "SECRET_KEY": "a key of the fault harness, the same for every process of it",
            "GONGSHU_DATA": str(self._folder),
        }
        self._running[name] = subprocess.Popen(
            self._command(name),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=(self._folder / f"{name}.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """``kill -9`` of the process and of everything it started."""
        found = self._running.pop(name, None)
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(found.pid, signal.SIGKILL)
            found.wait(10)

    def renew(self, name: str) -> None:
        """Ask one to stop, wait until it has, and start it again: a deployment's step."""
        process = self._running[name]
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        self.start(name)

    def stop(self) -> None:
        """Ask all of them to stop, as a deployment does; who does not is killed."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        ends = time.monotonic() + 20
        for name, process in list(self._running.items()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, ends - time.monotonic()))
            self.kill(name)

    def logs(self) -> str:
        """The last words of each process."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in sorted(self._folder.glob("*.log"))
        )

    @property
    def _folder(self) -> Path:
        folder = self.postgres.folder.with_name(self.postgres.folder.name + "-processes")
        folder.mkdir(exist_ok=True)
        return folder

    def _command(self, name: str) -> list[str]:
        if name == "worker":
            return [sys.executable, "manage.py", "worker"]
        port = str(self.ports[int(name.rpartition("-")[2])])
        if self.application == "market.asgi:application":
            return [sys.executable, "manage.py", "gateway", "--port", port]
        granian = str(Path(sys.executable).with_name("granian"))
        return [granian, "--interface", "asgi", "--host", "127.0.0.1", "--port", port, "--no-ws", self.application]


def can_mount() -> bool:
    """Whether this machine lets us have a small file system of our own."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "gongshu-try", folder], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0
