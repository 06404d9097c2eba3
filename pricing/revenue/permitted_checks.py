"""What must hold at the moment of a determination: everybody could speak, and what it was computed from has not changed."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from pricing.costs.selectors import admitted_total
from pricing.revenue.models import PermittedRevenue
from pricing.revenue.permitted_refusals import FiguresOutdated, NotAssessed, OpinionsRunning, PeriodOverlaps
from pricing.revenue.permitted_work import deducted, overlapping
from pricing.revenue.standing import before, current_assessment
from pricing.rules.exact import half_up
from products.record.calendar import YearNotLoaded, add_working_days
from products.record.clock import business_date


def opinions_due(permitted_revenue: PermittedRevenue) -> date | None:
    """Last day for opinions on an open draft, in working days of its rule set; None where the calendar does not reach."""
    if permitted_revenue.opinions_since is None:
        return None
    days = int(permitted_revenue.rules["revenue_opinion_working_days"]["value"])
    try:
        return add_working_days(business_date(permitted_revenue.opinions_since), days)
    except YearNotLoaded:
        return None


def check_opinions(own: PermittedRevenue, today: date) -> None:
    """The time for opinions is over, or the operator and the authorising body have both spoken in this round."""
    due = opinions_due(own)
    said = set(own.opinions.filter(at__gte=own.opinions_since).values_list("organisation_id", flat=True))
    waiting = {own.authorisation.operator_id, own.authorisation.authorising_body_id} - said
    if waiting and (due is None or today <= due):
        if due is None:
            message = _("The working days of that time are not loaded: wait until operator and authorising body have spoken.")
        else:
            message = _("The operator and the authorising body may speak until %(due)s; not all of them have.")
            message %= {"due": due.isoformat()}
        raise OpinionsRunning(message, waiting=len(waiting))


def check_current(own: PermittedRevenue, today: date) -> None:
    """What it was computed from still holds: the costs, the carry, the free time."""
    start, end = own.period.lower, own.period.upper
    if overlapping(own.authorisation, start, end) is not None:
        raise PeriodOverlaps(_("Another permitted revenue is determined for that time."))
    earlier = before(authorisation=own.authorisation, start=start)
    if earlier is not None and earlier.period.upper <= today and current_assessment(earlier) is None:
        raise NotAssessed(
            _("The period before has ended: confirm its assessment first, so that what is to be deducted is known.")
        )
    filings = list(own.filings.order_by("year", "id"))
    costs = [admitted_total(filing) for filing in filings if filing.state == "audited"]
    same_cost = len(costs) == len(filings) and half_up(sum(costs), len(costs) or 1) == own.cost_minor
    now_deducts = deducted(own.authorisation, start)
    if not same_cost or (now_deducts.pk if now_deducts else None) != own.deducts_id:
        message = _("The costs or the amount to deduct have changed since this was drafted: send it back and work it out anew.")
        raise FiguresOutdated(message)
