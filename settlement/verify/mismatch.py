"""A difference between what is written and what follows from the rest, and how checks ask the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where (table and row, ids as text) and what is wrong."""

    table: str
    row: str
    text: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.text}"


def rows(sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def as_json(value: Any) -> Any:
    """A JSON column of a plain query, which Django leaves as text."""
    return json.loads(value) if isinstance(value, str) else value


def found(table: str, sql: str) -> Iterator[Mismatch]:
    """A mismatch for each row of a query whose first column is the row at fault and whose second says what is wrong."""
    for row, text in rows(sql):
        yield Mismatch(table, str(row), text)
