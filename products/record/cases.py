"""Cases: something that must be dealt with in a number of working days, on a clock that stops while the other side must act.

The stretches in which the clock ran are kept as dates, not as counts, so that a case may be filed, stopped and resumed in a year
whose holidays are not known yet, and is computable as soon as they are (domain.md F15, scenarios 3 to 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from products.organisations.models import Organisation, User
from products.record import audit
from products.record.calendar import Calendar, YearNotLoaded, add_working_days, load, working_days_between
from products.record.clock import business_date
from products.record.models import Case, CaseEvent, CaseState, Evidence
from products.record.objects import reference
from products.record.refusals import Refused


class CaseNotOpen(Refused):
    code = "case_not_open"


class CaseNotWaiting(Refused):
    code = "case_not_waiting"


@dataclass(frozen=True)
class DaysLeft:
    """Working days left (negative when late) and the last day, or the year that must be loaded to know them."""

    state: str
    days: int | None = None
    used: int | None = None
    due: date | None = None
    missing_year: int | None = None

    @property
    def is_late(self) -> bool:
        return self.days is not None and self.days < 0

    @property
    def number(self) -> int | None:
        """What a page's badge counts: the days left, None where there is no number."""
        return self.days

    @property
    def overdue(self) -> int:
        return max(-(self.days or 0), 0)

    @property
    def text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if self.missing_year is not None:
            return _("not computable: %(year)s not loaded") % {"year": self.missing_year}
        if self.days is None:
            return _("closed")
        if self.days < 0:
            late = -self.days
            return ngettext("%(n)s working day late", "%(n)s working days late", late) % {"n": late}
        text = ngettext("%(n)s working day left", "%(n)s working days left", self.days) % {"n": self.days}
        return text if self.state != CaseState.WAITING else _("%(days)s, clock stopped") % {"days": text}


@transaction.atomic
def open_case(
    *,
    kind: str,
    obj: Model | tuple[str, str],
    applicant: Organisation | None,
    handler: Organisation,
    limit_days: int,
    at: datetime,
    actor: User | None,
    note: str = "",
) -> Case:
    """Start the clock. The day of the event is not counted: the first working day after it is day 1."""
    object_type, object_id = reference(obj)
    day = business_date(at)
    case = Case.objects.create(
        kind=kind,
        object_type=object_type,
        object_id=object_id,
        applicant=applicant,
        handler=handler,
        limit_days=limit_days,
        opened_date=day,
        running_since=day,
        opened_at=at,
    )
    _happened(case, "opened", actor, at, note)
    return case


@transaction.atomic
def ask_corrections(*, case: Case, actor: User, at: datetime, note: str, evidence: Sequence[Evidence] = ()) -> Case:
    """Stop the clock until the applicant has answered. Raises CaseNotOpen."""
    _stop(case, CaseState.OPEN, CaseState.WAITING, at)
    _happened(case, "corrections_asked", actor, at, note, evidence)
    return case


@transaction.atomic
def resume(*, case: Case, actor: User, at: datetime, note: str = "", evidence: Sequence[Evidence] = ()) -> Case:
    """The applicant has answered: the clock goes on from where it stood; this day is not counted. Raises CaseNotWaiting."""
    claimed = Case.objects.filter(pk=case.pk, state=CaseState.WAITING)
    if not claimed.update(state=CaseState.OPEN, running_since=business_date(at)):
        raise CaseNotWaiting(_("This case does not wait for corrections."))
    case.refresh_from_db()
    _happened(case, "resumed", actor, at, note, evidence)
    return case


@transaction.atomic
def note(*, case: Case, actor: User, at: datetime, note: str, evidence: Sequence[Evidence] = ()) -> CaseEvent:
    """A remark for the file; the clock does not care."""
    return _happened(case, "note", actor, at, note, evidence)


@transaction.atomic
def close(*, case: Case, outcome: str, actor: User | None, at: datetime, note: str = "") -> Case:
    """Dealt with: ``outcome`` is a stable word, for example ``accepted``. Raises CaseNotOpen where it is closed already."""
    if case.state == CaseState.WAITING:
        claimed = Case.objects.filter(pk=case.pk, state=CaseState.WAITING).update(state=CaseState.CLOSED)
        if not claimed:
            raise CaseNotOpen(_("This case is already closed."))
    else:
        _stop(case, CaseState.OPEN, CaseState.CLOSED, at)
    Case.objects.filter(pk=case.pk).update(outcome=outcome, closed_at=at)
    case.refresh_from_db()
    _happened(case, "closed", actor, at, note)
    return case


def days_left(*, case: Case, today: date, calendar: Calendar | None = None) -> DaysLeft:
    """What the clock shows on a day. In a list, pass ``calendar=load()`` once for all rows."""
    calendar = calendar or load()
    try:
        used = sum(
            working_days_between(date.fromisoformat(start), date.fromisoformat(end), calendar=calendar)
            for start, end in case.past_runs
        )
        if case.state == CaseState.CLOSED:
            return DaysLeft(case.state, used=used)
        if case.running_since is None:
            return DaysLeft(case.state, days=case.limit_days - used, used=used)
        due = add_working_days(case.running_since, max(case.limit_days - used, 0), calendar=calendar)
        used += working_days_between(case.running_since, today, calendar=calendar)
    except YearNotLoaded as missing:
        return DaysLeft(case.state, missing_year=missing.year)
    return DaysLeft(case.state, days=case.limit_days - used, used=used, due=due)


def _stop(case: Case, old: Any, new: Any, at: datetime) -> None:
    locked = Case.objects.select_for_update().get(pk=case.pk)
    if locked.state != old:
        raise CaseNotOpen(_("This case is not open."))
    if locked.running_since is not None:
        locked.past_runs = [*locked.past_runs, [locked.running_since.isoformat(), business_date(at).isoformat()]]
    locked.running_since, locked.state = None, new
    locked.save(update_fields=["past_runs", "running_since", "state"])
    case.refresh_from_db()


def _happened(
    case: Case, kind: str, actor: User | None, at: datetime, note: str = "", evidence: Sequence[Evidence] = ()
) -> CaseEvent:
    event = CaseEvent.objects.create(case=case, at=at, actor=actor, kind=kind, note=note)
    event.evidence.add(*evidence)
    audit.record(
        action=f"case.{kind}",
        obj=case,
        actor=actor,
        organisation=case.handler,
        at=at,
        reason=note,
        facts={"kind": case.kind, "about": [case.object_type, case.object_id], "outcome": case.outcome},
    )
    return event
