"""The audit trail: one entry a change, written in the change's own transaction, chained by SHA-256.

``record`` belongs at the end of a service: from there to the commit no other transaction can write an entry, which is what
keeps the chain a chain. ``check_chain`` recomputes everything and says which entry was edited, removed or moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from products.organisations.models import Organisation, User
from products.record.models import AuditEntry, AuditHead
from products.record.objects import reference

CHAIN_LOCK = 4_201_001  # the advisory lock of everyone who appends
FIRST = "0" * 64
FIELDS = ("id", "at", "actor_id", "organisation_id", "action", "object_type", "object_id", "reason", "facts", "previous_hash")


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold: what is wrong with which entry."""

    entry_id: int
    kind: str  # edited, removed, moved


def record(
    *,
    action: str,
    obj: Model | tuple[str, str],
    actor: User | None = None,
    organisation: Organisation | None = None,
    at: datetime,
    reason: str = "",
    facts: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append an entry about ``obj``. ``action`` is dotted, ``tariff.filed``; ``actor`` is None for the system itself.

    ``facts`` are kept as JSON: decimals, dates and ids become text. Raises RuntimeError outside a transaction, because an
    entry that commits without its change, or the other way round, is worse than none.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record belongs in the transaction of the change that it records")
    object_type, object_id = reference(obj)
    hold_trail()
    head, _ = AuditHead.objects.get_or_create(pk=1, defaults={"last_id": 0, "last_hash": FIRST})
    entry = AuditEntry(
        id=head.last_id + 1,
        at=at,
        actor=actor,
        organisation=organisation,
        action=action,
        object_type=object_type,
        object_id=object_id,
        reason=reason,
        facts=json.loads(json.dumps(facts or {}, default=str), parse_float=str),
        previous_hash=head.last_hash,
    )
    entry.hash = digest({field: getattr(entry, field) for field in FIELDS})
    entry.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(last_id=entry.id, last_hash=entry.hash)
    return entry


def hold_trail() -> None:
    """Wait until nobody else writes an entry, and keep the place until the commit.

    For what must be counted without gaps (document numbers): a lock of its own, taken by some before and by others after this
    one, would let two transactions wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def digest(row: dict[str, Any]) -> str:
    """SHA-256 over the entry's fields in a fixed order, as JSON with sorted keys; moments in UTC."""
    values = [row[field].astimezone(UTC).isoformat() if field == "at" else row[field] for field in FIELDS]
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_chain() -> list[Break]:
    """Every break of the chain, in order; an empty list says that nothing was touched.

    An edited entry no longer has its hash; a removed one leaves a gap in the numbers (the head knows the last number); a moved
    one is whole in itself but does not follow its neighbour.
    """
    return list(_breaks())


def _breaks() -> Iterator[Break]:
    expected_id, previous = 1, FIRST
    for row in AuditEntry.objects.order_by("id").values(*FIELDS, "hash").iterator(chunk_size=2000):
        for missing in range(expected_id, row["id"]):
            yield Break(missing, "removed")
        follows = row["id"] == expected_id  # after a gap the neighbour is unknown, and the gap is already named
        if digest(row) != row["hash"]:
            yield Break(row["id"], "edited")
        elif follows and row["previous_hash"] != previous:
            yield Break(row["id"], "moved")
        expected_id, previous = row["id"] + 1, row["hash"]
    head = AuditHead.objects.filter(pk=1).first()
    last_id, last_hash = (head.last_id, head.last_hash) if head else (0, FIRST)
    for missing in range(expected_id, last_id + 1):
        yield Break(missing, "removed")
    if expected_id > last_id and last_hash != previous:
        yield Break(expected_id - 1, "edited" if expected_id - 1 == last_id else "moved")
