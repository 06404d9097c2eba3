"""The log against the gateway, in the same process: the whole ASGI application, one request after the other, at the log's time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from market.gateway.app import Gateway
from tests.real.market import Market
from tests.real.web_log import Visit


@dataclass(frozen=True, slots=True)
class Answer:
    visit: Visit
    status: int
    document: dict[str, Any]


def replay(market: Market, visits: Sequence[Visit]) -> list[Answer]:
    """Every visit's answer, in order. The clock stands at the visit's time while it is served."""
    return asyncio.run(_replay(market, visits))


async def _replay(market: Market, visits: Sequence[Visit]) -> list[Answer]:
    gateway = Gateway()
    answers = []
    try:
        for visit in visits:
            market.clock.move_to(visit.at)
            file = market.files[visit.product]
            body = file.body(visit.number) if visit.is_good else file.bad[visit.number % len(file.bad)]
            secret = market.keys[visit.organisation, visit.product].secret
            answers.append(Answer(visit, *await post(gateway, f"/v1/products/{visit.product}", secret, body)))
    finally:
        await gateway.close()
    return answers


async def post(gateway: Gateway, path: str, secret: str, body: Any) -> tuple[int, dict[str, Any]]:
    """Status and document of one POST."""
    content = msgspec.json.encode(body)
    headers = [
        (b"authorization", f"Bearer {secret}".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    await gateway(scope, receive, send)
    return sent[0]["status"], msgspec.json.decode(b"".join(message.get("body", b"") for message in sent[1:]))
