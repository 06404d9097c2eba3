"""An answer that does not fit its release's output schema is never sent: a broken release must not tell what it may not tell."""

from __future__ import annotations

from typing import Any

from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.runtimes.schemas import Schema

MOST_KEPT = 256
_schemas: dict[int, Schema] = {}


def check(held: Resources, release_id: int, release: dict[str, Any], output: Any) -> None:
    """Raises ``Problem`` (503 ``runtime-failed``, so it is not charged); the operator is told once an hour, not per call."""
    schema = _schemas.get(release_id)
    if schema is None:
        if len(_schemas) >= MOST_KEPT:
            _schemas.pop(next(iter(_schemas)))
        schema = _schemas[release_id] = Schema(release["output_schema"], where="/output_schema")
    if schema.fits(output):
        return
    held.journal.misfit(release_id, [error["pointer"] for error in schema.errors(output)])
    raise Problem("runtime-failed")
