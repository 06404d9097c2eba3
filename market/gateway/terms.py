"""Terms of entitlements for reported usage, looked up together: the codes asked for at one moment are one query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from psycopg import AsyncConnection

from market.gateway.freshness import Tag
from settlement.metering.terms import Terms, terms_of
from settlement.sql import query

Fetch = Callable[[AsyncConnection], Awaitable[dict[str, Terms]]]


class Together:
    """``await together.look(code)``; ``run`` gives a connection to a function of it, as ``Resources._asked`` does."""

    def __init__(self, run: Callable[[Fetch], Awaitable[dict[str, Terms]]]) -> None:
        self._run = run
        self._codes: list[str] = []
        self._asking: asyncio.Task[dict[str, Terms]] | None = None

    async def look(self, code: str) -> Terms | None:
        self._codes.append(code)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return (await asyncio.shield(self._asking)).get(code)

    async def _ask(self) -> dict[str, Terms]:
        await asyncio.sleep(0)  # whoever asks in this turn of the loop is in
        codes, self._codes, self._asking = self._codes, [], None

        async def fetch(connection: AsyncConnection) -> dict[str, Terms]:
            cursor = await connection.execute(query("report_terms"), {"codes": codes})
            return terms_of(await cursor.fetchall())

        return await self._run(fetch)


def tags_of(terms: Terms) -> tuple[Tag, ...]:
    """What terms hang on, so that a notice of its change forgets them (``freshness``)."""
    return (
        ("entitlement", terms.entitlement_id),
        ("product", terms.product_id),
        ("organisation", terms.operator_id),
        ("organisation", terms.organisation_id),
    )
