"""Calls with known ids, repeated over every fault until each has its answer."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from bench.load import Connection
from tests.settlement.stall import Stall

BODY = b'{"ask": "latest"}'
PATIENCE = 0.05
WHEN = datetime.fromisoformat("2026-10-31T12:00:00+08:00")
BATCH = 20


@dataclass
class Told:
    """What callers were told. ``keyed``, ``limited``: receipt by Idempotency-Key (None: refused for good, the quota is used up).

    ``plain``: receipts of calls without a key; ``unsure``: such calls whose answer never came, each of which may have counted.
    ``reported``: receipts by the id of the reported event.
    """

    keyed: dict[str, UUID] = field(default_factory=dict)
    limited: dict[str, UUID | None] = field(default_factory=dict)
    plain: list[UUID] = field(default_factory=list)
    unsure: int = 0
    reported: dict[str, UUID] = field(default_factory=dict)
    answers: int = 0
    refused: int = 0  # answered 503: nothing counted, to be tried again

    @property
    def served(self) -> int:
        return len(self.keyed) + sum(r is not None for r in self.limited.values()) + len(self.plain) + len(self.reported)


@dataclass
class Callers:
    """Callers of four kinds, who go on until they are told to stop and then see their last call through."""

    stall: Stall
    limited_secret: str
    usage_secret: str
    ports: Sequence[int]
    told: Told = field(default_factory=Told)
    stopping: bool = False
    _numbers: itertools.count = field(default_factory=itertools.count)

    async def run(self, each: int = 4) -> None:
        kinds = (self._keyed, self._limited, self._plain)
        await asyncio.gather(*(kind(n) for kind in kinds for n in range(each)), self._reported(0), self._reported(1))

    async def _keyed(self, number: int) -> None:
        link = Links(self.ports, number)
        while not self.stopping:
            name = f"keyed-{next(self._numbers)}"
            status, answer = await self._until_answered(link, self.stall.secret, name)
            if status != 200:
                raise AssertionError(f"{name}: {status} {answer}")
            self.told.keyed[name] = UUID(answer["receipt"]["id"])

    async def _limited(self, number: int) -> None:
        link = Links(self.ports, number + 1)
        while not self.stopping:
            name = f"limited-{next(self._numbers)}"
            status, answer = await self._until_answered(link, self.limited_secret, name)
            if status == 429 and answer["type"] != "/problems/quota-used-up":
                raise AssertionError(f"{name}: {answer}")
            self.told.limited[name] = UUID(answer["receipt"]["id"]) if status == 200 else None
            if status != 200:
                await asyncio.sleep(PATIENCE)

    async def _plain(self, number: int) -> None:
        """Without a key a lost answer stays unknown, and is not asked for again."""
        link = Links(self.ports, number)
        while not self.stopping:
            try:
                status, body = await link.post(self._path, BODY, self._headers(self.stall.secret))
            except OSError:
                self.told.unsure += 1
                await asyncio.sleep(PATIENCE)
                continue
            self.told.answers += 1
            if status == 200:
                self.told.plain.append(UUID(json.loads(body)["receipt"]["id"]))
            elif b"recording-unknown" in body:
                self.told.unsure += 1
            elif status != 503:
                raise AssertionError(f"plain: {status} {body!r}")
            else:
                self.told.refused += 1
                await asyncio.sleep(PATIENCE)

    async def _reported(self, number: int) -> None:
        link = Links(self.ports, number)
        source = f"/operators/{self.stall.operator.slug}/faults"
        while not self.stopping:
            names = [f"reported-{next(self._numbers)}" for _one in range(BATCH)]
            batch = [
                {
                    "specversion": "1.0",
                    "id": name,
                    "source": source,
                    "type": "cn.gongshu.usage.v1",
                    "subject": self.stall.entitlement.code,
                    "time": (WHEN - timedelta(seconds=place)).isoformat(),
                    "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1"}},
                }
                for place, name in enumerate(names)
            ]
            body = json.dumps(batch).encode()
            while True:
                try:
                    status, answer = await link.post("/v1/usage", body, self._headers(self.usage_secret))
                except OSError:
                    await asyncio.sleep(PATIENCE)
                    continue
                self.told.answers += 1
                if status == 200:
                    break
                if status != 503:
                    raise AssertionError(f"reported: {status} {answer!r}")
                self.told.refused += 1
                await asyncio.sleep(PATIENCE)
            for item in json.loads(answer)["items"]:
                if item["status"] not in ("accepted", "duplicate"):
                    raise AssertionError(item)
                self.told.reported[item["id"]] = UUID(item["receipt"])

    async def _until_answered(self, link: Links, secret: str, name: str) -> tuple[int, dict]:
        headers = self._headers(secret) | {"Idempotency-Key": name}
        while True:
            try:
                status, body = await link.post(self._path, BODY, headers)
            except OSError:
                await asyncio.sleep(PATIENCE)
                continue
            self.told.answers += 1
            if status != 503:
                return status, json.loads(body)
            self.told.refused += 1
            await asyncio.sleep(PATIENCE)

    @property
    def _path(self) -> str:
        return f"/v1/products/{self.stall.product.code}"

    @staticmethod
    def _headers(secret: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}


class Links:
    """A connection to one gateway, and to the next one when that goes away."""

    def __init__(self, ports: Sequence[int], number: int) -> None:
        self._ports = itertools.cycle(ports[number % len(ports) :] + ports[: number % len(ports)])
        self._link = Connection("127.0.0.1", next(self._ports))

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(30):
                answer = await self._link.post(path, body, headers)
        except (OSError, TimeoutError):
            self._link.close()
            self._link = Connection("127.0.0.1", next(self._ports))
            raise ConnectionError(path) from None
        return answer.status, answer.body
