"""What a usage event says and its digest, written a second time: JSON with sorted keys, no spaces, UTF-8; see docs/gateway.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
NAMES = (
    "id",
    "event_time",
    "entitlement",
    "product",
    "release",
    "purpose",
    "units",
    "is_free",
    "source",
    "event_id",
    "request_digest",
    "corrects",
    "consent_digest",
)


def digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of the content of a row with the columns of NAMES; ids and units may be text."""
    time: datetime = row["event_time"]
    units = row["units"]
    content = {
        "id": str(row["id"]),
        "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "entitlement": row["entitlement"],
        "product": row["product"],
        "release": row["release"],
        "purpose": row["purpose"],
        "units": json.loads(units) if isinstance(units, str) else units,
        "free": row["is_free"],
        "source": row["source"],
        "event_id": row["event_id"],
        "request_digest": bytes(row["request_digest"]).hex(),
        "corrects": str(row["corrects"]) if row["corrects"] else None,
        "consent_digest": bytes(row["consent_digest"]).hex() if row["consent_digest"] else None,
    }
    return hashlib.sha256(_encode(content).encode()).digest()
