"""The door through which usage is recorded. Everything that meters calls this, or the gateway's ``recorder`` beside it.

Behind it stands one PostgreSQL today; design.md section 10 says what may stand there one day. Callers know ``NewEvent``,
``Outcome`` and nothing of tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from products.catalogue.models import Release
from settlement.entitlements.models import Entitlement
from settlement.metering import core
from settlement.metering.events import NewEvent, Outcome, Status
from settlement.sql import query

__all__ = ["NewEvent", "Outcome", "Status", "event_of", "record_events"]

CHUNK = 5_000


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
    plain = [item for item in items if core.is_plain(item)]
    if len(plain) == len(items) and _run(core.plain_statement(items, at)) == len(items):
        return core.plain_outcomes(items)
    steps = core.steps(items, at)
    try:
        statement = next(steps)
        while True:
            statement = steps.send(_run(statement))
    except StopIteration as finished:
        return finished.value


def _run(statement: core.Statement) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query(statement.name), statement.parameters)
        return cursor.fetchall() if statement.wants == "rows" else cursor.rowcount
