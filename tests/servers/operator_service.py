"""An operator's HTTPS service that behaves, and misbehaves in every way: the path says how.

A real server on a real socket with real TLS, in threads of this process; what it was sent is kept in ``requests``.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GOOD = {"found": True, "grade": "A"}


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Service:
    """``url(path)``; ``behaviours`` maps a path to what is done with the connection after a request was read."""

    context: ssl.SSLContext
    behaviours: dict[str, Callable[[Service, ssl.SSLSocket, Received], bool]] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.behaviours = BEHAVIOURS | self.behaviours
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str = "/good", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    def stop(self) -> None:
        self.stopping.set()
        # A thread in accept() is woken by shutdown, not by close.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError), self.context.wrap_socket(plain, server_side=True) as connection:
            while (received := _read(connection)) is not None:
                self.requests.append(received)
                if not self.behaviours[received.path.partition("?")[0]](self, connection, received):
                    return


def _read(connection: ssl.SSLSocket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _blank, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Received(first.split(" ")[1], headers, body)


def reply(
    body: Any = None, *, status: str = "200 OK", content_type: str = "application/json", raw: bytes | None = None, **headers: str
):
    """A behaviour: this answer at once, the connection stays open."""

    def behave(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
        content = json.dumps(GOOD if body is None else body).encode() if raw is None else raw
        lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        return True

    return behave


def _drip(service: Service, connection: ssl.SSLSocket, data: bytes) -> bool:
    """A byte every tenth of a second: no read ever takes long, the whole never ends."""
    for byte in data:
        if service.stopping.wait(0.1):
            break
        connection.sendall(bytes([byte]))
    return False


def slow_headers(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    return _drip(service, connection, b"HTTP/1.1 200 OK\r\nx-padding: " + b"x" * 500)


def slow_body(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n")
    return _drip(service, connection, b" " * 500)


def silent(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    service.stopping.wait(30)
    return False


def endless_body(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    while not service.stopping.is_set():
        connection.sendall(chunk)
    return False


def endless_headers(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not service.stopping.is_set():
        connection.sendall(b"x-more: " + b"x" * 8000 + b"\r\n")
    return False


def closes_early(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"found": ')
    return False


def closes_at_once(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    return False


def not_http(service: Service, connection: ssl.SSLSocket, received: Received) -> bool:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    return False


BEHAVIOURS: dict[str, Callable[[Service, ssl.SSLSocket, Received], bool]] = {
    "/good": reply(),
    "/nothing": reply({"found": False, "grade": None}),
    "/slow-headers": slow_headers,
    "/slow-body": slow_body,
    "/silent": silent,
    "/endless-body": endless_body,
    "/endless-headers": endless_headers,
    "/declares-much": reply(raw=b"{}" + b" " * 200_000),
    "/redirect": reply({}, status="302 Found", location="http://169.254.169.254/latest/meta-data/"),
    "/wrong-json": reply(raw=b'{"found": tru'),
    "/deep-json": reply(raw=b'{"found": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
    "/wrong-schema": reply({"found": True, "grade": "A", "identity_number": "330203199001011234"}),
    "/not-an-object": reply([GOOD]),
    "/html": reply(raw=b"<html>", content_type="text/html"),
    "/packed": reply(raw=b"\x1f\x8b\x08", content_encoding="gzip"),
    "/error": reply({"trace": "psycopg.OperationalError: …"}, status="500 Internal Server Error"),
    "/not-there": reply({}, status="404 Not Found"),
    "/busy": reply({}, status="503 Service Unavailable", retry_after="7"),
    "/refuses": reply(
        {"errors": [{"pointer": "/uscc", "message": "李四, 330203199001011234"}, {"pointer": "x"}]}, status="422 Unprocessable"
    ),
    "/closes-early": closes_early,
    "/closes-at-once": closes_at_once,
    "/not-http": not_http,
}
