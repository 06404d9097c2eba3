"""What is left of a prepaid balance once all that is not billed yet is set against it; for the gateway and for pages."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from psycopg import AsyncConnection

from settlement.metering import prepaid
from settlement.metering.rules import month_of
from settlement.sql import query


def balance_left(*, operator_id: int, organisation_id: int, at: datetime) -> int | None:
    """Fen of the buyer's deposits with the operator that no use speaks for; below 0 where it speaks for more, None where it
    cannot be told.
    """
    steps = prepaid.read([(operator_id, organisation_id)], [month_of(at)])
    try:
        statement = next(steps)
        with connection.cursor() as cursor:
            while True:
                cursor.execute(query(statement.name), statement.parameters)
                statement = steps.send(cursor.fetchall())
    except StopIteration as finished:
        return finished.value[0].left_minor


async def left_of(connection: AsyncConnection, *, operator_id: int, organisation_id: int, at: datetime) -> int | None:
    """The same over a connection of the gateway."""
    steps = prepaid.read([(operator_id, organisation_id)], [month_of(at)])
    try:
        statement = next(steps)
        while True:
            cursor = await connection.execute(query(statement.name), statement.parameters)
            statement = steps.send(await cursor.fetchall())
    except StopIteration as finished:
        return finished.value[0].left_minor
