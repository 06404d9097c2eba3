"""What goes into the recorder and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One use to be metered. ``units`` maps component codes to decimal strings.

    ``source`` and ``event_id`` name it for ever where ``has_identity``; without, the recorder gives it its own id as event id.
    ``entitlement``, ``product`` and ``release_version`` are the codes that people see of what the ids name: they go into the
    event's digest. ``request_digest`` (32 bytes) tells a repeat from a conflict. ``has_quota=False`` promises that the
    entitlement has no quota, which spares a look; ``is_prepaid`` says that deposits must cover it. ``answer`` is kept beside the
    identity for 24 hours (already encrypted).
    """

    entitlement_id: int
    entitlement: str
    product_id: int
    product: str
    purpose: str
    units: Mapping[str, str]
    event_time: datetime
    request_digest: bytes
    source: str = "/gateway"
    event_id: str = ""
    is_free: bool = False
    release_id: int | None = None
    release_version: int | None = None
    key_id: int | None = None
    id: UUID | None = None
    corrects: UUID | None = None
    has_quota: bool = True
    is_prepaid: bool = False
    answer: bytes | None = None
    consent_digest: bytes | None = None

    @property
    def has_identity(self) -> bool:
        return self.event_id != ""

    @property
    def is_limited(self) -> bool:
        """Whether a hard limit is to be looked at inside the commit (``limits``)."""
        return self.has_quota or self.is_prepaid


class Status(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # recorded before with the same content; usage_id is the first one's
    CONFLICT = "conflict"  # recorded before with other content
    OVER_QUOTA = "over_quota"
    OVER_BALANCE = "over_balance"  # prepaid, and the deposits do not cover it
    NOT_CORRECTABLE = "not_correctable"  # what it names cannot be corrected so; ``reason`` says why


class Outcome(msgspec.Struct, frozen=True):
    """What became of one event. ``usage_id`` is None where nothing was written; ``book_month`` is known for ACCEPTED only."""

    status: Status
    usage_id: UUID | None = None
    book_month: date | None = None
    reason: str = ""
