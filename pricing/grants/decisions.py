"""The authorising body's side of free use: ask for corrections, decide, have it checked by another person, revoke."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pricing.bodies import authorisation_of
from pricing.grants import refusals
from pricing.grants.models import FreeUseGrant
from pricing.grants.notices import tell_authority, tell_claimant
from pricing.grants.rules import last_day
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date

DECIDE_ROLES = ("decider", "approver", "reviewer")
UNDECIDED = {
    "decision": "",
    "decision_reason": "",
    "decided_by": None,
    "decided_at": None,
    "quota": None,
    "from_date": None,
    "to_date": None,
    "conditions": "",
}
State: Any = FreeUseGrant.State


def body_of(grant: FreeUseGrant) -> Organisation:
    """The authorising body that decides about the claim."""
    return authorisation_of(grant.product).authorising_body


@transaction.atomic
def grant_ask_corrections(*, grant: FreeUseGrant, note: str, user: User, at: datetime) -> FreeUseGrant:
    """Ask the claimant; the clock stops until the claim is submitted again. Raises ClaimNotOpen, DecisionIncomplete."""
    require_role(user, body_of(grant), *DECIDE_ROLES)
    if not note.strip():
        raise refusals.DecisionIncomplete(_("Say what is to be corrected."), field="note")
    _claim(grant, State.SUBMITTED, State.CORRECTIONS)
    assert grant.case is not None
    cases.ask_corrections(case=grant.case, actor=user, at=at, note=note)
    tell_claimant("free_use.corrections", grant, at, note)
    _record("corrections_asked", grant, user, at, reason=note)
    return grant


@transaction.atomic
def grant_decide(
    *,
    grant: FreeUseGrant,
    decision: str,
    reason: str,
    user: User,
    at: datetime,
    quota: int | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
    conditions: str = "",
) -> FreeUseGrant:
    """Decide ``grant`` or ``refuse``; another person of the body checks it before it counts (scenario 51, 52).

    ``quota`` is units over the whole term; ``to_date`` the last day, never past the authorisation (default: what was asked,
    cut to it). Raises DecisionIncomplete, GrantBeyondAuthorisation, SamePersonDecides, ClaimNotOpen, RoleMissing.
    """
    require_role(user, body_of(grant), *DECIDE_ROLES)
    if user.pk == grant.submitted_by_id:
        raise refusals.SamePersonDecides(_("You submitted this claim; another person decides about it."))
    if decision not in ("grant", "refuse") or not reason.strip():
        raise refusals.DecisionIncomplete(_("A decision says grant or refuse, and why."), field="reason")
    values: dict[str, Any] = {"decision": decision, "decision_reason": reason, "decided_by": user, "decided_at": at}
    if decision == "grant":
        values |= _terms(grant, quota, from_date or business_date(at), to_date, business_date(at)) | {"conditions": conditions}
    _claim(grant, State.SUBMITTED, State.DECIDED, **values)
    tell_authority(grant, body_of(grant), at, kind="free_use.to_check")
    facts = {"decision": decision, "quota": grant.quota, "from": grant.from_date, "to": grant.to_date}
    _record("decided", grant, user, at, facts, reason)
    return grant


def _terms(grant: FreeUseGrant, quota: int | None, from_date: date, to_date: date | None, today: date) -> dict[str, Any]:
    authorised = authorisation_of(grant.product).to_date
    until = to_date or last_day(asked=grant.asked_until, authorised=authorised)
    if until > authorised:
        message = _("The product's authorisation ends on %(day)s; a grant cannot last longer.")
        raise refusals.GrantBeyondAuthorisation(message % {"day": authorised.isoformat()}, field="to_date")
    if from_date < today or until < from_date:
        raise refusals.DecisionIncomplete(_("The grant begins today or later and ends after it begins."), field="to_date")
    units = grant.quota_asked if quota is None else quota
    if units < 1:
        raise refusals.DecisionIncomplete(_("The quota is at least one unit."), field="quota")
    return {"quota": units, "from_date": from_date, "to_date": until}


@transaction.atomic
def grant_check(*, grant: FreeUseGrant, approves: bool, user: User, at: datetime, reason: str = "") -> FreeUseGrant:
    """Another person of the body confirms the decision, or sends it back to be decided anew (with a reason).

    Confirmed, the claim is granted or refused and its case closed. Raises SamePersonDecides, ClaimNotOpen, DecisionIncomplete.
    """
    require_role(user, body_of(grant), *DECIDE_ROLES)
    if user.pk in (grant.decided_by_id, grant.submitted_by_id):
        raise refusals.SamePersonDecides(_("You decided this claim; another person of your body must check it."))
    if not approves:
        if not reason.strip():
            raise refusals.DecisionIncomplete(_("Say why the decision goes back."), field="reason")
        _claim(grant, State.DECIDED, State.SUBMITTED, **UNDECIDED)
        assert grant.case is not None
        cases.note(case=grant.case, actor=user, at=at, note=reason)
        _record("sent_back", grant, user, at, reason=reason)
        return grant
    granted = grant.decision == "grant"
    state = State.GRANTED if granted else State.REFUSED
    _claim(grant, State.DECIDED, state, checked_by=user, checked_at=at)
    assert grant.case is not None
    cases.close(case=grant.case, outcome=state, actor=user, at=at, note=grant.decision_reason)
    tell_claimant(f"free_use.{state}", grant, at, grant.decision_reason)
    _record(state, grant, user, at, {"quota": grant.quota, "from": grant.from_date, "to": grant.to_date}, grant.decision_reason)
    return grant


@transaction.atomic
def grant_revoke(*, grant: FreeUseGrant, reason: str, user: User, at: datetime) -> FreeUseGrant:
    """Take a grant back. Its entitlement is the settlement floor's: the caller ends it in the same transaction."""
    require_role(user, body_of(grant), *DECIDE_ROLES)
    if not reason.strip():
        raise refusals.DecisionIncomplete(_("A revocation needs its reason."), field="reason")
    _claim(grant, State.GRANTED, State.REVOKED, revoked_by=user, revoked_at=at, revocation_reason=reason)
    tell_claimant("free_use.revoked", grant, at, reason)
    _record("revoked", grant, user, at, reason=reason)
    return grant


def _claim(grant: FreeUseGrant, old: str, new: str, **values: Any) -> None:
    if not FreeUseGrant.objects.filter(pk=grant.pk, state=old).update(state=new, **values):
        raise refusals.ClaimNotOpen(_("This claim is at another step by now; look at it again."))
    grant.refresh_from_db()


def _record(
    act: str, grant: FreeUseGrant, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = ""
) -> None:
    audit.record(action=f"free_use.{act}", obj=grant, actor=user, organisation=body_of(grant), at=at, reason=reason, facts=facts)
