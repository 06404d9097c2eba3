"""How usage becomes durable, once: the steps of one transaction, written without any I/O.

``steps`` is a generator: it yields statements and is sent their rows, so that the synchronous door (``record``) and the gateway's
group commit (``recorder``) run the same core. Locks are taken in one order everywhere: quotas, identities, months.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from settlement.metering.events import NewEvent, Outcome, Status
from settlement.metering.rules import business_day, content_digest, content_of, month_of, quota_units, usage_id

ANSWER_KEPT = timedelta(hours=24)
_encode = msgspec.json.Encoder(order="sorted").encode


class Statement(NamedTuple):
    """A query by name (``settlement/sql``); ``wants`` is "rows" or "count"."""

    name: str
    parameters: Mapping[str, Any]
    wants: str = "count"


class Item(NamedTuple):
    """An event with what the recorder adds: its id, its month, its place in the caller's order."""

    place: int
    event: NewEvent
    id: UUID
    month: date


Steps = Generator[Statement, Any, dict[int, Outcome]]


class MonthsMissing(RuntimeError):
    """No open month could be made: the billing months are in a state that they cannot be in."""


def items_of(events: Iterable[NewEvent]) -> list[Item]:
    return [
        Item(place, event, event.id or usage_id(event.event_time), month_of(event.event_time))
        for place, event in enumerate(events)
    ]


def is_plain(item: Item) -> bool:
    """Whether nothing but the event itself is to be written."""
    return not (item.event.has_identity or item.event.has_quota)


def plain_statement(items: Sequence[Item], at: datetime) -> Statement:
    """All of it in one statement, that is one round trip; its count is 0 when a month is not open (then run ``steps``)."""
    booked = {item.month: item.month for item in items}
    return Statement("record_now", {"months": sorted(booked), "received": at, **_columns(items), **_hours(items, booked)})


def plain_outcomes(items: Sequence[Item]) -> dict[int, Outcome]:
    return {item.place: Outcome(Status.ACCEPTED, item.id, item.month) for item in items}


def steps(items: Sequence[Item], at: datetime) -> Steps:
    """The whole of it, inside one transaction of the caller's. Returns an outcome for each place."""
    done: dict[int, Outcome] = {}
    left = yield from _lock_quotas(items)
    new = yield from _drop_known(items, done)
    new = _drop_over_quota(new, left, done)
    new = yield from _claim(new, done)
    booked = yield from _book(new)
    if new:
        columns = {**_columns(new), "book_month": [booked[item.month] for item in new], **_hours(new, booked)}
        yield Statement("record_booked", {"received": at, **columns})
    yield from _move_quotas(new, left)
    yield from _keep_answers(new, at)
    done.update((item.place, Outcome(Status.ACCEPTED, item.id, booked[item.month])) for item in new)
    return done


class _Left:
    """Units left of the quotas of a batch."""

    def __init__(self, rows: Iterable[tuple[int, int, date, int]]) -> None:
        self.units: dict[int, int] = {}
        self._spans: dict[int, list[tuple[date, int]]] = defaultdict(list)
        for quota, entitlement, start, left in rows:
            self.units[quota] = left
            self._spans[entitlement].append((start, quota))
        for spans in self._spans.values():
            spans.sort()

    def quota_of(self, item: Item) -> int | None:
        """The quota whose span holds the event's day: the last that began; the first where none has begun; None without any."""
        spans = self._spans.get(item.event.entitlement_id)
        if not spans:
            return None
        day = business_day(item.event.event_time)
        begun = [quota for start, quota in spans if start <= day]
        return begun[-1] if begun else spans[0][1]

    def take(self, item: Item) -> bool:
        quota = self.quota_of(item)
        if quota is None:
            return True
        units = quota_units(item.event.units)
        if units > self.units[quota]:
            return False
        self.units[quota] -= units
        return True


def _lock_quotas(items: Sequence[Item]) -> Generator[Statement, Any, _Left]:
    entitlements = sorted({item.event.entitlement_id for item in items if item.event.has_quota})
    if not entitlements:
        return _Left(())
    rows = yield Statement("lock_quotas", {"entitlements": entitlements}, "rows")
    return _Left(rows)


def _drop_known(items: Sequence[Item], done: dict[int, Outcome]) -> Generator[Statement, Any, list[Item]]:
    """Events that were recorded before, or that stand twice in this batch, are answered and dropped."""
    named = [item for item in items if item.event.has_identity]
    if not named:
        return list(items)
    known = yield from _identities(named)
    new: list[Item] = []
    for item in items:
        if item.event.has_identity:
            first = known.setdefault((item.event.source, item.event.event_id), (item.event.request_digest, item.id))
            if first[1] != item.id:
                done[item.place] = _again(item, first)
                continue
        new.append(item)
    return new


def _identities(named: Sequence[Item]) -> Generator[Statement, Any, dict[tuple[str, str], tuple[bytes, UUID]]]:
    parameters = {"sources": [i.event.source for i in named], "event_ids": [i.event.event_id for i in named]}
    rows = yield Statement("find_identities", parameters, "rows")
    return {(source, event_id): (bytes(digest), found) for source, event_id, digest, found, _month in rows}


def _again(item: Item, first: tuple[bytes, UUID]) -> Outcome:
    same = first[0] == item.event.request_digest
    return Outcome(Status.DUPLICATE if same else Status.CONFLICT, first[1])


def _drop_over_quota(items: Sequence[Item], left: _Left, done: dict[int, Outcome]) -> list[Item]:
    new: list[Item] = []
    over: set[UUID] = set()
    for item in items:
        if left.take(item):
            new.append(item)
        else:
            over.add(item.id)
            done[item.place] = Outcome(Status.OVER_QUOTA)
    if over:  # a repeat within the batch of an event that was not written is not a repeat
        done.update((place, Outcome(Status.OVER_QUOTA)) for place, known in done.items() if known.usage_id in over)
    return new


