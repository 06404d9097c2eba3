"""Archived months, proven from their files: the file is the one that was archived, its events say what was recorded, their sums
are the month's hours, their identities are kept, and their quotas add up."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from settlement.verify.content import NAMES
from settlement.verify.hours import METERED, SUMMED, different, what_is_wrong
from settlement.verify.mismatch import Mismatch, as_json, rows

MONTHS = "SELECT event_month, file_name, sha256, size, events FROM settlement_archivedmonth ORDER BY event_month"
AUDITED = """
SELECT DISTINCT ON (object_id) object_id, facts ->> 'sha256' FROM products_auditentry
WHERE object_type = 'usage' AND action IN ('usage.archived', 'usage.restored') ORDER BY object_id, id DESC
"""
IDENTITIES = """
SELECT source, event_id, usage_id, digest FROM settlement_usageidentity
WHERE (source, event_id) IN (SELECT * FROM unnest(%(sources)s::text[], %(ids)s::text[]))
"""
LOST = """
SELECT count(*) FROM settlement_usageidentity i WHERE i.event_month = %(month)s
AND NOT EXISTS (SELECT 1 FROM settlement_usageevent u WHERE u.event_month = i.event_month AND u.id = i.usage_id)
"""
QUOTAS = "SELECT entitlement_id, id, span_start FROM settlement_quota ORDER BY entitlement_id, span_start, id"
BASES = ("calls", "products", "records", "periods")
SHANGHAI_SECONDS = 8 * 3600
CHUNK = 20_000
Row = dict[str, Any]


def files() -> Iterator[Mismatch]:
    audited = dict(rows(AUDITED))
    for month, name, sha256, size, events in rows(MONTHS):
        path = Path(settings.USAGE_ARCHIVE) / name
        label = f"{month:%Y-%m}"
        if audited.get(label) != sha256:
            yield _file(month, "is not what the audit trail says was archived")
        if not path.is_file():
            yield _file(month, f"its file {name} is not there")
            continue
        with path.open("rb") as file:
            if path.stat().st_size != size or hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                yield _file(month, f"its file {name} is not the one that was archived (its SHA-256 differs)")
        try:
            yield from _Month(month, path, events).mismatches()
        except (OSError, ValueError, KeyError) as error:  # Arrow's own errors are of these kinds
            yield _file(month, f"its file {name} cannot be read: {type(error).__name__}")


def _file(month: date, text: str) -> Mismatch:
    return Mismatch("settlement_archivedmonth", f"{month:%Y-%m}", text)


class _Month:
    """One archived month, read once, in batches."""

    def __init__(self, month: date, path: Path, events: int) -> None:
        self.month, self.path, self.events = month, path, events
        self.sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [Decimal(0), 0])
        self.named = 0

    def mismatches(self) -> Iterator[Mismatch]:
        count = 0
        for batch in read(self.path):
            count += len(batch)
            for row in batch:
                wrong = what_is_wrong({name: row[name] for name in NAMES}, row["digest"])
                if wrong:
                    yield Mismatch("settlement_usageevent", f"{row['id']} (archived)", wrong)
                self.add(row)
            yield from self.identities(batch)
        if count != self.events:
            yield _file(self.month, f"its file holds {count} events, {self.events} were archived")
        yield from self.hours()
        ((lost,),) = rows(LOST, {"month": self.month})
        if lost != self.named:
            yield _file(self.month, f"{lost} identities belong to its file, which holds {self.named} of their events")

    def add(self, row: Row) -> None:
        units = as_json(row["units"])
        hour = row["event_time"].replace(minute=0, second=0, microsecond=0)
        for place, component in enumerate(sorted(units)):
            sums = self.sums[row["entitlement_id"], row["book_month"], hour, row["purpose"], component]
            sums[0] += Decimal(units[component])
            sums[1] += place == 0

    def identities(self, batch: list[Row]) -> Iterator[Mismatch]:
        named = {(r["source"], r["event_id"]): r for r in batch if r["event_id"] != str(r["id"])}
        if not named:
            return
        found = rows(IDENTITIES, {"sources": [s for s, _ in named], "ids": [i for _, i in named]})
        known = {(source, event_id): (usage_id, bytes(digest)) for source, event_id, usage_id, digest in found}
        for key, row in named.items():
            if known.get(key) == (row["id"], row["request_digest"]):
                self.named += 1
            else:
                yield Mismatch("settlement_usageevent", f"{row['id']} (archived)", f"its identity {' '.join(key)} is not there")

    def hours(self) -> Iterator[Mismatch]:
        """The file's events and those that came after it was written make the month's hours."""
        for *key, units, events in rows(METERED, {"month": self.month}):
            sums = self.sums[tuple(key)]
            sums[0] += units
            sums[1] += events
        for *key, units, events in rows(SUMMED, {"month": self.month}):
            metered = tuple(self.sums.pop(tuple(key), (None, None)))
            if metered != (units, events):
                yield different(self.month, tuple(key), (units, events), (metered[0], metered[1]))
        for left, (units, events) in self.sums.items():
            yield different(self.month, left, (None, None), (units, events))


def quota_units() -> dict[int, int]:
    """What archived events took from each quota (id), as verify of the others counts it: each with all that corrects it."""
    spans: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for entitlement, quota, start in rows(QUOTAS):
        spans[entitlement].append((quota, start))
    used: dict[int, int] = defaultdict(int)
    for _month, name, _sha256, _size, _events in rows(MONTHS) if spans else ():
        with contextlib.suppress(OSError, ValueError, KeyError):  # ``files`` says that the file is not readable
            for (quota, _first), units in _as_corrected(Path(settings.USAGE_ARCHIVE) / name, spans).items():
                whole = next((units[basis] for basis in BASES if basis in units), None)
                used[quota] += int(any(units.values())) if whole is None else math.ceil(whole)
    return dict(used)


def _as_corrected(path: Path, spans: dict[int, list[tuple[int, date]]]) -> dict[tuple[int, UUID], dict[str, Decimal]]:
    """Units of each event under a quota with all that corrects it (which is in the same file), by quota and its id."""
    stood: dict[tuple[int, UUID], dict[str, Decimal]] = defaultdict(dict)
    for batch in read(path):
        for row in batch:
            if row["entitlement_id"] in spans:
                units = stood[_quota(spans[row["entitlement_id"]], row["event_time"]), row["corrects"] or row["id"]]
                for component, quantity in as_json(row["units"]).items():
                    units[component] = units.get(component, Decimal(0)) + Decimal(quantity)
    return stood


def _quota(spans: list[tuple[int, date]], time: datetime) -> int:
    day = datetime.fromtimestamp(time.timestamp() + SHANGHAI_SECONDS, tz=UTC).date()
    begun = [quota for quota, start in spans if start <= day]
    return begun[-1] if begun else spans[0][0]


def read(path: Path) -> Iterator[list[Row]]:
    """The events of a file; ids are UUIDs."""
    from pyarrow import parquet  # heavy, and needed only where something is archived

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=CHUNK):
            names = batch.schema.names
            columns = [batch.column(name).to_pylist() for name in names]
            found = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
            for row in found:
                row["id"] = UUID(bytes=row["id"])
                row["corrects"] = UUID(bytes=row["corrects"]) if row["corrects"] else None
            yield found
