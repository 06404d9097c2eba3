"""Assessment of an ended period (F4, F5): made by one person of the regulator, confirmed by another; a restatement is a new row.

Revenue comes from above as an argument (settlement.oversight.assessing): this floor knows no charges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.revenue import permitted_papers
from pricing.revenue.figures import yuan
from pricing.revenue.models import PermittedRevenue, RevenueAssessment
from pricing.revenue.permitted import REGULATOR_ROLES
from pricing.revenue.permitted_notices import URLS
from pricing.revenue.permitted_rules import Outcome, outcome
from pricing.revenue.standing import HOLDING, before, current_assessment
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.registry.models import Authorisation

define(
    "revenue_assessment.confirmed",
    subject=gettext_lazy("Revenue assessed: %(authorisation)s"),
    text=gettext_lazy(
        "Revenue of %(authorisation)s, %(period)s: %(revenue)s yuan of %(amount)s permitted; %(carry)s yuan are deducted next."
    ),
)


class PeriodNotOver(Refused):
    code = "period_not_over"


class AssessmentUnchanged(Refused):
    """A restatement that would say the same."""

    code = "assessment_unchanged"


class AssessmentOutOfOrder(Refused):
    code = "assessment_out_of_order"


class AssessorConfirms(Refused):
    """Who made an assessment does not confirm it."""

    code = "same_person"


@dataclass(frozen=True, slots=True)
class Revenue:
    """What was earned in the period by service date, net of VAT, fen; ``months`` and ``products`` add up to the whole."""

    months: Sequence[tuple[date, int]]
    products: Sequence[tuple[str, str, int]]  # code, name, fen

    @property
    def total_minor(self) -> int:
        return sum(minor for _month, minor in self.months)

    def facts(self) -> dict[str, Any]:
        months = [{"month": f"{month:%Y-%m}", "net_minor": minor} for month, minor in self.months]
        products = [{"code": code, "name": name, "net_minor": minor} for code, name, minor in self.products]
        return {"months": months, "products": products}


@transaction.atomic
def assessment_make(*, permitted_revenue: PermittedRevenue, revenue: Revenue, user: User, at: datetime) -> RevenueAssessment:
    """Hold an ended period's revenue against its maximum; where one is confirmed already, this restates it.

    Raises RoleMissing, PeriodNotOver, AssessmentUnchanged, AssessmentOutOfOrder (not determined; one waits for confirmation).
    """
    own = _locked(permitted_revenue)
    require_role(user, own.regulator, *REGULATOR_ROLES)
    if own.period.upper > business_date(at):
        raise PeriodNotOver(_("The period runs until %(day)s; it is assessed when it is over.") % {"day": own.period.upper})
    if own.assessments.filter(confirmed_at=None).exists():
        raise AssessmentOutOfOrder(_("An assessment of this period waits for its confirmation."))
    held = current_assessment(own)
    correction = _correction(own)
    found = outcome_of(own, revenue.total_minor, correction)
    if held is not None and (held.revenue_minor, held.carry_minor) == (revenue.total_minor, found.carry_minor):
        raise AssessmentUnchanged(_("Nothing has changed since the assessment that holds."))
    facts = revenue.facts() | {"carry_on_minor": own.carry_on_minor, "correction_minor": correction}
    made = RevenueAssessment.objects.create(
        permitted_revenue=own,
        restates=held,
        revenue_minor=revenue.total_minor,
        excess_minor=found.excess_minor,
        interest_minor=found.interest_minor,
        carry_minor=found.carry_minor,
        shortfall_minor=found.shortfall_minor,
        facts=facts,
        made_by=user,
        made_at=at,
    )
    _record("made", made, user, at)
    return made


@transaction.atomic
def assessment_confirm(*, assessment: RevenueAssessment, user: User, at: datetime) -> RevenueAssessment:
    """Another person of the regulator confirms; the next draft deducts the carry. Raises AssessorConfirms, RoleMissing."""
    own = _locked(assessment.permitted_revenue)
    made = RevenueAssessment.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=assessment.pk)
    require_role(user, own.regulator, *REGULATOR_ROLES)
    if made.confirmed_at is not None:
        raise AssessmentOutOfOrder(_("This assessment is confirmed already."))
    if user.pk == made.made_by_id:
        raise AssessorConfirms(_("You made this assessment; another person confirms it."))
    made.confirmed_by, made.confirmed_at = user, at
    made.save(update_fields=["confirmed_by", "confirmed_at"])
    made.permitted_revenue = own
    made.document = permitted_papers.assessment(made, user=user, at=at)
    made.save(update_fields=["document"])
    PermittedRevenue.objects.filter(pk=own.pk, state=PermittedRevenue.State.DETERMINED).update(
        state=PermittedRevenue.State.CLOSED
    )
    _tell(made, own, at)
    _record("confirmed", made, user, at)
    return made


def outcome_of(own: PermittedRevenue, revenue_minor: int, correction_minor: int) -> Outcome:
    """F5 by the rules that the determination kept."""
    interest = Decimal(str(own.rules.get("over_recovery_interest", {}).get("value", "0")))
    return outcome(
        revenue_minor=revenue_minor,
        amount_minor=own.amount_minor,
        carry_on_minor=own.carry_on_minor,
        correction_minor=correction_minor,
        interest=interest,
    )


def _correction(own: PermittedRevenue) -> int:
    """What the period before carries today, less what this one took over when it was determined."""
    earlier = before(authorisation=own.authorisation, start=own.period.lower)
    holds = current_assessment(earlier) if earlier else None
    taken = own.deducts.carry_minor if own.deducts else 0
    return (holds.carry_minor if holds else 0) - taken


def _locked(permitted_revenue: PermittedRevenue) -> PermittedRevenue:
    Authorisation.objects.select_for_update(no_key=True).get(pk=permitted_revenue.authorisation_id)
    own = PermittedRevenue.objects.select_related("authorisation__operator", "authorisation__authorising_body")
    found = own.select_related("regulator", "data_bureau", "deducts").get(pk=permitted_revenue.pk)
    if found.state not in HOLDING:
        raise AssessmentOutOfOrder(_("Only a determined permitted revenue is assessed."))
    return found


def _tell(made: RevenueAssessment, own: PermittedRevenue, at: datetime) -> None:
    facts = {
        "authorisation": own.authorisation.number,
        "period": permitted_papers.period_text(own.period),
        "revenue": yuan(made.revenue_minor),
        "amount": yuan(own.amount_minor),
        "carry": yuan(made.carry_minor),
    }
    for body in (own.authorisation.operator, own.data_bureau):
        url = URLS.get(body.kind, "/console/regulator/revenue/") + f"{own.pk}/"
        notify(kind="revenue_assessment.confirmed", organisation=body, facts=facts, url=url, at=at)


def _record(act: str, made: RevenueAssessment, user: User, at: datetime) -> None:
    facts = {"revenue_minor": made.revenue_minor, "carry_minor": made.carry_minor, "restates": made.restates_id}
    regulator = made.permitted_revenue.regulator
    audit.record(action=f"revenue_assessment.{act}", obj=made, actor=user, organisation=regulator, at=at, facts=facts)
