"""What a gateway process holds: connections, caches, the recorder, the journal, loaded releases. One a process and event loop."""

from __future__ import annotations

import asyncio
import contextlib
import select
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from django.db import connections
from psycopg import AsyncConnection, OperationalError, conninfo
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from market.gateway.calllog import CallLog
from market.gateway.freshness import Fresh, Listener, Tag
from market.gateway.metrics import Metrics
from market.gateway.rates import Rates
from market.gateway.signing import link_key
from market.gateway.terms import Together, tags_of
from products.record.clock import business_date, now
from products.runtimes import host
from products.runtimes.base import Loaded, ReleaseSpec, Secrets
from products.runtimes.egress import egress
from products.runtimes.keys import product_key
from products.runtimes.pool import Pool
from products.runtimes.remote import RemoteRuntime
from settlement.entitlements.access import Access, turns_at
from settlement.metering import leases
from settlement.metering.balances import left_of
from settlement.metering.capacity import Capacity, capacity_of
from settlement.metering.journal import Journal
from settlement.metering.recorder import Recorder
from settlement.metering.terms import Terms
from settlement.sql import query

Fetched = TypeVar("Fetched")
MOST_LOADED = 256
CONNECTIONS = 10
REPORT_WRITERS = 2
STATEMENT_MILLISECONDS = 5_000
HEALTH_SECONDS = 5.0
# A link that swallows what is sent is given up within a dozen seconds (by TCP only; a local socket takes no notice of these).
LINK = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
NOT_LIBPQ = frozenset({"cursor_factory", "context", "prepare_threshold", "row_factory", "autocommit"})  # psycopg's own


class Resources:
    """Everything that calls share. ``await Resources.open()``, then ``close()``, which commits what waits."""

    pool: AsyncConnectionPool
    recorder: Recorder  # of calls
    reports: Recorder  # of reported use, which may wait for a month's close: calls must not
    journal: Journal
    call_log: CallLog | None
    _tidying: asyncio.Future[None]

    def __init__(self, parameters: str) -> None:
        self.metrics = Metrics()
        self.rates = Rates(self._lease, self._forget_rates)
        self.models = Pool()
        self.listener = Listener(parameters)
        self.access: Fresh[Access] = Fresh(self._look_up_key, self.listener, _tags_of_access)
        self.continued: Fresh[Access] = Fresh(self._look_up_continued, self.listener, _tags_of_access)
        self.balances: Fresh[int] = Fresh(self._look_up_balance, self.listener, lambda _left: None)  # each call moves it
        self.capacities: Fresh[Capacity] = Fresh(self._look_up_capacity, self.listener, _tags_of_capacity)
        self.products: Fresh[dict[str, Any]] = Fresh(self._look_up_product, self.listener, _tags_of_product)
        self.hosts: Fresh[int] = Fresh(self._look_up_host, self.listener, lambda found: (("remote_host", found),))
        self.terms: Fresh[Terms] = Fresh(Together(self._asked).look, self.listener, tags_of)
        self._health: tuple[float, dict[str, Any] | None] = (0.0, None)
        self._loaded: dict[int, tuple[Loaded, dict[str, Any]]] = {}
        self._loading: dict[int, asyncio.Task[tuple[Loaded, dict[str, Any]]]] = {}

    @classmethod
    async def open(cls) -> Resources:
        parameters = await asyncio.to_thread(connection_info)
        self = cls(parameters)
        # Autocommit: a batch of plain calls is one statement, its own transaction; others open one.
        options = {"autocommit": True, "prepare_threshold": 2}
        self.pool = AsyncConnectionPool(
            parameters, min_size=2, max_size=CONNECTIONS, kwargs=options, open=False, timeout=5, check=_refuse_if_cut
        )
        await self.pool.open()
        self.recorder = Recorder(self.pool, now=now, committed=self.metrics.committed)
        self.reports = Recorder(self.pool, now=now, committed=self.metrics.committed, writers=REPORT_WRITERS)
        self.journal = Journal(self.pool, now=now)
        self.call_log = CallLog.configured()
        self.listener.start()
        return self

    async def close(self) -> None:
        await self.listener.close()
        await self.reports.close()
        await self.recorder.close()
        await self.journal.close()
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            await leases.give_back(self.pool, list(self.rates.left()))
        await self.models.close()
        for loaded, _row in self._loaded.values():
            await host.close(loaded)
        await self.pool.close()
        if self.call_log is not None:
            await self.call_log.close()

    async def row(self, name: str, **parameters: Any) -> dict[str, Any] | None:
        """The one row of a query by name, or None."""

        async def fetch(connection: AsyncConnection) -> dict[str, Any] | None:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query(name), parameters)
            return await cursor.fetchone()

        return await self._asked(fetch)

    async def _asked(self, fetch: Callable[[AsyncConnection], Awaitable[Fetched]]) -> Fetched:
        """What a read finds. A connection cut while it lay idle costs a second try, not the call."""
        try:
            async with self.pool.connection() as connection:
                return await fetch(connection)
        except PoolTimeout:
            raise
        except OperationalError:
            await self.pool.check()  # where one was cut, the others may be too
            async with self.pool.connection() as connection:
                return await fetch(connection)

    async def health(self) -> dict[str, Any] | None:
        """``market_health``, asked at most every ``HEALTH_SECONDS``; None while the database does not answer."""
        until, row = self._health
        if time.monotonic() >= until:
            try:
                async with asyncio.timeout(2):
                    row = await self.row("market_health", at=now())
            except (OperationalError, PoolTimeout, TimeoutError):
                row = None
            self._health = (time.monotonic() + HEALTH_SECONDS, row)
        return row

    async def loaded(self, release_id: int) -> tuple[Loaded, dict[str, Any]]:
        """The release ready to run and its row; loaded once a process. Raises ``ReleaseRefused``, ``ProductKeyMissing``."""
        ready = self._loaded.get(release_id)
        if ready is not None:
            return ready
        task = self._loading.get(release_id)
        if task is None:
            task = self._loading[release_id] = asyncio.create_task(self._load(release_id))
            task.add_done_callback(lambda _: self._loading.pop(release_id, None))
        return await asyncio.shield(task)

    def remotes(self) -> list[RemoteRuntime]:
        """The loaded releases that operators' services answer."""
        return [loaded for loaded, _row in self._loaded.values() if isinstance(loaded, RemoteRuntime)]

    async def _load(self, release_id: int) -> tuple[Loaded, dict[str, Any]]:
        row = await self.row("release_content", release=release_id)
        assert row is not None
        spec = spec_of(row)
        secrets = Secrets(product_key=product_key, link_key=link_key(), egress=egress(allows=self._may_call))
        loaded = await asyncio.to_thread(host.load, spec, secrets=secrets, pool=self.models)
        if len(self._loaded) >= MOST_LOADED:
            dropped, _row = self._loaded.pop(next(iter(self._loaded)))
            await host.close(dropped)
        row.pop("artifact")
        self._loaded[release_id] = (loaded, row)
        return self._loaded[release_id]

    async def _look_up_key(self, digest: bytes) -> Access | None:
        at: datetime = now()
        row = await self.row("key_access", digest=digest, at=at, day=business_date(at), instead=None)
        return None if row is None else Access(**row, turns_at=turns_at(row, at))

    async def _look_up_continued(self, asked: tuple[bytes, int]) -> Access | None:
        at: datetime = now()
        row = await self.row("key_access", digest=asked[0], at=at, day=business_date(at), instead=asked[1])
        return None if row is None else Access(**row, turns_at=turns_at(row, at))

    async def _look_up_balance(self, wallet: tuple[int, int]) -> int | None:
        async with self.pool.connection() as connection:
            return await left_of(connection, operator_id=wallet[0], organisation_id=wallet[1], at=now())

    async def _may_call(self, code: str, host: str, port: int) -> bool:
        return await self.hosts.get((code, host, port)) is not None

    async def _look_up_host(self, asked: tuple[str, str, int]) -> int | None:
        """The row that allows it: its withdrawal is told, so it acts at once."""
        code, host, port = asked
        row = await self.row("remote_host_allowed", code=code, host=host, port=port)
        return None if row is None else row["remote_host_id"]

    async def _look_up_capacity(self, product_id: int) -> Capacity | None:
        row = await self.row("capacity_rules", product=product_id, day=business_date(now()))
        return None if row is None else capacity_of(**row)

    async def _lease(self, **wanted: Any) -> leases.Lease:
        try:
            return await leases.lease(self.pool, **wanted)
        except PoolTimeout:
            raise
        except OperationalError:
            await self.pool.check()
            return await leases.lease(self.pool, **wanted)

    def _forget_rates(self, began: int) -> None:
        self._tidying = asyncio.ensure_future(leases.forget(self.pool, began=began))
        self._tidying.add_done_callback(lambda done: done.cancelled() or done.exception())  # another minute, another try

    async def _look_up_product(self, code: str) -> dict[str, Any] | None:
        return await self.row("product_on_offer", code=code)


