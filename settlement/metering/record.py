"""The door through which usage is recorded. Everything that meters calls this, or the gateway's ``recorder`` beside it.

Behind it stands one PostgreSQL today; design.md section 10 says what may stand there one day. Callers know ``NewEvent``,
``Outcome`` and nothing of tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection, transaction

from products.catalogue.models import Release
from settlement.entitlements.models import Entitlement
from settlement.metering import core, rows
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.sql import query

__all__ = ["NewEvent", "Outcome", "Status", "event_of", "record_events"]

CHUNK = 5_000
_known_types: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()


def event_of(
    entitlement: Entitlement, *, units: Mapping[str, str], time: datetime, release: Release | None = None, **more: Any
) -> NewEvent:
    """A use of an entitlement, for its first purpose where none is named; ``more`` are fields of ``NewEvent``."""
    facts: dict[str, Any] = {
        "entitlement_id": entitlement.pk,
        "entitlement": entitlement.code,
        "product_id": entitlement.product_id,
        "product": entitlement.product.code,
        "release_id": release.pk if release else None,
        "release_version": release.version if release else None,
        "purpose": entitlement.purposes[0],
        "units": units,
        "event_time": time,
        "is_free": entitlement.is_free,
        "is_prepaid": entitlement.is_prepaid,
    }
    return NewEvent(**facts | more)


def record_events(events: Sequence[NewEvent], *, at: datetime) -> list[Outcome]:
    """Record usage in one transaction and say what became of each event, in the order given.

    ACCEPTED: written, booked into ``book_month``. DUPLICATE: known by (source, event id) with the same digest, nothing written.
    CONFLICT: known with another digest, nothing written. OVER_QUOTA, OVER_BALANCE: a hard limit would be overspent,
    nothing written. Durable when the caller's outermost transaction commits. ``at`` becomes ``received_at``.
    """
    outcomes: dict[int, Outcome] = {}
    items = core.items_of(events)
    with transaction.atomic():
        for start in range(0, len(items), CHUNK):
            outcomes.update(_record_chunk(items[start : start + CHUNK], at))
    return [outcomes[place] for place in range(len(items))]


def _record_chunk(items: list[core.Item], at: datetime) -> dict[int, Outcome]:
    quick = core.plain_statement(items, at)
    if quick is not None and _run(quick) == len(items):
        return core.quick_outcomes(items)
    steps = core.steps(items, at)
    try:
        statement = next(steps)
        while True:
            statement = steps.send(_run(statement))
    except StopIteration as finished:
        return finished.value


def _run(statement: core.Statement) -> Any:
    """On Django's connection and in its transaction, yet with parameters bound by the server: batches travel in binary."""
    connection.ensure_connection()
    parameters = rows.bound(statement.parameters, _row_types())
    with psycopg.Cursor(connection.connection) as bare:
        rows.register(bare.adapters)
        cursor = connection.make_debug_cursor(bare) if connection.queries_logged else connection.make_cursor(bare)
        cursor.execute(query(statement.name), parameters)
        return cursor.fetchall() if statement.wants == "rows" else cursor.rowcount


def _row_types() -> dict[str, int]:
    """The numbers of the row types, asked for once a connection."""
    held = connection.connection
    if held not in _known_types:
        with psycopg.Cursor(held) as cursor:
            _known_types[held] = dict(cursor.execute(query("row_types")).fetchall())
    return _known_types[held]
