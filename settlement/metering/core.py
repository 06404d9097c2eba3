"""How usage becomes durable, once: the steps of one transaction, written without any I/O.

``steps`` is a generator: it yields statements and is sent their rows, so that the synchronous door (``record``) and the gateway's
group commit (``recorder``) run the same core. Locks are taken in one order everywhere: limits (quotas first), corrected events,
identities, months. Who holds a month waits for nothing more, so a close or a seal never waits long.

``quick_statement`` is what the group commit tries first: everything in one statement, that is one round trip and one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from settlement.metering.corrections import Corrections
from settlement.metering.events import Outcome, Status
from settlement.metering.items import Item, Statement, Steps, items_of
from settlement.metering.limits import LIMITS, Limit
from settlement.metering.rows import EVENT_ROW, Rows, event_row, hour_rows

__all__ = [
    "IN_STEPS",
    "Item",
    "MonthsMissing",
    "Statement",
    "items_of",
    "plain_statement",
    "quick_outcomes",
    "quick_statement",
    "steps",
]

ANSWER_KEPT = timedelta(hours=24)
IN_STEPS = ("23505", "GS001")  # SQLSTATEs of a quick statement that the steps are for: taken identity, month that just closed


class MonthsMissing(RuntimeError):
    """No open month could be made: the billing months are in a state that they cannot be in."""


def quick_statement(items: Sequence[Item], at: datetime) -> Statement | None:
    """All of it in one statement; None where a limit, a correction or a repeat within the batch asks for ``steps``.

    It writes every event, or it writes none: its count is then 0 (a month is not open), or it fails with one of ``IN_STEPS``.
    """
    named = sum(item.event.has_identity for item in items)
    if not named:
        return plain_statement(items, at)
    if any(map(_needs_steps, items)) or len({_name(item) for item in items if item.event.has_identity}) < named:
        return None
    return Statement("record_named", _own_facts(sorted(items, key=_name), at) | {"until": at + ANSWER_KEPT})


def plain_statement(items: Sequence[Item], at: datetime) -> Statement | None:
    """The same for events of which none has an identity: this one never fails for what ``steps`` are for."""
    if any(item.event.has_identity or _needs_steps(item) for item in items):
        return None
    return Statement("record_plain", _own_facts(items, at))


def quick_outcomes(items: Sequence[Item]) -> dict[int, Outcome]:
    return {item.place: Outcome(Status.ACCEPTED, item.id, item.month) for item in items}


def steps(items: Sequence[Item], at: datetime) -> Steps[dict[int, Outcome]]:
    """The whole of it, inside one transaction of the caller's. Returns an outcome for each place."""
    done: dict[int, Outcome] = {}
    held = yield from _lock_limits(items)
    corrections = yield from Corrections.lock(items)
    new = yield from _drop_known(items, done)
    new = _drop_over_limit(new, held, corrections, done)
    new = yield from _claim(new, done)
    booked = yield from _book(new)
    if new:
        yield _write(new, booked, at)
    for limit in held:
        yield from limit.move(new)
    done.update((item.place, Outcome(Status.ACCEPTED, item.id, booked[item.month])) for item in new)
    return done


def _name(item: Item) -> tuple[str, str]:
    return item.event.source, item.event.event_id


def _needs_steps(item: Item) -> bool:
    return item.event.is_limited or item.event.corrects is not None


def _own_facts(items: Sequence[Item], at: datetime) -> dict[str, Any]:
    booked = {item.month: item.month for item in items}
    return {"months": list(booked), "received": at, "hours": hour_rows(items, booked), "rows": _own_rows(items)}


def _own_rows(items: Sequence[Item]) -> Rows:
    """The events, each booked into its own month."""
    return Rows(EVENT_ROW, [event_row(item, item.month) for item in items])


def _write(items: Sequence[Item], booked: Mapping[date, date], at: datetime) -> Statement:
    facts = {
        "rows": Rows(EVENT_ROW, [event_row(item, booked[item.month]) for item in items]),
        "hours": hour_rows(items, booked),
        "months": sorted(set(booked.values())),
        "received": at,
        "until": at + ANSWER_KEPT,
    }
    return Statement("record_booked", facts)


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
    first_here: dict[tuple[str, str], Item] = {}
    new: list[Item] = []
    for item in items:
        if item.event.has_identity:
            first = known.get(item.id)
            if first is None:
                here = first_here.setdefault(_name(item), item)
                first = None if here is item else (here.event.request_digest, here.id)
            if first is not None:
                done[item.place] = _again(item, first)
                continue
        new.append(item)
    return new


def _identities(named: Sequence[Item]) -> Steps[dict[UUID, tuple[bytes, UUID]]]:
    """Digest and id of the event that is known, by the id of the item that repeats it."""
    rows = yield Statement("find_identities", {"rows": _own_rows(named)}, "rows")
    return {asked: (bytes(digest), found) for asked, digest, found in rows}


def _again(item: Item, first: tuple[bytes, UUID]) -> Outcome:
    same = first[0] == item.event.request_digest
    return Outcome(Status.DUPLICATE if same else Status.CONFLICT, first[1])


def _drop_over_limit(
    items: Sequence[Item], held: Sequence[Limit], corrections: Corrections, done: dict[int, Outcome]
) -> list[Item]:
    """In the order given: an event that a limit refuses is answered and dropped, the others count for those after them."""
    new: list[Item] = []
    over: dict[UUID, Outcome] = {}
    for limit in held:
        limit.expect(items)
    for item in _counted(items, corrections, over):
        refusal = next(filter(None, (limit.refusal(item) for limit in held)), None)
        if refusal is None:
            for limit in held:
                limit.take(item)
            corrections.take(item)
            new.append(item)
        else:
            over[item.id] = Outcome(refusal)
    if over:  # a repeat within the batch of an event that was not written is not a repeat
        done.update((item.place, over[item.id]) for item in items if item.id in over)
        done.update((place, over[known.usage_id]) for place, known in done.items() if known.usage_id in over)
    return new


def _counted(items: Sequence[Item], corrections: Corrections, over: dict[UUID, Outcome]) -> Iterator[Item]:
    """The items, corrections with what they move in a quota; a correction that cannot be is told in ``over``."""
    for item in items:
        if item.event.corrects is None:
            yield item
        elif reason := corrections.refusal(item):
            over[item.id] = Outcome(Status.NOT_CORRECTABLE, reason=reason)
        else:
            yield item._replace(counts=corrections.counts(item))


def _claim(items: list[Item], done: dict[int, Outcome]) -> Steps[list[Item]]:
    """Take the identities; one that another transaction took since ``_drop_known`` makes its event a repeat after all."""
    named = sorted((item for item in items if item.event.has_identity), key=_name)
    if not named:
        return items
    rows = yield Statement("claim_identities", {"rows": _own_rows(named)}, "rows")
    taken = {usage_id for (usage_id,) in rows}
    lost = [item for item in named if item.id not in taken]
    if not lost:
        return items
    known = yield from _identities(lost)
    done.update((item.place, _again(item, known[item.id])) for item in lost)
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
