"""How a tariff version is written: its number, its digest, its dates. Only the services of this package use it."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max

from pricing.tariffs.models import Plan, Tariff
from pricing.tariffs.selectors import tariffs_from
from products.organisations.models import User
from products.record.clock import business_date


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of the document in canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write(
    *,
    plan: Plan,
    document: dict[str, Any],
    from_date: date,
    to_date: date | None,
    state: str,
    user: User,
    reason: str,
    at: datetime,
    clamped_from: Tariff | None = None,
    continues: Tariff | None = None,
    may_fall: bool = False,
) -> Tariff:
    """The plan's next version, in force on [from_date, to_date)."""
    last = Tariff.objects.filter(plan=plan).aggregate(Max("version"))["version__max"] or 0
    return Tariff.objects.create(
        plan=plan,
        version=last + 1,
        document=document,
        digest=digest(document),
        period=DateRange(from_date, to_date),
        state=state,
        filed_by=user,
        filed_at=at,
        reason=reason,
        clamped_from=clamped_from,
        continues=continues,
        may_fall=may_fall,
    )


def end(tariff: Tariff, day: date, at: datetime) -> None:
    """Let a version end before ``day`` (exclusive end)."""
    tariff.period, tariff.end_set_at = DateRange(tariff.period.lower, day), at
    tariff.save(update_fields=["period", "end_set_at"])


def go_on(taken_back: Tariff, *, user: User, at: datetime) -> Tariff | None:
    """Where a version is taken back, let the one that it would have followed go on in its place, so that no gap opens.

    It goes on from the day the taken-back one would have begun (or from tomorrow, where it had begun already).
    """
    start = max(taken_back.period.lower, business_date(at) + timedelta(days=1))
    before = (
        Tariff.objects.filter(plan=taken_back.plan, state__in=("filed", "accepted"), period__endswith=taken_back.period.lower)
        .order_by("-version")
        .first()
    )
    if before is None:
        return None
    later = [tariff for tariff in tariffs_from(plan=taken_back.plan, from_date=start) if tariff.pk != taken_back.pk]
    until = later[0].period.lower if later else None
    return write(
        plan=taken_back.plan,
        document=before.document,
        from_date=start,
        to_date=until,
        state="accepted",
        user=before.filed_by,
        reason=before.reason,
        at=at,
        continues=before,
        may_fall=before.may_fall,
    )
