"""Limits that stop a caller from listing a protected table: asks about one subject a day, and different subjects a day.

The counters are rows of ``SubjectWindow`` and the decision is one SQL call, so it holds for every gateway process at once.
``ADMIT_SQL`` and ``parameters`` serve a gateway with a connection of its own; both ways run the same statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import SubjectWindow
from products.record.clock import business_date, day_start
from products.record.refusals import Refused

ADMIT_SQL = (Path(__file__).parents[1] / "sql" / "subject_admit.sql").read_text(encoding="utf-8")


class SubjectLimitReached(Refused):
    """``facts``: ``limit`` (``attempts`` | ``subjects``), ``allowed``, ``retry_after`` (seconds to the next business day)."""

    code = "subject_limit_reached"


def parameters(*, release_id: int, caller: str, limits: Mapping[str, Any], digest: bytes, at: datetime) -> tuple[Any, ...]:
    """Parameters of ``ADMIT_SQL``. ``caller`` is the entitlement's code; ``limits`` is the release's ``config["limits"]``."""
    attempts, subjects = limits["attempts_per_subject_per_day"], limits["subjects_per_day"]
    return (release_id, caller, business_date(at), digest, attempts, subjects)


def raise_unless_admitted(answer: str, *, limits: Mapping[str, Any], at: datetime) -> None:
    """Turn the statement's answer into ``SubjectLimitReached``."""
    if answer == "admitted":
        return
    tomorrow = day_start(business_date(at) + timedelta(days=1))
    wait = max(1, int((tomorrow - at).total_seconds()))
    if answer == "attempts":
        allowed = limits["attempts_per_subject_per_day"]
        message = _("This subject may be asked about %(allowed)s times a day.") % {"allowed": allowed}
    else:
        allowed = limits["subjects_per_day"]
        message = _("At most %(allowed)s different subjects may be asked about in a day.") % {"allowed": allowed}
    raise SubjectLimitReached(message, limit=answer, allowed=allowed, retry_after=wait)


def subject_admit(*, release_id: int, caller: str, limits: Mapping[str, Any], digest: bytes, at: datetime) -> None:
    """Count one ask, or raise ``SubjectLimitReached`` and count nothing. Call before the run, in a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute(ADMIT_SQL, parameters(release_id=release_id, caller=caller, limits=limits, digest=digest, at=at))
        (answer,) = cursor.fetchone()
    raise_unless_admitted(answer, limits=limits, at=at)


def subject_windows_forget(*, before: date) -> int:
    """Delete the counters of days before ``before``; returns how many. They only serve the day they are of."""
    return SubjectWindow.objects.filter(day__lt=before).delete()[0]
