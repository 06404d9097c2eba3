"""Webhooks: signed as Stripe signs, sent from one background thread, repeated a bounded number of times.

For tests they can be held back, sent twice, late, or in reverse order.
"""

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.servers.stripe.store import Store, Thing

TIMEOUT_SECONDS = 10


@dataclass
class Delivery:
    """One attempt, for the log that tests and the demo's operator read. `status` 0: nobody answered."""

    event_id: str
    event_type: str
    attempt: int
    status: int


class Postman:
    """`send` an event; `wait_idle` until all are delivered or given up."""

    def __init__(self, store: Store, url: str | None, secret: str, retry_delays: tuple[float, ...]) -> None:
        self.url, self.secret = url, secret
        self.copies, self.delay, self.held = 1, 0.0, False
        self.log: deque[Delivery] = deque(maxlen=1000)
        self._store, self._retry_delays = store, retry_delays
        self._wake = threading.Condition()
        self._queue: list[tuple[float, int, str, int]] = []
        self._waiting: list[str] = []
        self._numbers = itertools.count()
        self._busy = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin; what an earlier run left undelivered is sent again."""
        for event in reversed(self._store.all("event")):
            if event["pending_webhooks"]:
                self._push(event["id"], 0, 0.0)
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        self._thread.join(TIMEOUT_SECONDS + 1)

    def send(self, event: Thing) -> None:
        if self.url is None:
            event["pending_webhooks"] = 0
        elif self.held:
            self._waiting.append(event["id"])
        else:
            for _copy in range(self.copies):
                self._push(event["id"], 0, self.delay)

    def resend(self, event_id: str) -> None:
        """Send an event again, as the provider's dashboard can."""
        self._push(self._store.get("event", event_id)["id"], 0, 0.0)

    def release(self, *, is_reversed: bool = False) -> None:
        """Stop holding back, and send what waited, in the given order."""
        self.held = False
        waiting, self._waiting = self._waiting, []
        for event_id in reversed(waiting) if is_reversed else waiting:
            for _copy in range(self.copies):
                self._push(event_id, 0, self.delay)

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """True once nothing is queued or under way; held events do not count."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._queue and not self._busy, timeout)

    def _push(self, event_id: str, attempt: int, delay: float) -> None:
        with self._wake:
            heapq.heappush(self._queue, (time.monotonic() + delay, next(self._numbers), event_id, attempt))
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._wake.notify_all()
                while not self._stopped and (not self._queue or self._queue[0][0] > time.monotonic()):
                    self._wake.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                if self._stopped:
                    return
                _due, _number, event_id, attempt = heapq.heappop(self._queue)
                self._busy = True
            self._deliver(event_id, attempt)

    def _deliver(self, event_id: str, attempt: int) -> None:
        with self._store.lock:
            event = self._store.get("event", event_id)
            body = json.dumps(event, ensure_ascii=False, indent=2).encode()
        status = self._post(body)
        self.log.append(Delivery(event_id, event["type"], attempt + 1, status))
        if 200 <= status < 300 or attempt >= len(self._retry_delays):
            with self._store.lock:
                event["pending_webhooks"] = 0
                self._store.save()
        else:
            self._push(event_id, attempt + 1, self._retry_delays[attempt])

    def _post(self, body: bytes) -> int:
        address = urlsplit(self.url or "")
        maker = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = maker(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self.secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (Gongshu demo payment server)",
        }
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def report(self) -> dict[str, Any]:
        return {"held": len(self._waiting), "queued": len(self._queue), "log": [vars(entry) for entry in self.log]}


def signature(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `{t}.{body}`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
