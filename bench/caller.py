"""One caller process: keeps connections busy with one request, prints what came back as JSON.

`python -m bench.caller PORT CONNECTIONS WARM SECONDS < request`; WARM seconds do not count. A process of its own, so that its
work is not counted as the server's, and as little work as it can be: the same bytes again and again, an answer read only
as far as its status and its length.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from collections import Counter

END_OF_HEAD, LENGTH = b"\r\n\r\n", b"content-length: "


class Callers:
    """What all connections share: the request, and what came back."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.seconds = array("d")
        self.wrong: Counter[str] = Counter()
        self.served = self.lost = 0
        self.is_over = False


class Caller(asyncio.Protocol):
    """One connection: the next request goes out when the last answer is whole."""

    def __init__(self, shared: Callers) -> None:
        self._shared = shared
        self._kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._shared.request)

    def data_received(self, data: bytes) -> None:
        if self._kept:
            data = self._kept + data
        head = data.find(END_OF_HEAD)
        if head < 0 or len(data) < head + 4 + _length(data, head):
            self._kept = data
            return
        self._kept = b""
        shared = self._shared
        shared.seconds.append(time.perf_counter() - self._began)
        if data[9:12] == b"200":
            shared.served += 1
        else:
            shared.wrong[data[9:12].decode()] += 1
        if shared.is_over:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._shared.is_over:
            self._shared.lost += 1


def _length(data: bytes, head: int) -> int:
    """Of the body; an answer that does not say it raises ``ValueError``, which loses the connection."""
    at = data.index(LENGTH, 0, head)
    return int(data[at + len(LENGTH) : data.index(b"\r", at)])


async def call(port: int, connections: int, warm: float, seconds: float, request: bytes) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    shared = Callers(request)
    links = [await loop.create_connection(lambda: Caller(shared), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.sleep(warm)
    shared.seconds = array("d")  # what came before does not count
    print("warm", file=sys.stderr, flush=True)
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    found, shared.is_over = sorted(shared.seconds), True
    print("over", file=sys.stderr, flush=True)
    await asyncio.wait_for(_closed(links), 20)  # what is on its way is served and metered too
    return {
        "answers": len(found),
        "seconds": took,
        "p50": found[len(found) // 2] if found else 0.0,
        "p99": found[int(len(found) * 0.99)] if found else 0.0,
        "cpu": cpu,
        "served": shared.served,
        "wrong": dict(shared.wrong),
        "lost": shared.lost,
    }


async def _closed(links: list[tuple[asyncio.Transport, Caller]]) -> None:
    while not all(transport.is_closing() for transport, _caller in links):
        await asyncio.sleep(0.01)


def main() -> None:
    port, connections, warm, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    print(json.dumps(run(call(port, connections, warm, seconds, sys.stdin.buffer.read()))))


if __name__ == "__main__":
    main()
