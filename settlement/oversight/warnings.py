"""Warnings at 90 and 100 per cent of what is permitted: told once; sales go on, a price cut is suggested (scenario 30)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.revenue.figures import yuan
from pricing.revenue.models import PermittedRevenue, RevenueWarning
from pricing.revenue.permitted import REGULATOR_ROLES
from pricing.revenue.permitted_notices import URLS
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.models import Case
from products.record.notices import define, notify
from products.record.objects import reference
from products.record.refusals import Refused
from settlement.oversight.revenue import Account, accounts

CASE = "revenue_warning"

define(
    "revenue_warning.reached",
    subject=gettext_lazy("Revenue at %(percent)s%% of the maximum: %(authorisation)s"),
    text=gettext_lazy(
        "%(authorisation)s has earned %(revenue)s yuan of %(amount)s permitted (%(share)s%%). Sales are not blocked; what is "
        "earned above the maximum is deducted next time. Suggested: lower prices from now on by %(cut)s."
    ),
)


class WarningNoteMissing(Refused):
    code = "reason_missing"


def warn(*, at: datetime) -> list[RevenueWarning]:
    """Tell operator, price regulator and data bureau of every mark that was reached and not told yet; a daily job."""
    today = business_date(at)
    running = PermittedRevenue.objects.filter(state=PermittedRevenue.State.DETERMINED, period__contains=today)
    running = running.select_related("authorisation__operator", "regulator", "data_bureau").order_by("id")
    found = []
    for shown in accounts(permitted_revenues=list(running), today=today):
        for percent in reversed(shown.reached):
            warning = _warn(shown, percent, at)
            found += [warning] if warning else []
    return found


@transaction.atomic
def _warn(shown: Account, percent: int, at: datetime) -> RevenueWarning | None:
    own = shown.permitted_revenue
    warning, is_new = RevenueWarning.objects.get_or_create(
        permitted_revenue=own, percent=percent, defaults={"revenue_minor": shown.revenue_minor, "reached_at": at}
    )
    if not is_new:
        return None
    days = int(own.rules.get("revenue_opinion_working_days", {}).get("value", 10))
    cases.open_case(
        kind=CASE, obj=warning, applicant=own.authorisation.operator, handler=own.regulator, limit_days=days, at=at, actor=None
    )
    cut = shown.suggested_cut
    facts = {
        "percent": percent,
        "authorisation": own.authorisation.number,
        "revenue": yuan(shown.revenue_minor),
        "amount": yuan(own.amount_minor),
        "share": str(shown.percent),
        "cut": f"{cut}%" if cut is not None else _("what the operator finds right"),
    }
    for body in (own.authorisation.operator, own.regulator, own.data_bureau):
        url = URLS.get(body.kind, "/console/regulator/revenue/") + f"{own.pk}/"
        notify(kind="revenue_warning.reached", organisation=body, facts=facts, url=url, at=at)
    audit.record(action="revenue_warning.reached", obj=warning, organisation=own.regulator, at=at, facts=facts)
    return warning


@transaction.atomic
def warning_note(*, warning: RevenueWarning, note: str, user: User, at: datetime) -> None:
    """The regulator says what it made of a warning; its case is closed. Raises RoleMissing, WarningNoteMissing, CaseNotOpen."""
    require_role(user, warning.permitted_revenue.regulator, *REGULATOR_ROLES)
    if not note.strip():
        raise WarningNoteMissing(
            _("Say what follows from the warning, for example that a price cut was asked for."), field="note"
        )
    object_type, object_id = reference(warning)
    for case in Case.objects.filter(kind=CASE, object_type=object_type, object_id=object_id).order_by("id"):
        cases.close(case=case, outcome="noted", actor=user, at=at, note=note.strip())
