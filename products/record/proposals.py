"""Maker-checker: one person proposes an act, another person of the same organisation approves or rejects it.

The proposal holds the content; the service that owns the act calls ``approve`` inside its own transaction and then does it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, User
from products.record import audit
from products.record.models import Proposal
from products.record.objects import reference
from products.record.refusals import Refused


class ProposalAlreadyOpen(Refused):
    code = "proposal_already_open"


class ProposalDecided(Refused):
    code = "proposal_decided"


class MakerIsChecker(Refused):
    code = "maker_is_checker"


class ReasonMissing(Refused):
    code = "reason_missing"


class NotTheMaker(Refused):
    code = "not_the_maker"


@transaction.atomic
def propose(
    *,
    organisation: Organisation,
    act: str,
    obj: Model | tuple[str, str],
    content: dict[str, Any] | None = None,
    user: User,
    reason: str = "",
    at: datetime,
) -> Proposal:
    """Ask for an act, for example ``cap.approve``; one open proposal per act and object."""
    object_type, object_id = reference(obj)
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                organisation=organisation,
                act=act,
                object_type=object_type,
                object_id=object_id,
                content=content or {},
                proposed_by=user,
                proposed_at=at,
                proposal_reason=reason,
            )
    except IntegrityError as error:
        raise ProposalAlreadyOpen(_("The same act is already proposed and not decided yet.")) from error
    _record(proposal, "proposed", user, at, reason)
    return proposal


def approve(*, proposal: Proposal, user: User, reason: str = "", at: datetime) -> Proposal:
    """Another person agrees. Raises MakerIsChecker, ProposalDecided."""
    return _decide(proposal, Proposal.State.APPROVED, user, reason, at)


def reject(*, proposal: Proposal, user: User, reason: str, at: datetime) -> Proposal:
    """Another person disagrees, and says why. Raises MakerIsChecker, ProposalDecided, ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    return _decide(proposal, Proposal.State.REJECTED, user, reason, at)


def withdraw(*, proposal: Proposal, user: User, reason: str = "", at: datetime) -> Proposal:
    """The person who proposed takes it back. Raises NotTheMaker, ProposalDecided."""
    if proposal.proposed_by_id != user.pk:
        raise NotTheMaker(_("Only the person who proposed may take it back."))
    return _settle(proposal, Proposal.State.WITHDRAWN, user, reason, at)


def _decide(proposal: Proposal, state: Any, user: User, reason: str, at: datetime) -> Proposal:
    if proposal.proposed_by_id == user.pk:
        raise MakerIsChecker(_("The person who submits does not approve: ask a colleague to decide."))
    return _settle(proposal, state, user, reason, at)


@transaction.atomic
def _settle(proposal: Proposal, state: Any, user: User, reason: str, at: datetime) -> Proposal:
    claimed = Proposal.objects.filter(pk=proposal.pk, state=Proposal.State.PROPOSED).update(
        state=state, decided_by=user, decided_at=at, decision_reason=reason
    )
    if not claimed:
        raise ProposalDecided(_("This proposal is already decided."))
    proposal.refresh_from_db()
    _record(proposal, state, user, at, reason)
    return proposal


def _record(proposal: Proposal, step: str, user: User, at: datetime, reason: str) -> None:
    audit.record(
        action=f"proposal.{step}",
        obj=(proposal.object_type, proposal.object_id),
        actor=user,
        organisation=proposal.organisation,
        at=at,
        reason=reason,
        facts={"act": proposal.act, "proposal": proposal.pk},
    )
