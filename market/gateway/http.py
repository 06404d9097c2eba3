"""The little of HTTP that the gateway needs over ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings
from django.utils import translation

from market.gateway.problems import CONTENT_TYPE, Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 256 * 1024  # of a call
JSON = "application/json"
JSON_TYPE = (b"content-type", JSON.encode())
FIXED_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
LANGUAGE = settings.LANGUAGE_CODE
_MARKETS_OWN = nullcontext()


def speaking(language: str) -> AbstractContextManager[None]:
    """Where sentences may be made: the language active. Free where it is the market's own, which is active anyhow."""
    return _MARKETS_OWN if language == LANGUAGE else translation.override(language)


class ClientGone(Exception):
    """The caller went away before its body was here."""


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        kind = JSON_TYPE if self.content_type is JSON else (b"content-type", self.content_type.encode("ascii"))
        fixed = FIXED_HEADERS if "cache-control" not in self.headers else FIXED_HEADERS[1:]
        headers = [kind, (b"content-length", b"%d" % len(self.body)), *fixed]
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
        value = self.headers.get(name)
        return value.decode("latin-1").strip() if value else ""

    @property
    def language(self) -> str:
        """Chinese unless the caller asks for English first."""
        asked = self.headers.get(b"accept-language")
        return "en" if asked and asked[:2].lower() == b"en" else LANGUAGE

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises ``Problem`` (413) where it is larger than ``limit`` bytes, ``ClientGone``."""
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            raise Problem("body-too-large", limit=limit)
        message = await self._receive()
        whole: bytes = message.get("body", b"")
        parts = [whole]  # nearly always the only one
        size = len(whole)
        while message["type"] != "http.disconnect" and message.get("more_body", False) and size <= limit:
            message = await self._receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        if message["type"] == "http.disconnect":
            raise ClientGone
        if size > limit:
            raise Problem("body-too-large", limit=limit)
        return whole if len(parts) == 1 else b"".join(parts)

    async def json(self, limit: int, types: tuple[bytes, ...] = (b"application/json",)) -> tuple[Any, bytes]:
        """The body as JSON, and its bytes. Raises ``Problem``: 415 for another type, 413, 422 where it is not JSON."""
        raw = await self.raw(limit, types)
        try:
            return decode(raw), raw
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Problem("input-refused", errors=[{"pointer": "", "message": message}]) from None

    async def raw(self, limit: int, types: tuple[bytes, ...]) -> bytes:
        """The body of one of these types as it was sent. Raises ``Problem``: 415, 413."""
        given = self.headers.get(b"content-type", b"")
        if given not in types and given.partition(b";")[0].strip().lower() not in types:
            raise Problem("not-json")
        return await self.body(limit)
