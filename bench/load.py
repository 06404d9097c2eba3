"""A small load generator: HTTP/1.1 over kept connections, one call after the other on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Connection:
    """One kept connection. ``post`` raises ``ConnectionError`` where the server goes away."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        return await self.send(head.encode("latin-1") + body)

    async def send(self, raw: bytes) -> Answer:
        began = time.perf_counter()
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        try:
            self._writer.write(raw)
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines if line)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, OSError) as error:
            self.close()
            raise ConnectionError(str(error)) from error
        return Answer(int(first.split()[1]), headers, body, time.perf_counter() - began)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def drive(
    ports: Iterable[int],
    *,
    connections: int,
    request: Callable[[int], bytes],
    total: int | None = None,
    seconds: float | None = None,
) -> list[Answer]:
    """Answers of ``total`` requests, or of ``seconds``, over ``connections``; ``request(n)`` gives the n-th request's bytes."""
    ports = list(ports)
    answers: list[Answer] = []
    ends = time.monotonic() + seconds if seconds is not None else float("inf")
    numbers = iter(range(total)) if total is not None else iter(int, 1)

    async def one(index: int) -> None:
        connection = Connection("127.0.0.1", ports[index % len(ports)])
        for number in numbers:
            if time.monotonic() >= ends:
                break
            answers.append(await connection.send(request(number)))
        connection.close()

    await asyncio.gather(*(one(index) for index in range(connections)))
    return answers


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0
