"""What the steps of recording hand to each other: statements to run, and the events of a batch with what the recorder adds."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from settlement.metering.events import NewEvent
from settlement.metering.rules import month_of, usage_id


class Statement(NamedTuple):
    """A query by name (``settlement/sql``); ``wants`` is "rows" or "count"."""

    name: str
    parameters: Mapping[str, Any]
    wants: str = "count"


class Item(NamedTuple):
    """An event with what the recorder adds: its id, its month, its place in the caller's order.

    ``counts`` is what a correction moves in a quota; None where the event's units say it.
    """

    place: int
    event: NewEvent
    id: UUID
    month: date
    counts: int | None = None


Result = TypeVar("Result")
Steps = Generator[Statement, Any, Result]


def items_of(events: Iterable[NewEvent]) -> list[Item]:
    return [
        Item(place, event, event.id or usage_id(event.event_time), month_of(event.event_time))
        for place, event in enumerate(events)
    ]
