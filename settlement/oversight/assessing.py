"""Assess an ended period: closed charges only, handed to pricing, which holds them against the maximum."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from pricing.revenue.assessments import Revenue, assessment_make
from pricing.revenue.models import PermittedRevenue, RevenueAssessment
from pricing.revenue.permitted_rules import months_of
from pricing.revenue.standing import guided_products
from products.organisations.models import User
from products.record.refusals import Refused
from settlement.billing.models import BillingMonth
from settlement.oversight.revenue import earnings


class MonthsNotClosed(Refused):
    """A month of the period is not closed yet, so its revenue is not final."""

    code = "months_not_closed"


def assess(*, permitted_revenue: PermittedRevenue, user: User, at: datetime) -> RevenueAssessment:
    """Hold the closed revenue of an ended period against its maximum; another person confirms.

    Raises MonthsNotClosed and what ``assessment_make`` raises.
    """
    last = permitted_revenue.period.upper - timedelta(days=1)
    if not BillingMonth.objects.filter(month=last.replace(day=1), state=BillingMonth.State.CLOSED).exists():
        message = _("%(month)s is not closed yet; an assessment takes closed months only.")
        raise MonthsNotClosed(message % {"month": f"{last:%Y-%m}"})
    return assessment_make(permitted_revenue=permitted_revenue, revenue=closed_revenue(permitted_revenue), user=user, at=at)


def closed_revenue(permitted_revenue: PermittedRevenue) -> Revenue:
    """The closed revenue of the period, by month and by product."""
    start, end = permitted_revenue.period.lower, permitted_revenue.period.upper
    products = list(guided_products(permitted_revenue.authorisation))
    cells = earnings(products=[product.pk for product in products], from_date=start, to_date=end, today=None).closed
    months = [(month, sum(minor for (_p, m), minor in cells.items() if m == month)) for month in months_of(start, end)]
    rows = [(p.code, p.name, sum(minor for (pk, _m), minor in cells.items() if pk == p.pk)) for p in products]
    return Revenue(months, rows)
