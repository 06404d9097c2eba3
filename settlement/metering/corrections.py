"""Corrections: events that name the one they correct. The sum of an event and of all that corrects it never falls below zero.

A correction takes effect where the event it corrects stands: the same entitlement, purpose and time, so that it is rated in the
same month. What an event took from a quota it gives back as its sum shrinks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from settlement.metering.items import Item, Statement, Steps
from settlement.metering.rules import month_of_id, quota_units


@dataclass(slots=True)
class _Corrected:
    """An event as it stands with its corrections so far; ``units`` by component, exact."""

    entitlement_id: int
    time: datetime
    purpose: str
    is_correction: bool
    units: dict[str, Decimal]


class Corrections:
    """The events that a batch corrects; nobody else corrects them until the commit."""

    def __init__(self, rows: Iterable[tuple[UUID, int, datetime, str, bool, str]]) -> None:
        self._events: dict[UUID, _Corrected] = {}
        for identifier, entitlement, time, purpose, is_correction, units in rows:
            exact = {component: Decimal(quantity) for component, quantity in msgspec.json.decode(units).items()}
            self._events[identifier] = _Corrected(entitlement, time, purpose, is_correction, exact)

    @classmethod
    def lock(cls, items: Sequence[Item]) -> Steps[Corrections]:
        ids = sorted({item.event.corrects for item in items if item.event.corrects is not None})
        if not ids:
            return cls(())
        yield Statement("lock_corrected", {"ids": ids}, "rows")
        asked: dict[str, Any] = {"ids": ids, "months": sorted({month_of_id(identifier) for identifier in ids})}
        rows = yield Statement("find_corrected", asked, "rows")
        return cls(rows)

    def refusal(self, item: Item) -> str:
        """Why the item cannot correct what it names; empty where it can."""
        event = item.event
        found = self._events.get(event.corrects) if event.corrects else None
        if found is None or found.entitlement_id != event.entitlement_id:
            return "/data/corrects: no such receipt of this entitlement"
        if found.is_correction:
            return "/data/corrects: that receipt is a correction itself; name the one that it corrects"
        if found.time != event.event_time:
            return f"/time: a correction has the time of what it corrects, {found.time.isoformat()}"
        if found.purpose != event.purpose:
            return f"/data/purpose: a correction has the purpose of what it corrects, {found.purpose}"
        for component, left in self._after(item).items():
            if left < 0:
                return f"/data/units/{component}: {found.units.get(component, Decimal(0))} is left to take back"
        return ""

    def counts(self, item: Item) -> int:
        """What the correction moves in a quota: what the event takes after it less what it took before."""
        assert item.event.corrects is not None
        return _taken(self._after(item)) - _taken(self._events[item.event.corrects].units)

    def take(self, item: Item) -> None:
        """Count the correction for those after it in the batch."""
        if item.event.corrects is not None:
            self._events[item.event.corrects].units = self._after(item)

    def _after(self, item: Item) -> dict[str, Decimal]:
        assert item.event.corrects is not None
        units = dict(self._events[item.event.corrects].units)
        for component, quantity in item.event.units.items():
            units[component] = units.get(component, Decimal(0)) + Decimal(quantity)
        return units


def _taken(units: Mapping[str, Decimal]) -> int:
    return quota_units({component: str(quantity) for component, quantity in units.items()})