def _claim(items: list[Item], done: dict[int, Outcome]) -> Generator[Statement, Any, list[Item]]:
    """Take the identities; one that another transaction took since ``_drop_known`` makes its event a repeat after all."""
    named = sorted((i for i in items if i.event.has_identity), key=lambda i: (i.event.source, i.event.event_id))
    if not named:
        return items
    parameters = {
        "sources": [i.event.source for i in named],
        "event_ids": [i.event.event_id for i in named],
        "digests": [i.event.request_digest for i in named],
        "usage_ids": [i.id for i in named],
        "months": [i.month for i in named],
    }
    taken = set((yield Statement("claim_identities", parameters, "rows")))
    lost = [item for item in named if (item.event.source, item.event.event_id) not in taken]
    if not lost:
        return items
    known = yield from _identities(lost)
    done.update((item.place, _again(item, known[item.event.source, item.event.event_id])) for item in lost)
    gone = {item.place for item in lost}
    return [item for item in items if item.place not in gone]


def _book(items: Sequence[Item]) -> Generator[Statement, Any, dict[date, date]]:
    """The month that bills each event month: itself while open, else the earliest open one. All share-locked."""
    months = sorted({item.month for item in items})
    if not months:
        return {}
    states = dict((yield Statement("lock_months", {"months": months}, "rows")))
    if len(states) < len(months):
        yield Statement("ensure_months", {"months": months})
        states = dict((yield Statement("lock_months", {"months": months}, "rows")))
    late = [month for month in months if states.get(month) != "open"]
    booked = {month: month for month in months}
    if late:
        first = yield from _earliest_open()
        booked.update((month, max(first, month)) for month in late)
    return booked


def _earliest_open() -> Generator[Statement, Any, date]:
    for _attempt in range(3):  # the month may close between the choice and the lock
        rows = yield Statement("lock_earliest_open", {}, "rows")
        if rows:
            return rows[0][0]
        yield Statement("ensure_months", {"months": []})
    raise MonthsMissing("no open billing month")


def _move_quotas(items: Sequence[Item], left: _Left) -> Generator[Statement, Any, None]:
    """Move what was really written (a lost claim gives its units back); one update for the whole batch."""
    moved: dict[int, int] = defaultdict(int)
    for item in items:
        quota = left.quota_of(item) if item.event.has_quota else None
        if quota is not None:
            moved[quota] += quota_units(item.event.units)
    moved = {quota: units for quota, units in sorted(moved.items()) if units}
    if moved:
        count = yield Statement("move_quotas", {"ids": list(moved), "units": list(moved.values())})
        if count != len(moved):
            raise RuntimeError("a quota would be overspent")  # cannot be: the rows are locked; the batch rolls back


def _keep_answers(items: Sequence[Item], at: datetime) -> Generator[Statement, Any, None]:
    kept = [item.event for item in items if item.event.answer is not None]
    if kept:
        parameters = {
            "sources": [e.source for e in kept],
            "event_ids": [e.event_id for e in kept],
            "answers": [e.answer for e in kept],
            "until": at + ANSWER_KEPT,
        }
        yield Statement("keep_answers", parameters)


def _columns(items: Sequence[Item]) -> dict[str, list[Any]]:
    return {
        "event_month": [i.month for i in items],
        "id": [i.id for i in items],
        "entitlement_id": [i.event.entitlement_id for i in items],
        "product_id": [i.event.product_id for i in items],
        "release_id": [i.event.release_id for i in items],
        "key_id": [i.event.key_id for i in items],
        "source": [i.event.source for i in items],
        "event_id": [i.event.event_id or str(i.id) for i in items],
        "purpose": [i.event.purpose for i in items],
        "units": [_encode(i.event.units).decode() for i in items],
        "event_time": [i.event.event_time for i in items],
        "is_free": [i.event.is_free for i in items],
        "request_digest": [i.event.request_digest for i in items],
        "corrects": [i.event.corrects for i in items],
        "digest": [_digest(i) for i in items],
        "consent_digest": [i.event.consent_digest for i in items],
    }


def _digest(item: Item) -> bytes:
    event = item.event
    content = content_of(
        id=item.id,
        time=event.event_time,
        entitlement=event.entitlement,
        product=event.product,
        release=event.release_version,
        purpose=event.purpose,
        units=event.units,
        free=event.is_free,
        source=event.source,
        event_id=event.event_id or str(item.id),
        request_digest=event.request_digest,
        corrects=event.corrects,
        consent_digest=event.consent_digest,
    )
    return content_digest(content)


def _hours(items: Sequence[Item], booked: Mapping[date, date]) -> dict[str, list[Any]]:
    """What the batch adds to usage by the hour; an event is counted at the first of its components."""
    sums: dict[tuple[int, date, date, datetime, str, str], list[Any]] = {}
    for item in items:
        event = item.event
        hour = event.event_time.replace(minute=0, second=0, microsecond=0)  # Shanghai is whole hours from UTC
        counted = 1
        for component in sorted(event.units):
            key = (event.entitlement_id, item.month, booked[item.month], hour, event.purpose, component)
            entry = sums.setdefault(key, [Decimal(0), 0])
            entry[0] += Decimal(event.units[component])
            entry[1] += counted
            counted = 0
    keys = list(zip(*sums, strict=True)) or [()] * 6
    names = ("h_entitlement_id", "h_event_month", "h_book_month", "h_hour", "h_purpose", "h_component")
    columns = {name: list(values) for name, values in zip(names, keys, strict=True)}
    values = list(sums.values())
    return {**columns, "h_units": [str(units) for units, _ in values], "h_events": [events for _, events in values]}
