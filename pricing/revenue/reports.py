"""The operator's annual report on its operation, and the daily look for operations that may leave the trial."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing import parameters
from pricing.bodies import region_of_authorisation
from pricing.revenue.models import OperationReport, PermittedRevenue
from pricing.revenue.standing import (
    beginnings,
    data_bureau_beside,
    first_complete_year,
    full_year_complete,
    on_trial,
    operating_since,
    regulators_of,
)
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.models import Case, Evidence
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.record.rule_sets import NATIONAL, ParameterNotSet, parameter
from products.registry.models import Authorisation

REPORT_ROLES = ("owner", "finance", "publisher", "pricing")
TRIAL_CASE = "trial_to_formal"

define(
    "operation_report.filed",
    subject=gettext_lazy("Operation report of %(year)s: %(authorisation)s"),
    text=gettext_lazy("%(operator)s filed its report on operating %(authorisation)s in %(year)s."),
)
define(
    "trial_to_formal.due",
    subject=gettext_lazy("Trial prices may become formal: %(authorisation)s"),
    text=gettext_lazy(
        "The first full year of operation (%(year)s) of %(authorisation)s is complete. File the costs of %(year)s, so that a "
        "permitted revenue can be determined and formal caps set; %(count)s products are still on trial: %(products)s"
    ),
)


class ReportRefused(Refused):
    code = "operation_report_refused"


@dataclass(frozen=True, slots=True)
class Due:
    """A report of an operation for a year: when it was due, and whether it is there."""

    authorisation: Authorisation
    year: int
    due: date
    report: OperationReport | None

    def is_overdue(self, today: date) -> bool:
        return self.report is None and today > self.due


@transaction.atomic
def operation_report_file(
    *, authorisation: Authorisation, year: int, summary: str, user: User, at: datetime, file: Evidence | None = None
) -> OperationReport:
    """File the annual report with regulator, data bureau and authorising body, once a year of operation.

    Raises RoleMissing, ReportRefused (field ``year`` or ``summary``).
    """
    require_role(user, authorisation.operator, *REPORT_ROLES)
    since, today = operating_since(authorisation=authorisation), business_date(at)
    if since is None or not since.year <= year < today.year:
        raise ReportRefused(_("A report is filed for a past year in which the operation ran."), field="year")
    if not summary.strip():
        raise ReportRefused(_("Say in a few sentences how the year went; the details belong in the file."), field="summary")
    report, is_new = OperationReport.objects.get_or_create(
        authorisation=authorisation,
        year=year,
        defaults={"summary": summary.strip(), "file": file, "filed_by": user, "filed_at": at},
    )
    if not is_new:
        raise ReportRefused(_("The report of %(year)s is already filed; it is never replaced.") % {"year": year}, field="year")
    facts = {"operator": authorisation.operator.name, "authorisation": authorisation.number, "year": year}
    for body in overseeing(authorisation):
        notify(kind="operation_report.filed", organisation=body, facts=facts, url=_url(body.kind), at=at)
    facts["sha256"] = file.sha256 if file else None
    audit.record(action="operation_report.filed", obj=report, actor=user, organisation=authorisation.operator, at=at, facts=facts)
    return report


def overseeing(authorisation: Authorisation) -> list:
    """The price regulator, the data bureau beside it, and the authorising body of an operation."""
    regulators = regulators_of(authorisation)[:1]
    bureaus = [data_bureau_beside(regulator, authorisation) for regulator in regulators]
    return [*regulators, *(bureau for bureau in bureaus if bureau), authorisation.authorising_body]


def _url(kind: str) -> str:
    return "/console/authority/revenue/reports/" if kind == "authorising_body" else "/console/regulator/revenue/reports/"


def report_deadline(*, authorisation: Authorisation, year: int) -> date | None:
    """Last day for the report of a year, in the year after, by the rules in force when the year ended; None: no duty then."""
    region = region_of_authorisation(authorisation) or NATIONAL
    try:
        text = parameter(name="operation_report_deadline", on=date(year, 12, 31), jurisdiction=region)
    except ParameterNotSet:
        return None
    return date.fromisoformat(f"{year + 1}-{text}")


def reports_due(*, authorisations: Iterable[Authorisation], today: date) -> list[Due]:
    """Every year of operation that is over, for each operation, the latest first."""
    own = list(authorisations)
    reports = OperationReport.objects.filter(authorisation__in=own).select_related("filed_by")
    filed = {(report.authorisation_id, report.year): report for report in reports}
    since = beginnings(own)
    deadlines: dict[tuple[str, int], date | None] = {}
    found = []
    for authorisation in own:
        begun = since.get(authorisation.pk)
        last = min(today.year - 1, authorisation.to_date.year)
        for year in range(last, begun.year - 1 if begun else last, -1):
            key = (region_of_authorisation(authorisation), year)
            if key not in deadlines:
                deadlines[key] = report_deadline(authorisation=authorisation, year=year)
            due = deadlines[key]
            if due is not None:
                found.append(Due(authorisation, year, due, filed.get((authorisation.pk, year))))
    return found


@transaction.atomic
def ask_for_formal_prices(*, at: datetime) -> list[Case]:
    """Open a case for every running operation whose first full year is complete and that has no permitted revenue yet.

    Told once: the operator, the price regulator and the authorising body, with the products still on trial (scenario 25).
    A daily job; again on the same day opens nothing new.
    """
    today = business_date(at)
    running = Authorisation.objects.filter(state=Authorisation.State.ACTIVE).select_related("operator", "authorising_body")
    asked = set(Case.objects.filter(kind=TRIAL_CASE).values_list("object_id", flat=True))
    has_one = set(PermittedRevenue.objects.exclude(state="withdrawn").values_list("authorisation_id", flat=True))
    opened = []
    for authorisation in running.order_by("id"):
        if str(authorisation.pk) in asked or authorisation.pk in has_one:
            continue
        if full_year_complete(authorisation=authorisation, on=today):
            opened += _ask(authorisation, at)
    return opened


def _ask(authorisation: Authorisation, at: datetime) -> list[Case]:
    bodies = [*regulators_of(authorisation)[:1], authorisation.operator, authorisation.authorising_body]
    if bodies[0].kind != "price_regulator":
        return []
    products = [product.name for product in on_trial(authorisation)]
    region, today = region_of_authorisation(authorisation), business_date(at)
    days = parameters.days(name="trial_to_formal_working_days", on=today, region=region)
    case = cases.open_case(
        kind=TRIAL_CASE,
        obj=authorisation,
        applicant=authorisation.operator,
        handler=bodies[0],
        limit_days=days,
        at=at,
        actor=None,
    )
    facts = {
        "authorisation": authorisation.number,
        "year": first_complete_year(authorisation=authorisation),
        "count": len(products),
        "products": "、".join(products),
    }
    urls = {"operator": "/console/operator/revenue/", "authorising_body": "/console/authority/revenue/"}
    for body in bodies:
        notify(
            kind="trial_to_formal.due",
            organisation=body,
            facts=facts,
            url=urls.get(body.kind, "/console/regulator/revenue/"),
            at=at,
        )
    return [case]


@transaction.atomic
def close_trial_case(*, authorisation: Authorisation, user: User, at: datetime) -> None:
    """A formal permitted revenue is determined: what was asked for is done."""
    for case in Case.objects.filter(kind=TRIAL_CASE, object_id=str(authorisation.pk)).exclude(state="closed"):
        cases.close(case=case, outcome="formal", actor=user, at=at)