async def _refuse_if_cut(connection: AsyncConnection[Any]) -> None:
    """A connection that was cut while it lay idle has the server's farewell to read: another is taken. Costs no round trip."""
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN)
    if look.poll(0):
        await connection.close()  # else the pool keeps it
        raise OperationalError("cut while idle")


def _tags_of_access(access: Access) -> tuple[Tag, ...] | None:
    if access.has_quota:
        return None  # what is left moves with every call, and nobody is told of that
    named = (
        ("key", access.key_id),
        ("organisation", access.organisation_id),
        ("organisation", access.operator_id),
        ("entitlement", access.entitlement_id),
        ("product", access.product_id),
    )
    return tuple((kind, id_) for kind, id_ in named if id_ is not None)


def _tags_of_capacity(_capacity: Capacity) -> tuple[Tag, ...] | None:
    return None  # rule sets are not told of, and they change at midnight: looked up each second


def _tags_of_product(row: dict[str, Any]) -> tuple[Tag, ...]:
    return (("product", row["product_id"]), ("organisation", row["operator_id"]))


def spec_of(row: dict[str, Any]) -> ReleaseSpec:
    """A row of ``release_content`` as the runtimes see it."""
    return ReleaseSpec(
        product_code=row["code"],
        version=row["version"],
        type=row["type"],
        config=row["config"],
        artifact=bytes(row["artifact"]),
        input_schema=row["input_schema"],
        output_schema=row["output_schema"],
    )


def connection_info() -> str:
    """Where Django's database is, for a pool of our own; joins the embedded server where that is the one."""
    given = connections["default"].get_connection_params()
    known = {name: value for name, value in given.items() if name not in NOT_LIBPQ and value not in (None, "")}
    limits = f"-c statement_timeout={STATEMENT_MILLISECONDS} -c timezone=UTC"
    options = f"{known.pop('options', '')} {limits}".strip()
    return conninfo.make_conninfo(**LINK | known | {"options": options, "application_name": "gongshu-gateway"})
