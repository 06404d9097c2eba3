"""The server as a thing to start and stop: its store, its till, its postman, its socket."""

import contextlib
import socket
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.servers.stripe.handler import Handler
from tests.servers.stripe.store import Store
from tests.servers.stripe.till import Till
from tests.servers.stripe.webhooks import Postman

RETRY_DELAYS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0)


class StripeServer:
    """A running payment server. `with StripeServer(webhook_url=…) as server: server.url`; or `start()` and `stop()`.

    `secret_key` None takes any `sk_test_…`; `settle_seconds` None leaves asynchronous payments to `/_control/settle`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_demo",
        secret_key: str | None = None,
        state: Path | None = None,
        public_url: str | None = None,
        settle_seconds: float | None = None,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
    ) -> None:
        self.secret_key, self.settle_seconds = secret_key, settle_seconds
        self.store = Store(state)
        self.postman = Postman(self.store, webhook_url, webhook_secret, retry_delays)
        self.till = Till(self.store, self.postman.send)
        self.faults: list[dict[str, Any]] = []
        self.connections: set[socket.socket] = set()
        handler = type("Bound", (Handler,), {"stripe": self})
        self._http = ThreadingHTTPServer((host, port), handler)
        self._http.daemon_threads = True
        self.url = f"http://{host}:{self._http.server_address[1]}"
        self.public_url = (public_url or self.url).rstrip("/")
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="stripe", daemon=True)

    def start(self) -> "StripeServer":
        self.postman.start()
        for session in self.store.all("checkout.session"):
            if session["status"] == "complete" and session["payment_status"] == "unpaid":
                self.settle_later(session["id"])
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering, kept connections included, and wait for the threads."""
        self._http.shutdown()
        self._http.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.postman.stop()
        self._thread.join(5)

    def __enter__(self) -> "StripeServer":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def settle_later(self, ref: str) -> None:
        if self.settle_seconds is not None:
            timer = threading.Timer(self.settle_seconds, self._settle, [ref])
            timer.daemon = True
            timer.start()

    def _settle(self, ref: str) -> None:
        with self.store.lock:
            self.till.session_settle(self.store.get("checkout.session", ref), paid=True)
            self.store.save()
