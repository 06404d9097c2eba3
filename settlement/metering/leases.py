"""Calls a minute, counted for all gateways together in a table that is not logged (migration ``rates_are_leased``).

A window is a minute of the clock. Who needs calls leases a block of them in one short transaction; a crash of a gateway loses at
most its blocks until the window ends, a crash of PostgreSQL empties the table and windows begin again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from psycopg_pool import AsyncConnectionPool

from settlement.sql import query

WINDOW_SECONDS = 60
BLOCKS = 20  # a lease is a twentieth of the limit; a limit of up to 20 is leased call by call
KEPT_WINDOWS = 60  # by the clock of the gateway that tidies up: one that is minutes ahead must not delete another's minute


class Lease(NamedTuple):
    """Calls granted to the one who asked, and calls that all gateways have taken in the window."""

    granted: int
    taken: int


def block_of(limit: int) -> int:
    return max(1, math.ceil(limit / BLOCKS))


async def lease(pool: AsyncConnectionPool, *, bucket: str, began: int, limit: int, waiting: int) -> Lease:
    """Calls of the window that began at that second (Unix time); ``waiting`` callers are served before any block is kept."""
    parameters = {"bucket": bucket, "began": began, "limit": limit, "block": block_of(limit), "waiting": waiting}
    async with pool.connection() as connection:
        row = await (await connection.execute(query("lease_rate"), parameters)).fetchone()
    assert row is not None
    return Lease(*row)


async def give_back(pool: AsyncConnectionPool, left: Iterable[tuple[str, int, int]]) -> None:
    """What is left of leases: (bucket, beginning of the window, calls)."""
    rows = [row for row in left if row[2] > 0]
    if rows:
        buckets, began, units = zip(*rows, strict=True)
        async with pool.connection() as connection:
            parameters = {"buckets": list(buckets), "began": list(began), "units": list(units)}
            await connection.execute(query("return_rates"), parameters)


async def forget(pool: AsyncConnectionPool, *, began: int) -> None:
    """Windows that are over."""
    async with pool.connection() as connection:
        await connection.execute(query("forget_rates"), {"before": began - KEPT_WINDOWS * WINDOW_SECONDS})
