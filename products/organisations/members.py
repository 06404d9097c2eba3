"""Memberships and invitations: who acts for an organisation, and in which roles."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Invitation, Membership, Organisation, Role, User
from products.organisations.selectors import has_role, is_platform_person
from products.record import audit
from products.record.refusals import Refused

INVITATION_DAYS = 14


class NotOwner(Refused):
    code = "not_owner"


class RegulatorIsOperator(Refused):
    code = "regulator_is_operator"


class AlreadyMember(Refused):
    code = "already_member"


class RolesWrong(Refused):
    code = "roles_wrong"


class LastOwner(Refused):
    code = "last_owner"


class InvitationNotUsable(Refused):
    code = "invitation_not_usable"


def join(*, organisation: Organisation, user: User, roles: Iterable[str], at: datetime) -> Membership:
    """The bare change, for services: a new membership, or an ended one anew. Raises RegulatorIsOperator, AlreadyMember."""
    chosen = checked(roles)
    known = Membership.objects.filter(user=user, organisation=organisation).first()
    if known is not None and known.is_active:
        raise AlreadyMember(_("This person is a member already."), field="email")
    membership = known or Membership(user=user, organisation=organisation, created_at=at)
    membership.roles, membership.is_active = chosen, True
    _save(membership)
    return membership


@transaction.atomic
def member_add(*, organisation: Organisation, user: User, roles: Iterable[str], actor: User | None, at: datetime) -> Membership:
    """Let a person act for the organisation. ``actor`` is one of its owners, the platform, or None for the system itself.

    Raises NotOwner, RegulatorIsOperator, AlreadyMember, RolesWrong.
    """
    _require_owner(organisation, actor)
    membership = join(organisation=organisation, user=user, roles=roles, at=at)
    _record("member.added", membership, actor, at)
    return membership


@transaction.atomic
def member_change(
    *, membership: Membership, roles: Iterable[str], is_active: bool = True, actor: User, at: datetime
) -> Membership:
    """Other roles, or the end of a membership. Raises NotOwner, LastOwner, RegulatorIsOperator, RolesWrong."""
    organisation = Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    _require_owner(organisation, actor)
    chosen = checked(roles) if is_active else membership.roles
    stays_owner = is_active and Role.OWNER in chosen
    others = organisation.memberships.filter(is_active=True, roles__contains=[Role.OWNER]).exclude(pk=membership.pk)
    if Role.OWNER in membership.roles and not stays_owner and not others.exists():
        raise LastOwner(_("An organisation keeps at least one owner: name another one first."), field="roles")
    membership.roles, membership.is_active = chosen, is_active
    _save(membership)
    _record("member.changed", membership, actor, at)
    return membership


@transaction.atomic
def member_invite(
    *, organisation: Organisation, email: str, roles: Iterable[str], actor: User, at: datetime
) -> tuple[Invitation, str]:
    """Ask a person by e-mail. Returns the invitation and its token; only a digest is kept. Raises NotOwner, AlreadyMember."""
    _require_owner(organisation, actor)
    address = email.strip().lower()
    if organisation.memberships.filter(user__email__iexact=address, is_active=True).exists():
        raise AlreadyMember(_("This person is a member already."), field="email")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=address,
        roles=checked(roles),
        token_digest=digest(token),
        invited_by=actor,
        created_at=at,
        expires_at=at + timedelta(days=INVITATION_DAYS),
    )
    facts = {"roles": invitation.roles}
    audit.record(action="member.invited", obj=invitation, actor=actor, organisation=organisation, at=at, facts=facts)
    return invitation, token


@transaction.atomic
def invitation_accept(*, token: str, user: User, at: datetime) -> Membership:
    """The invited person joins. Raises InvitationNotUsable (unknown, used, expired, for another), RegulatorIsOperator."""
    found = Invitation.objects.select_for_update(of=("self",)).select_related("organisation")
    invitation = found.filter(token_digest=digest(token)).first()
    if invitation is None or invitation.accepted_at is not None or invitation.expires_at <= at:
        raise InvitationNotUsable(_("This invitation is used or out of date: ask for a new one."))
    if invitation.email.lower() != user.email.lower():
        raise InvitationNotUsable(_("This invitation is for another e-mail address: sign in with that one."))
    membership = join(organisation=invitation.organisation, user=user, roles=invitation.roles, at=at)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=at)
    _record("member.joined", membership, user, at)
    return membership


def invitation_for(*, token: str) -> Invitation | None:
    """The invitation of a token, for the page that asks whether to accept it."""
    return Invitation.objects.select_related("organisation").filter(token_digest=digest(token)).first()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def checked(roles: Iterable[str]) -> list[str]:
    """The roles, each once, in a fixed order; at least one, all known."""
    wanted = {str(role) for role in roles}
    if not wanted or not wanted <= set(Role.values):
        raise RolesWrong(_("Choose at least one role."), field="roles")
    return [role for role in Role.values if role in wanted]


def _require_owner(organisation: Organisation, actor: User | None) -> None:
    if actor is not None and not has_role(actor, organisation, Role.OWNER) and not is_platform_person(actor, Role.OWNER):
        raise NotOwner(_("Only an owner of the organisation may change who acts for it."))


def _save(membership: Membership) -> None:
    try:
        with transaction.atomic():
            membership.save()
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != "membership_regulator_is_not_operator":
            raise
        message = _("A person cannot act for a regulator and for an operator at once: end the other membership first.")
        raise RegulatorIsOperator(message, field="email") from error


def _record(action: str, membership: Membership, actor: User | None, at: datetime) -> None:
    audit.record(
        action=action,
        obj=membership,
        actor=actor,
        organisation=membership.organisation,
        at=at,
        facts={"user": membership.user_id, "roles": membership.roles, "is_active": membership.is_active},
    )
