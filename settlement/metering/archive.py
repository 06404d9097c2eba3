"""Files of archived months: Parquet, one a month, that say all of each event and can be read without this software.

Ids of rows stand beside the codes that people see, so that an event's digest can be recomputed from the file alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused
from settlement.metering.rules import content_digest, content_of

BATCH = 20_000
ROWS_IN_GROUP = 100_000
# Columns of the file in their order; those of the table keep their names. Types are Arrow's.
COLUMNS = (
    ("id", "uuid"),
    ("book_month", "date"),
    ("entitlement_id", "int64"),
    ("entitlement", "text"),
    ("product_id", "int64"),
    ("product", "text"),
    ("release_id", "int64"),
    ("release", "int64"),
    ("key_id", "int64"),
    ("source", "text"),
    ("event_id", "text"),
    ("purpose", "text"),
    ("units", "text"),  # JSON
    ("event_time", "moment"),
    ("received_at", "moment"),
    ("is_free", "bool"),
    ("request_digest", "bytes"),
    ("corrects", "uuid"),
    ("digest", "bytes"),
    ("consent_digest", "bytes"),
)
NAMES = tuple(name for name, _kind in COLUMNS)
UUIDS = tuple(place for place, (_name, kind) in enumerate(COLUMNS) if kind == "uuid")
Row = tuple[Any, ...]


class ArchiveNotReadable(Refused):
    """The file of an archived month is not there, or is not the one that was archived."""

    code = "archive-not-readable"


class EventDamaged(Refused):
    """An event does not say what was recorded: a damaged month is never archived, nor restored."""

    code = "event-damaged"


class Written(NamedTuple):
    events: int
    size: int
    sha256: str
    content: str  # SHA-256 over all rows, to compare what was written with what is read back


def folder() -> Path:
    return Path(settings.USAGE_ARCHIVE)


def file_name(month: date) -> str:
    return f"usage-{month:%Y-%m}.parquet"


def write(path: Path, rows: Iterable[Row], month: date) -> Written:
    """Write rows (in the order of NAMES) and make them durable. Raises EventDamaged."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema(month)
    seen, events = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows, ROWS_IN_GROUP):
            for row in batch:
                _prove(row)
                seen.update(_line(row))
            events += len(batch)
            columns = [_stored(values, place) for place, values in enumerate(zip(*batch, strict=True))]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return Written(events, path.stat().st_size, sha256_of(path), seen.hexdigest())


def read(path: Path, columns: list[str] | None = None) -> Iterator[list[Row]]:
    """Rows of a file in batches, in the order of NAMES (or of ``columns``). Raises ArchiveNotReadable."""
    from pyarrow import parquet

    names = columns or list(NAMES)
    places = [place for place, name in enumerate(names) if NAMES.index(name) in UUIDS]
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH, columns=names):
                found = [batch.column(name).to_pylist() for name in names]
                for place in places:
                    found[place] = [UUID(bytes=value) if value else None for value in found[place]]
                yield list(zip(*found, strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise _not_readable(path.name) from error


def read_back(path: Path) -> Written:
    """What a file holds, each event proven by its digest. Raises EventDamaged, ArchiveNotReadable."""
    seen, events = hashlib.sha256(), 0
    for batch in read(path):
        events += len(batch)
        for row in batch:
            _prove(row)
            seen.update(_line(row))
    return Written(events, path.stat().st_size, sha256_of(path), seen.hexdigest())


def find(path: Path, usage_id: UUID) -> dict[str, Any] | None:
    """One event of a file by its id; reads the ids, and then the one group of rows."""
    from pyarrow import compute, parquet

    try:
        with parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["id"]).column("id")
                place = compute.index(ids, usage_id.bytes).as_py()
                if place >= 0:
                    row = file.read_row_group(group, columns=list(NAMES)).slice(place, 1).to_pylist()[0]
                    return row | {"id": usage_id, "corrects": UUID(bytes=row["corrects"]) if row["corrects"] else None}
    except (OSError, ValueError, KeyError) as error:
        raise _not_readable(path.name) from error
    return None


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_readable(name: str) -> ArchiveNotReadable:
    return ArchiveNotReadable(
        _("The archive file %(name)s is not here or cannot be read; bring it back to the archive's folder.") % {"name": name}
    )


def _schema(month: date) -> Any:
    import pyarrow as pa

    kinds = {
        "uuid": pa.binary(16),
        "date": pa.date32(),
        "int64": pa.int64(),
        "text": pa.string(),
        "moment": pa.timestamp("us", tz="UTC"),
        "bool": pa.bool_(),
        "bytes": pa.binary(),
    }
    notes = {"format": "cn.gongshu.usage-month.v1", "event_month": month.isoformat()}
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS], metadata=notes)


def _stored(values: tuple[Any, ...], place: int) -> Any:
    import pyarrow as pa

    if place in UUIDS:
        return pa.array([value.bytes if value else None for value in values], pa.binary(16))
    return pa.array(values, _schema(date.min).field(place).type)


def _prove(row: Row) -> None:
    facts = dict(zip(NAMES, row, strict=True))
    said = content_of(
        id=facts["id"],
        time=facts["event_time"],
        entitlement=facts["entitlement"],
        product=facts["product"],
        release=facts["release"],
        purpose=facts["purpose"],
        units=msgspec.json.decode(facts["units"]),
        free=facts["is_free"],
        source=facts["source"],
        event_id=facts["event_id"],
        request_digest=facts["request_digest"],
        corrects=facts["corrects"],
        consent_digest=facts["consent_digest"],
    )
    if facts["digest"] is None or content_digest(said) != facts["digest"]:
        text = _("Event %(id)s does not say what was recorded; run verify, and archive nothing before it is understood.")
        raise EventDamaged(text % {"id": facts["id"]}, event=str(facts["id"]))


def _line(row: Row) -> bytes:
    """A row as bytes that are the same before and after the file."""
    return repr([value.timestamp() if hasattr(value, "timestamp") else value for value in row]).encode() + b"\n"


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
