"""The one clock. Logic receives ``at``; only the edges (views, gateway, commands, jobs) ask ``now()``.

GONGSHU_CLOCK starts the clock of a demo at a given moment; the offset is kept in the data folder so that every process of
the demo, and the next start of it, agree. Tests set the clock with ``set_to`` or ``frozen_at``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)

_offset: timedelta | None = None
_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in business time."""
    if _frozen is not None:
        return _frozen
    return (datetime.now(UTC) + _current_offset()).astimezone(BUSINESS_ZONE)


def today() -> date:
    """The present business date (Asia/Shanghai)."""
    return now().date()


def business_date(moment: datetime) -> date:
    """The date in Asia/Shanghai on which an aware moment falls."""
    return moment.astimezone(BUSINESS_ZONE).date()


def day_start(day: date) -> datetime:
    """The moment a business day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=BUSINESS_ZONE)


def set_to(moment: datetime | None) -> None:
    """Let the clock of this process run on from the moment; None returns to the real time."""
    global _offset
    _offset = timedelta(0) if moment is None else moment - datetime.now(UTC)


@contextlib.contextmanager
def frozen_at(moment: datetime) -> Iterator[None]:
    """Stop the clock of this process at the moment."""
    global _frozen
    before, _frozen = _frozen, moment.astimezone(BUSINESS_ZONE)
    try:
        yield
    finally:
        _frozen = before


def _current_offset() -> timedelta:
    global _offset
    if _offset is None:
        _offset = _configured_offset()
    return _offset


def _configured_offset() -> timedelta:
    kept = settings.DATA_DIR / "clock"
    if settings.IS_PRODUCTION:
        return timedelta(0)
    if settings.GONGSHU_CLOCK:
        return datetime.fromisoformat(settings.GONGSHU_CLOCK) - datetime.now(UTC)
    if kept.exists():
        return timedelta(seconds=int(kept.read_text(encoding="ascii")))
    return timedelta(0)


def keep_offset(start: datetime) -> None:
    """Let every process on this data folder run on a clock that began at ``start`` when this was called (the demo's)."""
    seconds = int((start - datetime.now(UTC)).total_seconds())
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    (settings.DATA_DIR / "clock").write_text(str(seconds), encoding="ascii")
    set_to(start)
