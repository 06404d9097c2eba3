"""Reads of the workbench: the cases that an office sees, each with its clock, and the reports that are overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from market.consoles.case_kinds import case_url, kind_label, subjects_of
from pricing.bodies import of_region, stem
from pricing.models import CapFiling
from pricing.revenue.reports import reports_due
from products.models import Authorisation, Organisation
from products.organisations.models import OrganisationKind
from products.record.calendar import Calendar, YearNotLoaded, add_working_days
from products.record.cases import DaysLeft, days_left
from products.record.clock import business_date
from products.record.models import Case, CaseState
from products.record.rule_sets import parameter

FAR = 10_000  # working days: what cannot be computed stands last


@dataclass(frozen=True)
class Row:
    """A case as the queue shows it."""

    case: Case
    left: DaysLeft
    kind: str
    subject: str
    url: str


@dataclass(frozen=True)
class Overdue:
    """A report that did not come. ``due`` is its last day; ``late`` counts working days."""

    kind: str
    body: Organisation
    about: str
    due: date
    url: str


def cases_of(office: Organisation) -> QuerySet[Case]:
    """The regulator's own cases; for the data bureau, its own and those of the price regulators of its region."""
    mine = Q(handler=office)
    if office.kind == OrganisationKind.DATA_BUREAU:
        mine |= Q(handler__kind=OrganisationKind.PRICE_REGULATOR, handler__region__startswith=stem(office.region))
    return Case.objects.filter(mine).select_related("applicant", "handler").order_by("opened_at", "id")


def counts_by_kind(cases: QuerySet[Case]) -> list[tuple[str, str, int]]:
    """(kind, its name, how many are not closed), by name."""
    rows = cases.exclude(state=CaseState.CLOSED).order_by().values_list("kind").annotate(number=Count("id"))
    return sorted(((kind, kind_label(kind), number) for kind, number in rows), key=lambda row: row[1])


def by_urgency(cases: Sequence[Case], *, today: date, calendar: Calendar) -> list[tuple[Case, DaysLeft]]:
    """Cases with their clocks, the most urgent first; those whose clock stands or cannot be read come last."""
    clocks = [(case, days_left(case=case, today=today, calendar=calendar)) for case in cases]

    def urgency(pair: tuple[Case, DaysLeft]) -> tuple[bool, int, int]:
        case, left = pair
        return case.state != CaseState.OPEN, FAR if left.days is None else left.days, case.pk

    return sorted(clocks, key=urgency)


def rows(pairs: Sequence[tuple[Case, DaysLeft]]) -> list[Row]:
    """The rows of one page: what each case is about is looked up once a kind."""
    subjects = subjects_of([case for case, _left in pairs])
    return [Row(case, left, kind_label(case.kind), subjects[case.pk], case_url(case)) for case, left in pairs]


def authorisations_of_region(office: Organisation) -> QuerySet[Authorisation]:
    prefix = stem(office.region)
    own = Q(region__startswith=prefix) | Q(region="", authorising_body__region__startswith=prefix)
    found = Authorisation.objects.filter(own, state="active").select_related("operator", "authorising_body")
    return found.order_by("number", "id")


def overdue_reports(*, office: Organisation, today: date, calendar: Calendar) -> list[Overdue]:
    """Caps approved and not reported in writing in time, and annual reports of the last year that did not come."""
    found = [*_caps_not_reported(office, today, calendar), *_annual_reports_missing(office, today)]
    return sorted(found, key=lambda each: (each.due, each.body.pk, each.about))


def _caps_not_reported(office: Organisation, today: date, calendar: Calendar) -> list[Overdue]:
    waiting = CapFiling.objects.filter(of_region(stem(office.region), "product__authorisation"), state="approved")
    found = []
    for filing in waiting.select_related("product", "authorising_body").order_by("id"):
        assert filing.approved_at is not None
        approved = business_date(filing.approved_at)
        days = int(parameter(name="cap_report_working_days", on=approved, jurisdiction=filing.authorising_body.region or "CN"))
        try:
            due = add_working_days(approved, days, calendar=calendar)
        except YearNotLoaded:
            continue
        if due < today:
            found.append(Overdue("caps", filing.authorising_body, f"{filing.product.name} {filing.document_no}", due, ""))
    return found


def _annual_reports_missing(office: Organisation, today: date) -> list[Overdue]:
    due = reports_due(authorisations=authorisations_of_region(office), today=today)
    return [
        Overdue("annual", each.authorisation.operator, f"{each.authorisation.number} {each.year}", each.due, "")
        for each in due
        if each.is_overdue(today)
    ]


def open_numbers(pairs: Sequence[tuple[Case, DaysLeft]]) -> Mapping[str, int]:
    """What the head of the page counts."""
    running = [left for case, left in pairs if case.state == CaseState.OPEN]
    return {
        "open": len(running),
        "late": sum(left.is_late for left in running),
        "soon": sum(left.days is not None and 0 <= left.days <= 3 for left in running),
        "waiting": sum(case.state == CaseState.WAITING for case, _left in pairs),
    }
