"""Hard limits inside the commit: what a batch would overspend is refused, what was written is moved, in its transaction.

A limit is a class with ``lock``, ``refusal``, ``take`` and ``move``; ``LIMITS`` names them in the order in which their rows are
locked. ``core.steps`` runs them: lock (before any identity is taken) → take, event by event → move what was really written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from settlement.metering.events import Status
from settlement.metering.items import Item, Statement, Steps
from settlement.metering.prepaid import Balances
from settlement.metering.rules import business_day, quota_units


class Limit(Protocol):
    """What is left of one kind of limit for the events of a batch, locked until the commit."""

    @classmethod
    def lock(cls, items: Sequence[Item]) -> Steps[Limit]:
        """Lock the rows that the items may use up, in one order everywhere; without any, no statement."""
        ...

    def expect(self, items: Sequence[Item]) -> None:
        """Hear which of the items are new; only they are asked about."""
        ...

    def refusal(self, item: Item) -> Status | None:
        """Why the item may not be written; None where enough is left. Changes nothing."""
        ...

    def take(self, item: Item) -> None:
        """Count the item against what is left for the items after it (every limit has allowed it)."""
        ...

    def move(self, written: Sequence[Item]) -> Steps[None]:
        """Move in the database what was really written (an identity lost to another transaction gives its units back)."""
        ...


class Quotas:
    """Units left of the quotas of a batch's entitlements."""

    def __init__(self, rows: Iterable[tuple[int, int, date, int]]) -> None:
        self.units: dict[int, int] = {}
        self._spans: dict[int, list[tuple[date, int]]] = defaultdict(list)
        for quota, entitlement, start, left in rows:
            self.units[quota] = left
            self._spans[entitlement].append((start, quota))
        for spans in self._spans.values():
            spans.sort()

    @classmethod
    def lock(cls, items: Sequence[Item]) -> Steps[Quotas]:
        entitlements = sorted({item.event.entitlement_id for item in items if item.event.has_quota})
        if not entitlements:
            return cls(())
        rows = yield Statement("lock_quotas", {"entitlements": entitlements}, "rows")
        return cls(rows)

    def quota_of(self, item: Item) -> int | None:
        """The quota whose span holds the event's day: the last that began; the first where none has begun; None without any."""
        spans = self._spans.get(item.event.entitlement_id)
        if not spans:
            return None
        day = business_day(item.event.event_time)
        begun = [quota for start, quota in spans if start <= day]
        return begun[-1] if begun else spans[0][1]

    def expect(self, items: Sequence[Item]) -> None:
        """Nothing to weigh up: each item is looked at by itself."""

    def refusal(self, item: Item) -> Status | None:
        quota = self.quota_of(item)
        if quota is None or _units(item) <= self.units[quota]:
            return None
        return Status.OVER_QUOTA

    def take(self, item: Item) -> None:
        quota = self.quota_of(item)
        if quota is not None:
            self.units[quota] -= _units(item)

    def move(self, written: Sequence[Item]) -> Steps[None]:
        moved: dict[int, int] = defaultdict(int)
        for item in written:
            quota = self.quota_of(item) if item.event.has_quota else None
            if quota is not None:
                moved[quota] += _units(item)
        moved = {quota: units for quota, units in sorted(moved.items()) if units}
        if moved:
            count = yield Statement("move_quotas", {"ids": list(moved), "units": list(moved.values())})
            if count != len(moved):
                raise RuntimeError("a quota would be overspent")  # cannot be: the rows are locked; the batch rolls back


def _units(item: Item) -> int:
    return quota_units(item.event.units) if item.counts is None else item.counts


LIMITS: tuple[type[Limit], ...] = (Quotas, Balances)
