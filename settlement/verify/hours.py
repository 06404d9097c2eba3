"""Metered = summed: each event still says what was recorded, and usage by the hour is the sum of the events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from settlement.verify.content import NAMES, digest
from settlement.verify.mismatch import Mismatch, rows

EVENTS = """
SELECT u.id, u.event_time, e.code, p.code, r.version, u.purpose, u.units, u.is_free, u.source, u.event_id, u.request_digest,
    u.corrects, u.consent_digest, u.digest
FROM settlement_usageevent u
LEFT JOIN settlement_entitlement e ON e.id = u.entitlement_id
LEFT JOIN products_dataproduct p ON p.id = u.product_id
LEFT JOIN products_release r ON r.id = u.release_id
ORDER BY u.event_month, u.id
"""
MONTHS = """
SELECT event_month FROM settlement_usageevent UNION SELECT event_month FROM settlement_usagehour
EXCEPT SELECT event_month FROM settlement_archivedmonth ORDER BY 1
"""
# In the order of their codes' bytes, as the recorder counts an event at the first of its components.
METERED = """
SELECT u.entitlement_id, u.book_month, date_trunc('hour', u.event_time) AS hour, u.purpose, x.key AS component,
    sum(x.value::numeric) AS units,
    count(*) FILTER (WHERE x.key = (SELECT min(k COLLATE "C") FROM jsonb_object_keys(u.units) k)) AS events
FROM settlement_usageevent u, jsonb_each_text(u.units) x
WHERE u.event_month = %(month)s GROUP BY 1, 2, 3, 4, 5
"""
SUMMED = """
SELECT entitlement_id, book_month, hour, purpose, component, sum(units) AS units, sum(events)::bigint AS events
FROM settlement_usagehour WHERE event_month = %(month)s GROUP BY 1, 2, 3, 4, 5
"""
DIFFERENT = f"""
SELECT entitlement_id, book_month, hour, purpose, component, k.units, k.events, m.units, m.events
FROM ({METERED}) AS m FULL JOIN ({SUMMED}) AS k USING (entitlement_id, book_month, hour, purpose, component)
WHERE (m.units, m.events) IS DISTINCT FROM (k.units, k.events) ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 - put together from the two above
CHUNK = 5_000


def recorded() -> Iterator[Mismatch]:
    """Each event in the database, streamed."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(EVENTS)
        while some := cursor.fetchmany(CHUNK):
            for *said, kept in some:
                wrong = what_is_wrong(dict(zip(NAMES, said, strict=True)), kept)
                if wrong:
                    yield Mismatch("settlement_usageevent", str(said[0]), wrong)


def what_is_wrong(row: dict, kept: bytes | None) -> str:
    """Nothing where the row's digest is the one that it was recorded with."""
    if kept is None:
        return "has no digest"
    return "" if digest(row) == bytes(kept) else "does not say what was recorded (its digest differs)"


def summed() -> Iterator[Mismatch]:
    """Months that are in the database, by plain SQL; ``archived`` sees to the others."""
    for (month,) in rows(MONTHS):
        for *key, units, events, metered, counted in rows(DIFFERENT, {"month": month}):
            yield different(month, tuple(key), (units, events), (metered, counted))


def different(month: date, key: tuple[Any, ...], said: tuple[Any, Any], found: tuple[Any, Any]) -> Mismatch:
    """The hour at fault: ``key`` as METERED has it; units and events, as the hour says and as its events do (None: not there)."""
    entitlement, book, hour, purpose, component = key
    row = f"{entitlement} {month:%Y-%m} {book:%Y-%m} {hour:%Y-%m-%dT%H:%MZ} {purpose} {component}"
    return Mismatch("settlement_usagehour", row, f"says {number(said)}; its events say {number(found)}")


def number(sums: tuple[Decimal | None, int | None]) -> str:
    units, events = sums
    return f"{(units or Decimal(0)).normalize():f} in {events or 0} events"
