"""What a caller hears while an emergency stop holds."""

from __future__ import annotations

from datetime import datetime

from market.gateway.problems import Problem
from products.record.clock import BUSINESS_ZONE

RETRY_SECONDS = "600"  # a stop lasts hours: clients come back, and do not hammer


def refuse_if_stopped(kind: str | None, since: datetime | None, reason: str | None) -> None:
    """Raises ``Problem`` (503 ``emergency-stop``) with the public part of the reason, what is stopped, and since when.

    503 and not 403: nothing is wrong with the key or the request, and the same call will be right again once the stop is lifted.
    """
    if kind is not None and since is not None:
        moment = since.astimezone(BUSINESS_ZONE).isoformat(timespec="seconds")
        raise Problem("emergency-stop", reason or "", headers={"retry-after": RETRY_SECONDS}, stopped=kind, since=moment)
