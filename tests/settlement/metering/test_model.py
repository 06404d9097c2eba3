"""Keys, quotas, retries and clocks in any order: the real database says and holds what the model (``model``) does, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from products.record.clock import business_date
from settlement.billing.models import BillingMonth
from settlement.entitlements import keys
from settlement.entitlements.access import Access, key_refusal, turns_at
from settlement.entitlements.models import ApiKey, Entitlement, Quota
from settlement.entitlements.services import (
    KeyNotAllowed,
    TooManyKeys,
    entitlement_end,
    entitlement_resume,
    entitlement_suspend,
    key_issue,
    key_revoke,
)
from settlement.metering import rollups, sealing
from settlement.metering.models import UsageEvent, UsageIdentity
from settlement.metering.record import NewEvent, Status, event_of, record_events
from settlement.sql import query
from settlement.verify import usage
from tests.settlement.metering.model import SHANGHAI, KeyFacts, Model, Right, after, month_of
from tests.settlement.stall import Stall, digest_of, make_stall

BEGIN = datetime(2026, 10, 30, 10, tzinfo=SHANGHAI)
ENDS = [datetime(2026, month, 1, tzinfo=SHANGHAI) for month in (10, 11, 12)]  # of months
NEAR = [timedelta(0), timedelta(microseconds=-1), timedelta(seconds=-1), timedelta(hours=-1), timedelta(hours=7)]
MOMENTS = st.one_of(
    st.builds(lambda end, near: end + near, st.sampled_from(ENDS), st.sampled_from(NEAR)),
    st.sampled_from([timedelta(0), timedelta(minutes=3), timedelta(hours=-5), timedelta(days=-20)]),  # from the clock's now
)
UNITS = st.sampled_from([{"calls": q} for q in ("1", "1", "1", "2", "3", "0.5", "2.000001")] + [
    {"calls": "1", "bytes": "700"}, {"bytes": "12.5"}, {"bytes": "0"}
])  # fmt: skip
BACK = st.sampled_from(
    [{"calls": q} for q in ("-1", "-0.5", "-2", "1", "-1.000001")] + [{"bytes": "-12.5"}, {"bytes": "-700", "calls": "-1"}]
)
NAMES = st.one_of(st.none(), st.integers(0, 11).map(lambda n: ("/operators/a" if n % 2 else "/operators/b", f"e{n // 2}")))
PLACES = st.integers(0, 30)
REPORTS = st.tuples(PLACES, NAMES, st.sampled_from("xxy"), UNITS, MOMENTS)
CLOCKS = st.sampled_from([timedelta(0), timedelta(0), timedelta(minutes=-90)])  # of the process that records
HOURS = """
SELECT entitlement_id, event_month, book_month, hour, purpose, component, sum(units), sum(events)
FROM settlement_usagehour GROUP BY 1, 2, 3, 4, 5, 6
"""


class Metering(RuleBasedStateMachine):
    """The stall stands in the test's transaction; what a run does to it is rolled back when the run ends."""

    def __init__(self, stall: Stall) -> None:
        super().__init__()
        self.stall, self.now, self.model = stall, BEGIN, Model()
        self.entitlements: list[Entitlement] = []
        self.keys: list[tuple[ApiKey, str, KeyFacts]] = []
        self.over: list[NewEvent] = []
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self) -> None:
        try:
            if not connection.needs_rollback:
                wrong = [found for found in usage.events() if found.table != "settlement_entitlement"]  # nothing is rated here
                assert not wrong, "the auditor reads the same out of the events"
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    def right(self, place: int) -> tuple[Entitlement, Right]:
        entitlement = self.entitlements[place % len(self.entitlements)]
        return entitlement, self.model.rights[entitlement.pk]

    def event(self, entitlement: Entitlement, name: tuple[str, str] | None, content: str, **more: Any) -> NewEvent:
        named = {"source": name[0], "event_id": name[1]} if name else {}
        facts = {"has_quota": bool(self.model.rights[entitlement.pk].limits), "request_digest": digest_of(content)}
        return event_of(entitlement, release=self.stall.release, **facts | named | more)

    def record(self, batch: Sequence[NewEvent], behind: timedelta = timedelta(0)) -> list[Status]:
        outcomes = record_events(batch, at=self.now + behind)
        self.model.record(batch, outcomes, self.now + behind)
        self.over += [e for e, o in zip(batch, outcomes, strict=True) if o.status is Status.OVER_QUOTA]
        return [outcome.status for outcome in outcomes]

    # Rights and keys

    @initialize(limit=st.integers(0, 6))
    def open_the_stall(self, limit: int) -> None:
        BillingMonth.objects.create(month=date(2026, 9, 1))
        self.model.months[date(2026, 9, 1)] = "open"
        self.entitle(limits=[], days=200)
        self.entitle(limits=[limit, 4], days=200)
        self.issue(place=1, days=90)

    @rule(limits=st.lists(st.integers(0, 8), max_size=2), days=st.sampled_from([1, 30]))
    def entitle(self, limits: list[int], days: int) -> None:
        """With one limit, with another from November on, or with none."""
        made = self.stall.entitle(valid_to=self.now + timedelta(days=days))
        spans = dict(zip([date(2026, 1, 1), date(2026, 11, 1)], limits, strict=False))
        Quota.objects.bulk_create(Quota(entitlement=made, span_start=start, limit=limit) for start, limit in spans.items())
        self.entitlements.append(made)
        self.model.rights[made.pk] = Right(made.pk, made.valid_to, spans)

    @rule(place=PLACES, to=st.sampled_from(["suspended", "ended", "active", "active"]))
    def move_right(self, place: int, to: str) -> None:
        entitlement, right = self.right(place)
        moves = {"suspended": (entitlement_suspend, ["active"]), "active": (entitlement_resume, ["suspended"])}
        service, possible = moves.get(to, (entitlement_end, ["active", "suspended"]))
        if right.state in possible:
            service(entitlement=entitlement, reason="model", at=self.now)
            right.state = to

    @rule(place=PLACES, days=st.sampled_from([1, 7, 90]))
    def issue(self, place: int, days: int) -> None:
        entitlement, right = self.right(place)
        alive = [1 for _key, _secret, facts in self.keys if facts.right is right and self.is_alive(facts)]
        asked = {"entitlement": entitlement, "mode": "live", "user": None, "at": self.now}
        refused = KeyNotAllowed if right.state == "ended" else TooManyKeys if len(alive) == 2 else None
        if refused:
            with pytest.raises(refused):
                key_issue(**asked)
            return
        key, secret = key_issue(**asked, expires_at=self.now + timedelta(days=days))
        self.keys.append((key, secret, KeyFacts(right, key.expires_at)))

    def is_alive(self, facts: KeyFacts) -> bool:
        return facts.revoked_at is None and facts.expires_at > self.now

    @rule(place=PLACES)
    def revoke(self, place: int) -> None:
        key, _secret, facts = self.keys[place % len(self.keys)]
        key_revoke(key=key, user=None, at=self.now)
        facts.revoked_at = facts.revoked_at or self.now

    # Use

    @rule(place=PLACES, name=NAMES, content=st.sampled_from("xxy"), units=UNITS)
    def call(self, place: int, name: tuple[str, str] | None, content: str, units: dict[str, str]) -> None:
        """As the gateway does: what may this key do now? Then it is recorded, or it is not a use."""
        key, secret, facts = self.keys[place % len(self.keys)]
        access = self.look_up(secret)
        span = facts.right.span_of(self.now)
        assert access.has_quota == bool(facts.right.limits)
        if span is not None:
            assert (access.quota_limit, access.quota_used) == (facts.right.limits[span], self.model.used(facts.right)[span])
        refusal = key_refusal(access, self.now) or access.refusal("", self.now)
        assert refusal == facts.refusal(self.now)
        if refusal is None:
            entitlement = next(each for each in self.entitlements if each.pk == access.entitlement_id)
            self.record([self.event(entitlement, name, content, units=units, time=self.now, key_id=key.pk)])

    def look_up(self, secret: str) -> Access:
        with connection.cursor() as cursor:
            asked = {"digest": keys.digest(secret), "day": business_date(self.now), "at": self.now, "instead": None}
            cursor.execute(query("key_access"), asked)
            row = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
        return Access(**row, turns_at=turns_at(row, self.now))

    @rule(reports=st.lists(REPORTS, min_size=1, max_size=6), behind=CLOCKS)
    def report(self, reports: list[tuple], behind: timedelta) -> None:
        """A batch of an operator's, with repeats of its own and of earlier ones, late and early."""
        batch = []
        for place, name, content, units, when in reports:
            moment = min(when, self.now) if isinstance(when, datetime) else self.now + when
            batch.append(self.event(self.right(place)[0], name, content, units=units, time=moment))
        self.record(batch, behind)

    @precondition(lambda self: self.model.names)
    @rule(places=st.lists(PLACES, min_size=1, max_size=3), is_other=st.booleans(), behind=CLOCKS)
    def repeat(self, places: list[int], is_other: bool, behind: timedelta) -> None:
        known = list(self.model.names.values())
        batch = []
        for place in places:
            event = known[place % len(known)].event
            changed = digest_of("changed") if is_other else event.request_digest
            entitlement = next(each for each in self.entitlements if each.pk == event.entitlement_id)
            named = {"source": event.source, "event_id": event.event_id, "request_digest": changed, "corrects": event.corrects}
            batch.append(self.event(entitlement, None, "", units=event.units, time=event.event_time, **named))
        assert set(self.record(batch, behind)) == {Status.CONFLICT if is_other else Status.DUPLICATE}

    @precondition(lambda self: self.over)
    @rule(place=PLACES, by=st.integers(0, 3))
    def raise_quota_and_repeat(self, place: int, by: int) -> None:
        event = self.over.pop(place % len(self.over))
        right = self.model.rights[event.entitlement_id]
        span = right.span_of(event.event_time)
        if span is not None:  # none: it repeated, for another entitlement, what was refused in its batch
            right.limits[span] += by
            Quota.objects.filter(entitlement_id=right.id, span_start=span).update(limit=right.limits[span])
        self.record([event])

    @precondition(lambda self: self.model.written)
    @rule(places=st.lists(st.tuples(PLACES, BACK, NAMES), min_size=1, max_size=3), behind=CLOCKS)
    def correct(self, places: list[tuple], behind: timedelta) -> None:
        known = list(self.model.written.values())
        batch = []
        for place, units, name in places:
            first = known[-1 - place % len(known)]
            entitlement = next(each for each in self.entitlements if each.pk == first.event.entitlement_id)
            time = first.event.event_time
            batch.append(self.event(entitlement, name, "back", units=units, time=time, corrects=first.id))
        self.record(batch, behind)

    # Clocks

    @rule(by=st.sampled_from([timedelta(seconds=1), timedelta(hours=1), timedelta(hours=13), timedelta(days=4)]))
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @precondition(lambda self: any(month < month_of(self.now) for month, state in self.model.months.items() if state == "open"))
    @rule()
    def close(self) -> None:
        month = min(month for month, state in self.model.months.items() if state == "open")
        BillingMonth.objects.filter(month=month).update(state="closed", closed_at=self.now)
        self.model.months[month] = "closed"

    @rule(limit=st.sampled_from([1, 2, 1000]))
    def fold(self, limit: int) -> None:
        assert rollups.fold(limit=limit) <= limit

    @rule()
    def seal(self) -> None:
        """What is received from now on is received after every hour that has its tree."""
        if trees := sealing.seal(at=self.now):
            self.model.sealed = sealing.hour_of(self.now - sealing.WAIT)
            assert trees[-1].hour < self.model.sealed

    # What holds at every moment

    @invariant()
    def events_are_the_models(self) -> None:
        rows = UsageEvent.objects.values_list(
            "id", "entitlement_id", "event_month", "book_month", "units", "event_time", "received_at", "key_id", "corrects"
        )
        assert {row[0]: row[1:] for row in rows} == {
            identifier: (
                w.event.entitlement_id, month_of(w.event.event_time), w.book_month, w.event.units, w.event.event_time,
                w.received_at, w.event.key_id, w.event.corrects,
            )
            for identifier, w in self.model.written.items()
        }  # fmt: skip
        names = UsageIdentity.objects.values_list("source", "event_id", "usage_id")
        assert {(source, name): usage_id for source, name, usage_id in names} == {
            name: entry.id for name, entry in self.model.names.items()
        }

    @invariant()
    def hours_are_the_sums_of_the_events(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(HOURS)
            assert {row[:6]: list(row[6:]) for row in cursor.fetchall()} == self.model.hours()

    @invariant()
    def quotas_are_used_as_the_events_say_and_never_overspent(self) -> None:
        found = {(q.entitlement_id, q.span_start): (q.used, q.limit) for q in Quota.objects.all()}
        rights = self.model.rights.values()
        said = {(r.id, start): (used, r.limits[start]) for r in rights for start, used in self.model.used(r).items()}
        assert found == said and all(0 <= used <= limit for used, limit in found.values())

    @invariant()
    def months_are_the_models(self) -> None:
        states = dict(BillingMonth.objects.values_list("month", "state"))
        last = max((month for month, state in states.items() if state == "closed"), default=None)
        spare = {after(last): "open"} if last and after(last) in states else {}  # made ready for late use
        assert states == spare | self.model.months


def run(examples: int, steps: int, **more: Any) -> None:
    stall = make_stall()
    stall.key.delete()
    stall.entitlement.delete()
    run_state_machine_as_test(
        lambda: Metering(stall),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # with Phase.shrink a failure takes minutes, and is short
            **more,
        ),
    )


def test_metering_does_what_its_model_does(db):
    run(examples=12, steps=20, derandomize=True)


@pytest.mark.proof
def test_metering_does_what_its_model_does_for_long(db):
    run(examples=40, steps=35)
