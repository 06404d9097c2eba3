"""One call on its way: what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from market.gateway.http import Request
from settlement.entitlements.access import Access


@dataclass(slots=True)
class Call:
    """What is known of a call so far; a refusal is kept with it."""

    request: Request
    code: str
    at: datetime
    kind: str = "call"
    access: Access | None = None
    product_id: int | None = None
    purpose: str = ""
    headers: dict[str, str] | None = None
    consent: bytes | None = None
    receipt: str = ""
    identifier: UUID | None = None  # of the event and its receipt, where it had to be known before the run
