"""The maximum permitted revenue: draft → opinions → agreed by the data bureau → determined by another person → in force.

Three people, of two bodies: who drafts, who agrees for the data bureau, who determines. Either body may send a draft back.
What is determined never changes (triggers). Amounts: ``permitted_rules``; checks: ``permitted_work``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from pricing.revenue import permitted_papers
from pricing.revenue.models import PermittedRevenue, RevenueOpinion
from pricing.revenue.permitted_checks import check_current, check_opinions
from pricing.revenue.permitted_notices import tell
from pricing.revenue.permitted_refusals import (
    NoDataBureau,
    NotAgreed,
    NotAsked,
    ReasonMissing,
    SamePersonActs,
    StepOutOfOrder,
)
from pricing.revenue.permitted_work import Inputs, Worked, work_out
from pricing.revenue.reports import close_trial_case
from pricing.revenue.standing import data_bureau_beside
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.registry.models import Authorisation

REGULATOR_ROLES = ("pricing", "reviewer", "decider")
BUREAU_ROLES = ("reviewer", "decider")
OPINION_ROLES = ("owner", "pricing", "reviewer", "decider", "approver")
CASE = "permitted_revenue"
State: Any = PermittedRevenue.State
Stance: Any = RevenueOpinion.Stance


@transaction.atomic
def permitted_revenue_draft(
    *, authorisation: Authorisation, regulator: Organisation, inputs: Inputs, user: User, at: datetime
) -> PermittedRevenue:
    """Draft a maximum permitted revenue from audited costs; a case with its clock begins.

    Raises RoleMissing and what ``permitted_work.problems`` finds: NotThisRegulator, NoFullYear, PeriodRefused, FilingRefused,
    RateTooHigh, FigureRefused; NoDataBureau where nobody could agree.
    """
    require_role(user, regulator, *REGULATOR_ROLES)
    bureau = data_bureau_beside(regulator, authorisation)
    if bureau is None:
        raise NoDataBureau(_("No data bureau of this region is on the platform; a determination needs one."))
    worked = work_out(authorisation=authorisation, regulator=regulator, inputs=inputs, on=business_date(at))
    drafted = PermittedRevenue(authorisation=authorisation, regulator=regulator, data_bureau=bureau)
    _fill(drafted, inputs, worked, user, at)
    drafted.filings.set(inputs.filings)
    days = int(worked.rules["revenue_determination_working_days"]["value"])
    drafted.case = cases.open_case(
        kind=CASE, obj=drafted, applicant=authorisation.operator, handler=regulator, limit_days=days, at=at, actor=user
    )
    drafted.save(update_fields=["case"])
    _record("drafted", drafted, user, at, {"amount_minor": drafted.amount_minor, "period": str(drafted.period)})
    return drafted


@transaction.atomic
def permitted_revenue_revise(
    *, permitted_revenue: PermittedRevenue, inputs: Inputs, user: User, at: datetime
) -> PermittedRevenue:
    """Work a draft out anew; who revises it is its drafter from now on. Raises as the draft does, StepOutOfOrder."""
    drafted = _locked(permitted_revenue, State.DRAFT)
    require_role(user, drafted.regulator, *REGULATOR_ROLES)
    worked = work_out(authorisation=drafted.authorisation, regulator=drafted.regulator, inputs=inputs, on=business_date(at))
    _fill(drafted, inputs, worked, user, at)
    drafted.filings.set(inputs.filings)
    _record("revised", drafted, user, at, {"amount_minor": drafted.amount_minor, "period": str(drafted.period)})
    return drafted


def _fill(drafted: PermittedRevenue, inputs: Inputs, worked: Worked, user: User, at: datetime) -> None:
    terms, amounts = worked.terms, worked.amounts
    values = {
        "period": DateRange(terms.start, terms.end),
        "rules": worked.rules,
        "cost_minor": terms.cost_minor,
        "assets_minor": terms.assets_minor,
        "treasury_yield": inputs.treasury_yield,
        "treasury_source": inputs.treasury_source.strip(),
        "profit_rate": terms.profit_rate,
        "profit_minor": amounts.profit_minor,
        "income_tax_rate": terms.tax_rate,
        "tax_minor": amounts.tax_minor,
        "year_minor": amounts.year_minor,
        "prorated_minor": amounts.prorated_minor,
        "deduction_minor": amounts.deduction_minor,
        "carry_on_minor": amounts.carry_on_minor,
        "deducts": worked.deducts,
        "amount_minor": amounts.amount_minor,
        "figures": worked.figures,
        "reason": inputs.reason.strip(),
        "drafted_by": user,
        "drafted_at": at,
    }
    for name, value in values.items():
        setattr(drafted, name, value)
    drafted.save()


@transaction.atomic
def permitted_revenue_open(*, permitted_revenue: PermittedRevenue, user: User, at: datetime) -> PermittedRevenue:
    """Ask the operator, the authorising body and the data bureau for their opinions. Raises StepOutOfOrder, RoleMissing."""
    opened = _locked(permitted_revenue, State.DRAFT)
    require_role(user, opened.regulator, *REGULATOR_ROLES)
    opened.state, opened.opinions_since = State.OPINIONS, at
    opened.save(update_fields=["state", "opinions_since"])
    tell("opened", opened, (opened.authorisation.operator, opened.authorisation.authorising_body, opened.data_bureau), at)
    _record("opened", opened, user, at)
    return opened


@transaction.atomic
def opinion_add(
    *, permitted_revenue: PermittedRevenue, organisation: Organisation, stance: str, text: str, user: User, at: datetime
) -> RevenueOpinion:
    """What the operator, the authorising body or the data bureau says about an open draft: ``agree`` or ``remark``.

    The data bureau's consent is ``permitted_revenue_agree``, its refusal ``permitted_revenue_send_back``. Raises NotAsked,
    RoleMissing, StepOutOfOrder, ReasonMissing (a remark without words).
    """
    asked = _locked(permitted_revenue, State.OPINIONS)
    if organisation.pk not in asked_bodies(asked):
        raise NotAsked(_("Only the operator, the authorising body and the data bureau are asked about this draft."))
    require_role(user, organisation, *OPINION_ROLES)
    if stance not in (Stance.AGREE, Stance.REMARK) or (stance == Stance.AGREE and organisation.pk == asked.data_bureau_id):
        raise NotAsked(
            _("Say whether you agree or remark; the data bureau agrees or sends back by its own step."), field="stance"
        )
    if stance == Stance.REMARK:
        _need_reason(text, "text")
    opinion = _say(asked, organisation, stance, text, user, at)
    _record("opinion", asked, user, at, {"stance": stance, "body": organisation.pk}, reason=text, organisation=organisation)
    return opinion


def asked_bodies(permitted_revenue: PermittedRevenue) -> tuple[int, int, int]:
    """Ids of operator, authorising body and data bureau."""
    own = permitted_revenue.authorisation
    return own.operator_id, own.authorising_body_id, permitted_revenue.data_bureau_id


@transaction.atomic
def permitted_revenue_send_back(
    *, permitted_revenue: PermittedRevenue, organisation: Organisation, reason: str, user: User, at: datetime
) -> PermittedRevenue:
    """Back to a draft, with a reason: by the data bureau, or by another person of the regulator than the drafter.

    Raises NotAsked, RoleMissing, SamePersonActs, ReasonMissing, StepOutOfOrder.
    """
    sent = _locked(permitted_revenue, State.OPINIONS)
    if organisation.pk not in (sent.regulator_id, sent.data_bureau_id):
        raise NotAsked(_("Only the price regulator and the data bureau send a draft back."))
    require_role(user, organisation, *(REGULATOR_ROLES if organisation.pk == sent.regulator_id else BUREAU_ROLES))
    if user.pk == sent.drafted_by_id:
        raise SamePersonActs(_("You drafted this: another person sends it back, or withdraw it."))
    _need_reason(reason, "reason")
    _say(sent, organisation, Stance.SEND_BACK, reason, user, at)
    sent.state, sent.opinions_since, sent.agreed_by, sent.agreed_at = State.DRAFT, None, None, None
    sent.save(update_fields=["state", "opinions_since", "agreed_by", "agreed_at"])
    tell("sent_back", sent, (sent.regulator,), at, body=organisation.name, reason=reason)
    _record("sent_back", sent, user, at, reason=reason, organisation=organisation)
    return sent


@transaction.atomic
def permitted_revenue_agree(*, permitted_revenue: PermittedRevenue, user: User, at: datetime, text: str = "") -> PermittedRevenue:
    """The data bureau agrees, by name. Raises RoleMissing, SamePersonActs, StepOutOfOrder (not open, or agreed already)."""
    agreed = _locked(permitted_revenue, State.OPINIONS)
    require_role(user, agreed.data_bureau, *BUREAU_ROLES)
    if agreed.agreed_by_id is not None:
        raise StepOutOfOrder(_("The data bureau has already agreed to this draft."))
    if user.pk == agreed.drafted_by_id:
        raise SamePersonActs(_("You drafted this for the price regulator: another person agrees for the data bureau."))
    agreed.agreed_by, agreed.agreed_at = user, at
    agreed.save(update_fields=["agreed_by", "agreed_at"])
    _say(agreed, agreed.data_bureau, Stance.AGREE, text, user, at)
    tell("agreed", agreed, (agreed.regulator,), at)
    _record("agreed", agreed, user, at, reason=text, organisation=agreed.data_bureau)
    return agreed


@transaction.atomic
def permitted_revenue_determine(*, permitted_revenue: PermittedRevenue, user: User, at: datetime) -> PermittedRevenue:
    """Another person of the regulator determines what the data bureau agreed to; a numbered public document is issued.

    Raises RoleMissing, SamePersonActs, NotAgreed, OpinionsRunning, NotAssessed, FiguresOutdated, PeriodOverlaps.
    """
    own = _locked(permitted_revenue, State.OPINIONS)
    require_role(user, own.regulator, *REGULATOR_ROLES)
    if user.pk in (own.drafted_by_id, own.agreed_by_id):
        raise SamePersonActs(_("Three different people draft, agree and determine; you have acted on this one already."))
    if own.agreed_by_id is None:
        raise NotAgreed(_("The data bureau has not agreed yet: the maximum is determined together with it."))
    check_opinions(own, business_date(at))
    check_current(own, business_date(at))
    own.state, own.determined_by, own.determined_at = State.DETERMINED, user, at
    own.save(update_fields=["state", "determined_by", "determined_at"])
    own.document = permitted_papers.determination(own, user=user, at=at)
    own.save(update_fields=["document"])
    if own.case is not None:
        cases.close(case=own.case, outcome="determined", actor=user, at=at)
    close_trial_case(authorisation=own.authorisation, user=user, at=at)
    told = (own.authorisation.operator, own.authorisation.authorising_body, own.data_bureau, own.regulator)
    tell("determined", own, told, at, number=own.document.number)
    _record("determined", own, user, at, {"amount_minor": own.amount_minor, "document": own.document.number})
    return own


@transaction.atomic
def permitted_revenue_withdraw(*, permitted_revenue: PermittedRevenue, reason: str, user: User, at: datetime) -> PermittedRevenue:
    """Drop what is not determined. Raises RoleMissing, ReasonMissing, StepOutOfOrder."""
    dropped = _locked(permitted_revenue, State.DRAFT, State.OPINIONS)
    require_role(user, dropped.regulator, *REGULATOR_ROLES)
    _need_reason(reason, "reason")
    dropped.state = State.WITHDRAWN
    dropped.save(update_fields=["state"])
    if dropped.case is not None:
        cases.close(case=dropped.case, outcome="withdrawn", actor=user, at=at, note=reason)
    _record("withdrawn", dropped, user, at, reason=reason)
    return dropped


def _locked(permitted_revenue: PermittedRevenue, *states: str) -> PermittedRevenue:
    """The row under lock, with its operation under lock too: one determination at a time. Raises StepOutOfOrder."""
    Authorisation.objects.select_for_update(no_key=True).get(pk=permitted_revenue.authorisation_id)
    own = PermittedRevenue.objects.select_for_update(of=("self",), no_key=True).select_related(
        "authorisation__operator", "authorisation__authorising_body", "regulator", "data_bureau", "case", "document"
    )
    found = own.get(pk=permitted_revenue.pk)
    if found.state not in states:
        raise StepOutOfOrder(_("This permitted revenue is at another step by now; look at it again."), state=found.state)
    return found


def _need_reason(reason: str, field: str) -> None:
    if not reason.strip():
        raise ReasonMissing(_("Give the reason: it is kept and shown with your name."), field=field)


def _say(own: PermittedRevenue, organisation: Organisation, stance: str, text: str, user: User, at: datetime) -> RevenueOpinion:
    return RevenueOpinion.objects.create(
        permitted_revenue=own, organisation=organisation, user=user, stance=stance, text=text.strip(), at=at
    )


def _record(
    act: str,
    own: PermittedRevenue,
    user: User,
    at: datetime,
    facts: dict[str, Any] | None = None,
    reason: str = "",
    organisation: Organisation | None = None,
) -> None:
    audit.record(
        action=f"permitted_revenue.{act}",
        obj=own,
        actor=user,
        organisation=organisation or own.regulator,
        at=at,
        reason=reason,
        facts=facts,
    )
