"""Sealed hours: each tree's size and root are those of the events received in it, and each is chained to the one before.

RFC 6962 written a second time, after its definition. Events are read once, in the order of hours and ids; those of archived
months from their files.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from settlement.verify.mismatch import Mismatch, rows

TABLE = "settlement_receipttree"
EVENTS = """
SELECT date_trunc('hour', received_at), id, digest FROM settlement_usageevent
WHERE digest IS NOT NULL AND received_at < %(until)s ORDER BY 1, 2
"""
HOURS = "SELECT hour, size, root, chain, sealed_at FROM settlement_receipttree ORDER BY hour"
TREE = "SELECT chunks, first_ids, last_id FROM settlement_receipttree WHERE hour = %(hour)s"
ARCHIVED = "SELECT event_month, file_name FROM settlement_archivedmonth ORDER BY event_month"
CHUNK = 1_024
BATCH = 20_000
WAIT = timedelta(hours=1, seconds=60)
Leaf = tuple[UUID, bytes]


def trees() -> Iterator[Mismatch]:
    kept = {row[0].astimezone(UTC): row[1:] for row in rows(HOURS)}
    if not kept:
        return
    yield from _chain(kept)
    archived, unreadable = _archived()
    yield from unreadable
    seen = set()
    for hour, found in groupby(_events(max(kept) + timedelta(hours=1)), key=lambda row: row[0]):
        seen.add(hour)
        leaves = [(identifier, bytes(digest)) for _hour, identifier, digest in found]
        yield from _hour(hour, sorted(leaves + archived.pop(hour, [])), kept.get(hour))
    for hour, leaves in sorted(archived.items()):
        seen.add(hour)
        if hour <= max(kept):
            yield from _hour(hour, sorted(leaves), kept.get(hour))
    if not unreadable:
        for hour in sorted(kept.keys() - seen):
            yield Mismatch(TABLE, _name(hour), f"holds {kept[hour][0]} events, and none was received in that hour")


def _chain(kept: dict[datetime, tuple[Any, ...]]) -> Iterator[Mismatch]:
    before = bytes(32)
    for hour, (size, root, chain, sealed_at) in kept.items():
        said = before + int(hour.timestamp()).to_bytes(8, "big") + size.to_bytes(8, "big") + bytes(root)
        if hashlib.sha256(said).digest() != bytes(chain):
            yield Mismatch(TABLE, _name(hour), "is not chained to the hour before it")
        if sealed_at < hour + WAIT:
            yield Mismatch(TABLE, _name(hour), "was sealed before it was over for a minute")
        before = bytes(chain)


def _hour(hour: datetime, leaves: list[Leaf], kept: tuple[Any, ...] | None) -> Iterator[Mismatch]:
    if kept is None:
        for identifier, _digest in leaves:
            yield _outside(identifier, hour)
        return
    size, root = kept[0], bytes(kept[1])
    if len(leaves) == size and _root([_leaf(digest) for _id, digest in leaves]) == root:
        return
    yield Mismatch(
        TABLE, _name(hour), f"holds {size} events under {root.hex()[:16]}…; {len(leaves)} events of now give another root"
    )
    yield from _places(hour, leaves, size)


def _places(hour: datetime, leaves: list[Leaf], size: int) -> Iterator[Mismatch]:
    """Which events: chunk by chunk, since each keeps its node and its first id."""
    ((chunks, first_ids, last_id),) = rows(TREE, {"hour": hour})
    nodes = [bytes(chunks)[place : place + 32] for place in range(0, len(chunks), 32)]
    parts: list[list[Leaf]] = [[] for _ in nodes]
    for identifier, digest in leaves:
        chunk = bisect_right(first_ids, identifier) - 1
        if chunk < 0 or identifier > last_id:
            yield _outside(identifier, hour)
        else:
            parts[chunk].append((identifier, digest))
    for place, (node, part) in enumerate(zip(nodes, parts, strict=True)):
        if _root([_leaf(digest) for _id, digest in part]) == node:
            continue
        due = CHUNK if place < len(nodes) - 1 else size - CHUNK * place
        extra = _extra(part, node) if len(part) == due + 1 else None
        if extra is not None:
            yield _outside(extra, hour)
        else:
            text = f"events {first_ids[place]} and after are not those that were sealed: {due} then, {len(part)} now"
            yield Mismatch(TABLE, f"{_name(hour)} chunk {place}", text)


def _extra(part: list[Leaf], node: bytes) -> UUID | None:
    """The one event without which the chunk is what was sealed."""
    hashed = [_leaf(digest) for _id, digest in part]
    for place, (identifier, _digest) in enumerate(part):
        if _root(hashed[:place] + hashed[place + 1 :]) == node:
            return identifier
    return None


def _outside(identifier: UUID, hour: datetime) -> Mismatch:
    return Mismatch(
        "settlement_usageevent", str(identifier), f"was received in the sealed hour {_name(hour)} and is not in its tree"
    )


def _events(until: datetime) -> Iterator[tuple[datetime, UUID, bytes]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(EVENTS, {"until": until})
        while batch := cursor.fetchmany(BATCH):
            for hour, identifier, digest in batch:
                yield hour.astimezone(UTC), identifier, digest


def _archived() -> tuple[dict[datetime, list[Leaf]], list[Mismatch]]:
    """Leaves of archived months by hour; a file that cannot be read is said so."""
    found: dict[datetime, list[Leaf]] = {}
    unreadable = []
    for month, name in rows(ARCHIVED):
        try:
            for received, identifier, digest in _file(Path(settings.USAGE_ARCHIVE) / name):
                if digest is not None:
                    hour = received.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
                    found.setdefault(hour, []).append((UUID(bytes=identifier), digest))
        except (OSError, ValueError, KeyError):
            text = f"its file {name} cannot be read, so the trees of its hours cannot be proven"
            unreadable.append(Mismatch("settlement_archivedmonth", f"{month:%Y-%m}", text))
    return found, unreadable


def _file(path: Path) -> Iterator[tuple[datetime, bytes, bytes | None]]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH, columns=["received_at", "id", "digest"]):
            yield from zip(*(batch.column(name).to_pylist() for name in ("received_at", "id", "digest")), strict=True)


def _leaf(digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + digest).digest()


def _root(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1, from the leaves' hashes."""
    count = len(leaves)
    if count == 0:
        return hashlib.sha256(b"").digest()
    if count == 1:
        return leaves[0]
    left = 1 << ((count - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:left]) + _root(leaves[left:])).digest()


def _name(hour: datetime) -> str:
    return hour.strftime("%Y-%m-%dT%H:%MZ")
