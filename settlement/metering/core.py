"""How usage becomes durable, once: the steps of one transaction, written without any I/O.

``steps`` is a generator: it yields statements and is sent their rows, so that the synchronous door (``record``) and the gateway's
group commit (``recorder``) run the same core. Locks are taken in one order everywhere: limits (quotas first), identities, months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from settlement.metering.events import Outcome, Status
from settlement.metering.items import Item, Statement, Steps, items_of
from settlement.metering.limits import LIMITS, Limit
from settlement.metering.rules import content_digest, content_of

__all__ = ["Item", "MonthsMissing", "Statement", "is_plain", "items_of", "plain_outcomes", "plain_statement", "steps"]

ANSWER_KEPT = timedelta(hours=24)
_encode = msgspec.json.Encoder(order="sorted").encode


class MonthsMissing(RuntimeError):
    """No open month could be made: the billing months are in a state that they cannot be in."""


def is_plain(item: Item) -> bool:
    """Whether nothing but the event itself is to be written."""
    return not (item.event.has_identity or item.event.is_limited)


def plain_statement(items: Sequence[Item], at: datetime) -> Statement:
    """All of it in one statement, that is one round trip; its count is 0 when a month is not open (then run ``steps``)."""
    booked = {item.month: item.month for item in items}
    return Statement("record_now", {"months": sorted(booked), "received": at, **_columns(items), **_hours(items, booked)})


def plain_outcomes(items: Sequence[Item]) -> dict[int, Outcome]:
    return {item.place: Outcome(Status.ACCEPTED, item.id, item.month) for item in items}


def steps(items: Sequence[Item], at: datetime) -> Steps[dict[int, Outcome]]:
    """The whole of it, inside one transaction of the caller's. Returns an outcome for each place."""
    done: dict[int, Outcome] = {}
    held = yield from _lock_limits(items)
    new = yield from _drop_known(items, done)
    new = _drop_over_limit(new, held, done)
    new = yield from _claim(new, done)
    booked = yield from _book(new)
    if new:
        columns = {**_columns(new), "book_month": [booked[item.month] for item in new], **_hours(new, booked)}
        yield Statement("record_booked", {"received": at, **columns})
    for limit in held:
        yield from limit.move(new)
    yield from _keep_answers(new, at)
    done.update((item.place, Outcome(Status.ACCEPTED, item.id, booked[item.month])) for item in new)
    return done


def _lock_limits(items: Sequence[Item]) -> Steps[list[Limit]]:
    held: list[Limit] = []
    for limit in LIMITS:
        held.append((yield from limit.lock(items)))
    return held


def _drop_known(items: Sequence[Item], done: dict[int, Outcome]) -> Steps[list[Item]]:
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


def _identities(named: Sequence[Item]) -> Steps[dict[tuple[str, str], tuple[bytes, UUID]]]:
    parameters = {"sources": [i.event.source for i in named], "event_ids": [i.event.event_id for i in named]}
    rows = yield Statement("find_identities", parameters, "rows")
    return {(source, event_id): (bytes(digest), found) for source, event_id, digest, found, _month in rows}


def _again(item: Item, first: tuple[bytes, UUID]) -> Outcome:
    same = first[0] == item.event.request_digest
    return Outcome(Status.DUPLICATE if same else Status.CONFLICT, first[1])


def _drop_over_limit(items: Sequence[Item], held: Sequence[Limit], done: dict[int, Outcome]) -> list[Item]:
    """In the order given: an event that a limit refuses is answered and dropped, the others count for those after them."""
    new: list[Item] = []
    over: dict[UUID, Status] = {}
    for item in items:
        refusal = next(filter(None, (limit.refusal(item) for limit in held)), None)
        if refusal is None:
            for limit in held:
                limit.take(item)
            new.append(item)
        else:
            over[item.id] = refusal
            done[item.place] = Outcome(refusal)
    if over:  # a repeat within the batch of an event that was not written is not a repeat
        done.update((place, Outcome(over[known.usage_id])) for place, known in done.items() if known.usage_id in over)
    return new


def _claim(items: list[Item], done: dict[int, Outcome]) -> Steps[list[Item]]:
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


def _book(items: Sequence[Item]) -> Steps[dict[date, date]]:
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


def _earliest_open() -> Steps[date]:
    for _attempt in range(3):  # the month may close between the choice and the lock
        rows = yield Statement("lock_earliest_open", {}, "rows")
        if rows:
            return rows[0][0]
        yield Statement("ensure_months", {"months": []})
    raise MonthsMissing("no open billing month")


def _keep_answers(items: Sequence[Item], at: datetime) -> Steps[None]:
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
