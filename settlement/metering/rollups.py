"""Usage by the hour: deltas that commits wrote are folded into rollups (decision 0051).

A commit adds to ``settlement_usagedelta`` what its events say; ``fold`` moves that into ``settlement_usagerollup`` in one
statement, so a delta is either still there or added, whatever is killed when. Readers use the view of both and never wait.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from psycopg_pool import AsyncConnectionPool

from settlement.sql import query

MOST = 20_000
MOST_WATCHED = 50_000
TURN = 0x67_73_66_6F_6C_64  # "gsfold"


class Lag(NamedTuple):
    """``seconds``: age of the oldest delta that waits, 0 without any; ``waiting``: deltas, counted up to MOST_WATCHED."""

    seconds: float
    waiting: int


def fold(*, limit: int = MOST) -> int:
    """Fold up to ``limit`` deltas; how many were taken: 0 where none waits or another folder is at work."""
    return _row("fold_hours", {"most": limit, "turn": TURN})[0]


def fold_all() -> int:
    """Fold until nothing waits (or another folder is at work); each turn commits by itself outside a transaction."""
    whole = 0
    while taken := fold():
        whole += taken
    return whole


def lag() -> Lag:
    """How far the rollups are behind what was recorded."""
    return Lag(*_row("fold_lag", {"most": MOST_WATCHED}))


async def fold_through(pool: AsyncConnectionPool, *, limit: int = MOST) -> int:
    """As ``fold``, on a connection of a gateway's pool (in autocommit: the statement is its own transaction)."""
    async with pool.connection() as free:
        cursor = await free.execute(query("fold_hours"), {"most": limit, "turn": TURN})
        row = await cursor.fetchone()
        return row[0] if row else 0


def _row(name: str, parameters: dict[str, int]) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(query(name), parameters)
        return cursor.fetchone()
