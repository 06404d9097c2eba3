"""The little of HTTP that the gateway needs over ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from market.gateway.problems import CONTENT_TYPE, Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 256 * 1024  # of a call
encode = msgspec.json.Encoder().encode


class ClientGone(Exception):
    """The caller went away before its body was here."""


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        headers = [
            (b"content-type", self.content_type.encode("ascii")),
            (b"content-length", str(len(self.body)).encode("ascii")),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        headers += [(name.encode("ascii"), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def problem_response(problem: Problem) -> Response:
    return Response(problem.status, encode(problem.document()), CONTENT_TYPE, problem.headers)


class Request:
    """A request with its headers by lower-case name."""

    __slots__ = ("_receive", "headers", "method", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.scope = scope
        self._receive = receive

    def header(self, name: bytes) -> str:
        """The header's value, empty where there is none."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    @property
    def language(self) -> str:
        """Chinese unless the caller asks for English first."""
        return "en" if self.headers.get(b"accept-language", b"").lower().startswith(b"en") else "zh-hans"

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises ``Problem`` (413) where it is larger than ``limit`` bytes, ``ClientGone``."""
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            raise Problem("body-too-large", limit=limit)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise Problem("body-too-large", limit=limit)
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def json(self, limit: int, types: tuple[bytes, ...] = (b"application/json",)) -> tuple[Any, bytes]:
        """The body as JSON, and its bytes. Raises ``Problem``: 415 for another type, 413, 422 where it is not JSON."""
        content_type = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if content_type not in types:
            raise Problem("not-json")
        raw = await self.body(limit)
        try:
            return msgspec.json.decode(raw), raw
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Problem("input-refused", errors=[{"pointer": "", "message": message}]) from None
