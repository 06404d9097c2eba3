"""What `make demo` runs: the payment server of the demo, and the site with its gateway; one Ctrl-C stops all."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

READY_SECONDS = 60
STOP_SECONDS = 15


class DemoFailed(RuntimeError):
    """A process of the demo did not start; the text says which and where its log is."""


def payment_environment(*, port: int, data: Path) -> dict[str, str]:
    """The payment settings of the demo: Stripe's own where STRIPE_SECRET_KEY is set, else our server on the port."""
    if os.environ.get("STRIPE_SECRET_KEY"):
        return {}
    kept = data / "payment_secrets"
    if not kept.exists():
        kept.write_text(f"sk_test_{secrets.token_hex(16)} whsec_{secrets.token_hex(16)}", encoding="ascii")
        kept.chmod(0o600)
    key, webhook = kept.read_text(encoding="ascii").split()
    return {
        "STRIPE_SECRET_KEY": key,
        "STRIPE_WEBHOOK_SECRET": webhook,
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
    }


@dataclass
class Processes:
    """The children of the demo; when one dies or a signal comes, all are stopped."""

    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: bool = False

    def start(self, name: str, *arguments: str, ready_url: str = "") -> None:
        """Start a child, its output in .data/NAME.log, and wait until the URL answers, where it has one."""
        log = settings.DATA_DIR / f"{name}.log"
        with log.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[name] = child
        ends = time.monotonic() + READY_SECONDS
        while ready_url and not answers(ready_url):
            if child.poll() is not None or time.monotonic() > ends:
                self.stop()
                raise DemoFailed(f"{name} did not start; see {log}")
            time.sleep(0.1)

    def wait(self) -> str | None:
        """Until a signal comes (None) or a child dies (its name)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked_to_stop)
        while not self.stopping:
            for name, child in self.running.items():
                if child.poll() is not None:
                    return name
            time.sleep(0.2)
        return None

    def _asked_to_stop(self, *_: object) -> None:
        self.stopping = True

    def stop(self) -> None:
        for child in self.running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        ends = time.monotonic() + STOP_SECONDS
        for child in self.running.values():
            try:
                child.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own loopback address
            return answer.status == 200
    except OSError:
        return False
