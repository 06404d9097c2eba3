"""What metering promises, in plain Python: no database, no SQL, event after event. ``test_model`` holds the real one against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from settlement.metering.events import NewEvent, Outcome

SHANGHAI = ZoneInfo("Asia/Shanghai")
Units = Mapping[str, str]
Place = tuple[int, date, date, datetime, str, str]


def day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def month_of(moment: datetime) -> date:
    return day_of(moment).replace(day=1)


def after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def total(all_units: Iterable[Units]) -> dict[str, Decimal]:
    summed: dict[str, Decimal] = {}
    for units in all_units:
        for component, quantity in units.items():
            summed[component] = summed.get(component, Decimal(0)) + Decimal(quantity)
    return summed


def taken(units: Mapping[str, Decimal]) -> int:
    """From a quota: whole calls, else one; nothing for what was taken back whole."""
    return math.ceil(units.get("calls", Decimal(1))) if any(units.values()) else 0


@dataclass
class Right:
    """An entitlement: its state, its first moment after it, its hard limits by the first day of their span."""

    id: int
    valid_to: datetime
    limits: dict[date, int]
    state: str = "active"

    def span_of(self, moment: datetime) -> date | None:
        begun = [start for start in sorted(self.limits) if start <= day_of(moment)]
        return begun[-1] if begun else min(self.limits, default=None)


@dataclass
class KeyFacts:
    right: Right
    expires_at: datetime
    revoked_at: datetime | None = None

    def refusal(self, at: datetime) -> str | None:
        if self.revoked_at is not None:
            return "key-revoked"
        if self.expires_at <= at:
            return "key-expired"
        if self.right.state != "active":
            return f"entitlement-{self.right.state}"
        return "entitlement-ended" if self.right.valid_to <= at else None


@dataclass
class Written:
    event: NewEvent
    id: UUID
    book_month: date
    received_at: datetime


@dataclass
class Model:
    months: dict[date, str] = field(default_factory=dict)
    rights: dict[int, Right] = field(default_factory=dict)
    written: dict[UUID, Written] = field(default_factory=dict)
    names: dict[tuple[str, str], Written] = field(default_factory=dict)
    sealed: datetime | None = None

    def record(self, batch: Sequence[NewEvent], outcomes: Sequence[Outcome], at: datetime) -> None:
        """Say what each outcome must be, event after event, and take over the ids of what was written."""
        new: list[Written] = []
        refused: dict[tuple[str, str], Outcome] = {}
        assert len(outcomes) == len(batch)
        for event, outcome in zip(batch, outcomes, strict=True):
            name = (event.source, event.event_id)
            known = self.names.get(name) if event.has_identity else None
            if known is not None:
                status = "duplicate" if known.event.request_digest == event.request_digest else "conflict"
                assert (outcome.status, outcome.usage_id, outcome.book_month) == (status, known.id, None)
            elif event.has_identity and name in refused:
                assert outcome == refused[name], "a repeat of what was not written is answered as that"
            elif status := self._refusal(event):
                assert (outcome.status, outcome.usage_id, outcome.book_month) == (status, None, None)
                refused[name] = outcome
            else:
                assert outcome.status == "accepted" and outcome.usage_id is not None and outcome.book_month is not None
                received = max(at, self.sealed) if self.sealed else at
                new.append(Written(event, outcome.usage_id, outcome.book_month, received))
                assert outcome.usage_id not in self.written
                self.written[outcome.usage_id] = new[-1]
                if event.has_identity:
                    self.names[name] = new[-1]
        self._book(new)

    def _refusal(self, event: NewEvent) -> str | None:
        if event.corrects is not None:
            first = self.written.get(event.corrects)
            if first is None or first.event.corrects is not None:
                return "not_correctable"
            of = first.event
            if (of.entitlement_id, of.event_time, of.purpose) != (event.entitlement_id, event.event_time, event.purpose):
                return "not_correctable"
            if any(left < 0 for left in total([*self.stated(first.id), event.units]).values()):
                return "not_correctable"
        right = self.rights[event.entitlement_id]
        span = right.span_of(event.event_time)
        if span is None:
            return None
        before = self.used(right)[span]
        return "over_quota" if before + self._moves(event) > right.limits[span] and self._moves(event) > 0 else None

    def _moves(self, event: NewEvent) -> int:
        if event.corrects is None:
            return taken(total([event.units]))
        stated = self.stated(event.corrects)
        return taken(total([*stated, event.units])) - taken(total(stated))

    def stated(self, first: UUID) -> list[Units]:
        """The units of an event and of all that corrects it."""
        return [w.event.units for w in self.written.values() if first in (w.id, w.event.corrects)]

    def used(self, right: Right) -> dict[date, int]:
        """By span: what each event takes as it stands with its corrections."""
        found = dict.fromkeys(right.limits, 0)
        for entry in self.written.values():
            span = right.span_of(entry.event.event_time)
            if entry.event.entitlement_id == right.id and entry.event.corrects is None and span is not None:
                found[span] += taken(total(self.stated(entry.id)))
        return found

    def _book(self, new: Sequence[Written]) -> None:
        """Its own month while that is open, else the earliest open one; no month before a closed one is ever opened."""
        closed = max((month for month, state in self.months.items() if state == "closed"), default=None)
        for month in {month_of(entry.event.event_time) for entry in new}:
            if closed is None or month > closed:
                self.months.setdefault(month, "open")
        for entry in new:
            own = month_of(entry.event.event_time)
            if closed is not None and own <= closed:
                own = self.earliest_open()
                self.months[own] = "open"
            assert entry.book_month == own

    def earliest_open(self) -> date:
        last = max(month for month, state in self.months.items() if state == "closed")
        return min((month for month in self.months if month > last), default=after(last))

    def hours(self) -> dict[Place, list[Decimal]]:
        """Units and events by what usage by the hour is kept by; an event counts at the first of its components."""
        found: dict[Place, list[Decimal]] = {}
        for entry in self.written.values():
            event = entry.event
            hour = event.event_time.replace(minute=0, second=0, microsecond=0)
            for component, quantity in event.units.items():
                place = (event.entitlement_id, month_of(event.event_time), entry.book_month, hour, event.purpose, component)
                sums = found.setdefault(place, [Decimal(0), Decimal(0)])
                sums[0] += Decimal(quantity)
                sums[1] += component == min(event.units)
        return found
