"""The price regulator's side of cost filings: overrule single rows, return the filing, or finish the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.bodies import overseers, region_of_authorisation
from pricing.costs.filing import facts_of, record
from pricing.costs.models import CostFiling, CostItem
from pricing.costs.papers import audit_conclusion
from pricing.costs.refusals import CostAmountOutOfBounds, CostOfOwnFiling, CostReasonMissing, CostStepOutOfOrder
from pricing.costs.selectors import admitted_total
from pricing.rules.exact import yuan
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import cases
from products.record.models import Case
from products.record.notices import define, notify

AUDIT_ROLES = ("pricing", "reviewer", "decider")
State: Any = CostFiling.State

define(
    "cost.returned",
    subject=gettext_lazy("Costs of %(year)s returned"),
    text=gettext_lazy(
        "The price regulator returned the costs of %(year)s under %(authorisation)s, version %(version)s: %(reason)s"
    ),
)
define(
    "cost.audited",
    subject=gettext_lazy("Costs of %(year)s audited"),
    text=gettext_lazy("The costs of %(year)s of %(operator)s under %(authorisation)s are audited: ¥%(admitted)s are admitted."),
)


@transaction.atomic
def cost_item_overrule(*, item: CostItem, amount_minor: int, reason: str, user: User, at: datetime) -> CostItem:
    """Admit another amount of a row than the rule does, either way: fen, from 0 to the row's amount.

    Raises CostAmountOutOfBounds, CostReasonMissing, CostStepOutOfOrder (the filing is decided), CostOfOwnFiling, RoleMissing.
    """
    filing = _locked(item.filing, user)
    item = CostItem.objects.get(pk=item.pk)
    if not 0 <= amount_minor <= item.amount_minor:
        message = _("Admit between 0.00 and %(amount)s yuan, the amount of the row.") % {"amount": yuan(item.amount_minor)}
        raise CostAmountOutOfBounds(message, field="amount")
    if amount_minor == item.counted_minor:
        raise CostAmountOutOfBounds(_("So much is admitted already."), field="amount")
    _need(reason)
    before = item.counted_minor
    item.overruled_minor, item.overruled_reason = amount_minor, reason.strip()
    item.overruled_by, item.overruled_at = user, at
    item.save(update_fields=["overruled_minor", "overruled_reason", "overruled_by", "overruled_at"])
    facts = {"row": item.row, "rule": item.rule, "from": before, "to": amount_minor}
    record("overruled", filing, user, at, facts, reason.strip())
    return item


@transaction.atomic
def cost_return(*, filing: CostFiling, reason: str, user: User, at: datetime) -> CostFiling:
    """Send the filing back for correction: the case's clock stops until its next version. Raises as ``cost_audit``."""
    filing = _decide(filing, State.RETURNED, reason, user, at)
    cases.ask_corrections(case=_case(filing), actor=user, at=at, note=reason.strip())
    _tell_operator("cost.returned", filing, at, reason=reason.strip())
    record("returned", filing, user, at, reason=reason.strip())
    return filing


@transaction.atomic
def cost_audit(*, filing: CostFiling, reason: str, user: User, at: datetime) -> CostFiling:
    """Finish the audit: what the rows admit now is the operating cost of the year, and stays so; a numbered document says it.

    Raises CostReasonMissing, CostStepOutOfOrder, CostOfOwnFiling, RoleMissing.
    """
    filing = _decide(filing, State.AUDITED, reason, user, at)
    cases.close(case=_case(filing), outcome="audited", actor=user, at=at, note=reason.strip())
    amount, admitted = filing.items.aggregate(sum=Sum("amount_minor"))["sum"], admitted_total(filing)
    document = audit_conclusion(filing, issuer=_case(filing).handler, user=user, at=at)
    _tell_operator("cost.audited", filing, at, admitted=yuan(admitted))
    for bureau in overseers(kind="data_bureau", region=region_of_authorisation(filing.authorisation))[:1]:
        url = f"/console/regulator/costs/{filing.pk}/"
        notify(kind="cost.audited", organisation=bureau, facts=facts_of(filing) | {"admitted": yuan(admitted)}, url=url, at=at)
    record("audited", filing, user, at, {"amount": amount, "admitted": admitted, "document": document.number}, reason.strip())
    return filing


def _decide(filing: CostFiling, state: str, reason: str, user: User, at: datetime) -> CostFiling:
    filing = _locked(filing, user)
    _need(reason)
    filing.state, filing.decided_by, filing.decided_at, filing.decision_reason = state, user, at, reason.strip()
    filing.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    return filing


def _locked(filing: CostFiling, user: User) -> CostFiling:
    """The filing, held against others until the commit, if the person may audit it and it is still to be decided."""
    found = CostFiling.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "authorisation__operator", "authorisation__authorising_body", "case__handler"
    )
    filing = found.get(pk=filing.pk)
    require_role(user, _case(filing).handler, *AUDIT_ROLES)
    if user.pk == filing.filed_by_id:  # nobody is regulator and operator at once (a trigger), but people change sides
        raise CostOfOwnFiling(_("You filed these costs yourself: another person audits them."))
    if filing.state != State.SUBMITTED:
        raise CostStepOutOfOrder(_("This filing is at another step by now; look at it again."))
    return filing


def _case(filing: CostFiling) -> Case:
    if filing.case is None:
        raise CostStepOutOfOrder(_("This filing has no case yet."))
    return filing.case


def _need(reason: str) -> None:
    if not reason.strip():
        raise CostReasonMissing(_("Say why: the operator reads it, and it stays on file."), field="reason")


def _tell_operator(kind: str, filing: CostFiling, at: datetime, **more: object) -> None:
    notify(
        kind=kind,
        organisation=filing.authorisation.operator,
        roles=("owner", "pricing", "finance"),
        facts=facts_of(filing) | more,
        url=f"/console/operator/costs/{filing.pk}/",
        at=at,
    )
