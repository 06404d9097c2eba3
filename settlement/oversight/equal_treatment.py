"""Equal treatment: find like buyers that paid differently, ask the operator, let the price regulator decide (domain.md R8, R51).

A finding is a question, not a judgement: the operator explains within the days of the rule set, the regulator upholds or
dismisses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing import parameters
from pricing.bodies import NoRegulator, region_of, regulator_of
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused
from settlement.billing.models import BillingMonth, Charge
from settlement.oversight.buyers import Buyer, buyers_of_charges, buyers_so_far
from settlement.oversight.equal_treatment_rules import Pair, unequal_pairs
from settlement.oversight.models import EqualTreatmentFlag

CASE = "equal_treatment"
OPERATOR_ROLES = ("pricing", "owner")
REGULATOR_ROLES = ("pricing", "reviewer", "decider")
State = EqualTreatmentFlag.State

define(
    "equal_treatment.found",
    subject=gettext_lazy("Like buyers paid differently: %(product)s"),
    text=gettext_lazy("In %(month)s two like buyers of %(product)s paid differently. Explain it by %(due)s."),
)
define(
    "equal_treatment.explained",
    subject=gettext_lazy("Explanation received: %(product)s"),
    text=gettext_lazy("%(operator)s explained why two like buyers of %(product)s paid differently in %(month)s."),
)
define(
    "equal_treatment.upheld",
    subject=gettext_lazy("Differential treatment found: %(product)s"),
    text=gettext_lazy("Like buyers of %(product)s were not treated alike in %(month)s, says the price regulator: %(reason)s"),
)
define(
    "equal_treatment.dismissed",
    subject=gettext_lazy("No differential treatment: %(product)s"),
    text=gettext_lazy("The price regulator closed the question about %(product)s in %(month)s: %(reason)s"),
)


class FlagNotOpen(Refused):
    code = "equal_treatment_not_open"


class ReasonMissing(Refused):
    code = "equal_treatment_reason_missing"


class OperatorStillToAnswer(Refused):
    """The operator has not explained, and its working days are not over."""

    code = "equal_treatment_operator_still_to_answer"


class DecidedByExplainer(Refused):
    """Who explained does not decide."""

    code = "equal_treatment_decided_by_explainer"


def findings(*, month: date) -> list[tuple[Pair, Buyer, Buyer]]:
    """The unequal pairs of a service month with both cases: as charged where the month is closed, else as a close now would."""
    is_closed = BillingMonth.objects.filter(month=month, state=BillingMonth.State.CLOSED).exists()
    buyers = buyers_of_charges(month=month) if is_closed else buyers_so_far(month=month)
    of = {(buyer.case.code, buyer.case.purpose): buyer for buyer in buyers}
    pairs = unequal_pairs(buyer.case for buyer in buyers)
    return [(p, of[p.first.code, p.first.purpose], of[p.second.code, p.second.purpose]) for p in pairs]


@transaction.atomic
def flags_find(*, month: date, at: datetime) -> list[EqualTreatmentFlag]:
    """Flag the unequal pairs of a closed month and open their cases; a pair is flagged once, however often this runs."""
    if not BillingMonth.objects.filter(month=month, state=BillingMonth.State.CLOSED).exists():
        return []
    known = set(EqualTreatmentFlag.objects.filter(month=month).values_list("first_id", "second_id"))
    known |= {both[::-1] for both in known}
    new = []
    for pair, first, second in findings(month=month):
        parties = first.entitlement.pk, second.entitlement.pk
        if parties not in known:
            known |= {parties, parties[::-1]}
            new.append(_flag(pair, first, second, month, at))
    return new


def flags_after_closes(*, at: datetime) -> list[EqualTreatmentFlag]:
    """Flags of every service month that a closed month charged; the daily job. What was compared before gives nothing new."""
    closed = BillingMonth.objects.filter(state=BillingMonth.State.CLOSED).order_by("-month").values_list("month", flat=True)[:2]
    service = Charge.objects.filter(month__in=list(closed)).values_list("service_month", flat=True).distinct()
    return [flag for month in sorted(set(service)) for flag in flags_find(month=month, at=at)]


def _flag(pair: Pair, first: Buyer, second: Buyer, month: date, at: datetime) -> EqualTreatmentFlag:
    product = first.entitlement.product
    facts = {"first": first.facts, "second": second.facts, "peers": pair.peers, "band": [list(part) for part in pair.first.band]}
    flag = EqualTreatmentFlag.objects.create(
        product=product,
        month=month,
        purpose=pair.first.purpose,
        first=first.entitlement,
        second=second.entitlement,
        facts=facts,
        found_at=at,
    )
    try:
        office = regulator_of(product)
    except NoRegulator:
        office = None
    if office is not None:
        limit = parameters.days(name="equal_treatment_answer_working_days", on=business_date(at), region=region_of(product))
        flag.case = cases.open_case(
            kind=CASE, obj=flag, applicant=product.operator, handler=office, limit_days=limit, at=at, actor=None
        )
        flag.save(update_fields=["case"])
        _tell(flag, "found", office, REGULATOR_ROLES, f"/console/regulator/fairness/{flag.pk}/", at)
    _tell(flag, "found", product.operator, OPERATOR_ROLES, f"/console/operator/supply/flags/{flag.pk}/", at)
    about = {"month": month, "first": flag.first.code, "second": flag.second.code}
    audit.record(action="equal_treatment.found", obj=flag, organisation=product.operator, at=at, facts=about)
    return flag


@transaction.atomic
def flag_explain(*, flag: EqualTreatmentFlag, user: User, explanation: str, at: datetime) -> EqualTreatmentFlag:
    """The operator says why its two buyers paid differently. Raises ReasonMissing, FlagNotOpen, RoleMissing."""
    require_role(user, flag.product.operator, *OPERATOR_ROLES)
    if not explanation.strip():
        raise ReasonMissing(_("Say why these two buyers paid differently."), field="explanation")
    _claim(flag, ["open"], state=State.EXPLAINED, explanation=explanation.strip(), explained_by=user, explained_at=at)
    if flag.case is not None:
        cases.note(case=flag.case, actor=user, at=at, note=explanation.strip())
        _tell(flag, "explained", flag.case.handler, REGULATOR_ROLES, f"/console/regulator/fairness/{flag.pk}/", at)
    _record(flag, "explained", user, at, explanation)
    return flag


@transaction.atomic
def flag_decide(*, flag: EqualTreatmentFlag, user: User, is_upheld: bool, reason: str, at: datetime) -> EqualTreatmentFlag:
    """The regulator upholds or dismisses a finding, after the explanation or once the operator's days are over.

    Raises ReasonMissing, OperatorStillToAnswer, DecidedByExplainer, FlagNotOpen, RoleMissing.
    """
    if flag.case is None:
        raise FlagNotOpen(_("No price regulator is in charge of this finding."))
    require_role(user, flag.case.handler, *REGULATOR_ROLES)
    if not reason.strip():
        raise ReasonMissing(_("A decision needs its reason."), field="reason")
    if flag.explained_by_id == user.pk:
        raise DecidedByExplainer(_("You explained this for the operator, so another person decides."))
    if flag.state == State.OPEN and not cases.days_left(case=flag.case, today=business_date(at)).is_late:
        raise OperatorStillToAnswer(_("The operator may still explain: its working days are not over."))
    state = "upheld" if is_upheld else "dismissed"
    _claim(flag, ["open", "explained"], state=state, decided_by=user, decided_at=at, decision_reason=reason.strip())
    cases.close(case=flag.case, outcome=state, actor=user, at=at, note=reason.strip())
    _tell(flag, state, flag.product.operator, OPERATOR_ROLES, f"/console/operator/supply/flags/{flag.pk}/", at)
    if is_upheld:  # who paid more learns of it, but not what another buyer bought
        _tell(flag, "upheld", flag.first.organisation, ("owner", "buyer", "finance"), "/console/buyer/", at)
    _record(flag, state, user, at, reason)
    return flag


def flags_of(*, regulator: Organisation | None = None, operator: Organisation | None = None) -> QuerySet[EqualTreatmentFlag]:
    """Findings before a regulator, or about an operator's products; the newest first."""
    found = EqualTreatmentFlag.objects.select_related(
        "product__operator", "case__handler", "explained_by", "decided_by", "first__organisation", "second__organisation"
    )
    if regulator is not None:
        found = found.filter(case__handler=regulator)
    if operator is not None:
        found = found.filter(product__operator=operator)
    return found.order_by("-month", "-id")


def _claim(flag: EqualTreatmentFlag, old: Sequence[str], **values: Any) -> None:
    if not EqualTreatmentFlag.objects.filter(pk=flag.pk, state__in=old).update(**values):
        raise FlagNotOpen(_("This finding has been dealt with by now; look at it again."))
    flag.refresh_from_db()


def _tell(flag: EqualTreatmentFlag, act: str, organisation: Organisation, roles: Sequence[str], url: str, at: datetime) -> None:
    due = cases.days_left(case=flag.case, today=business_date(at)).due if flag.case else None
    facts = {
        "product": flag.product.name,
        "operator": flag.product.operator.name,
        "month": f"{flag.month:%Y-%m}",
        "reason": flag.decision_reason,
        "due": due or "–",
    }
    notify(kind=f"equal_treatment.{act}", organisation=organisation, roles=roles, facts=facts, url=url, at=at)


def _record(flag: EqualTreatmentFlag, act: str, user: User, at: datetime, reason: str) -> None:
    operator = flag.product.operator
    audit.record(action=f"equal_treatment.{act}", obj=flag, actor=user, organisation=operator, at=at, reason=reason)
