"""Logs as one JSON object a line: what machines read in production. Never a payload, a key, an address or a person's data.

An exception is told by its kind and the places it passed; not by its message, since a database's message quotes rows.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

FACTS = ("receipt", "product", "status", "reason", "kind", "milliseconds")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def told(error: BaseException) -> list[dict[str, object]]:
    """The error and what it came from, the latest first: kind and places (file, line, function)."""
    found: list[dict[str, object]] = []
    current: BaseException | None = error
    while current is not None and len(found) < 5:
        frames = traceback.extract_tb(current.__traceback__)[-12:]
        kind = f"{type(current).__module__}.{type(current).__qualname__}"
        found.append({"kind": kind, "places": [f"{f.filename}:{f.lineno} {f.name}" for f in frames]})
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return found
