"""Sign up an organisation, verify it, and say who acts for it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.organisations import uscc as usccs
from products.organisations.members import invitation_accept, join, member_add, member_change, member_invite
from products.organisations.models import (
    Membership,
    Organisation,
    OrganisationKind,
    OrganisationSize,
    OrganisationState,
    Role,
    User,
)
from products.organisations.naming import name_key, slug_for
from products.organisations.selectors import BUYING_KINDS, is_platform_person, require_role
from products.record import audit, notices
from products.record.refusals import Refused

__all__ = [
    "invitation_accept",
    "member_add",
    "member_change",
    "member_invite",
    "organisation_register",
    "organisation_size_state",
    "organisation_suspend",
    "organisation_verify",
]

notices.define(
    "organisation.registered",
    subject=_("%(name)s signed up"),
    text=_("%(name)s (%(uscc)s) signed up and waits for its certificate to be checked."),
)
notices.define(
    "organisation.verified",
    subject=_("%(name)s is verified"),
    text=_("The platform has checked the certificate of %(name)s. You can now buy, claim free use and publish."),
)
notices.define(
    "organisation.suspended",
    subject=_("%(name)s is suspended"),
    text=_("The platform has suspended %(name)s: %(reason)s"),
)


class UsccTaken(Refused):
    code = "uscc_taken"


class KindNotAllowed(Refused):
    code = "kind_not_allowed"


class SizeNotKnown(Refused):
    code = "size_not_known"


class NotPlatform(Refused):
    code = "not_platform"


class OwnOrganisation(Refused):
    code = "own_organisation"


class OrganisationStateWrong(Refused):
    code = "organisation_state_wrong"


@transaction.atomic
def organisation_register(
    *,
    uscc: str,
    name: str,
    kind: str,
    user: User | None,
    at: datetime,
    name_en: str = "",
    region: str = "",
    website: str = "",
    complaint_contact: str = "",
    size: str = "",
) -> Organisation:
    """Sign an organisation up, unverified; the person who does it becomes its owner with the roles of a founder.

    Raises UsccInvalid, UsccTaken, KindNotAllowed, SizeNotKnown; RegulatorIsOperator where the person already acts for the other
    side.
    """
    usccs.check(uscc)
    if kind not in OrganisationKind.values or (kind == OrganisationKind.PLATFORM and user is not None):
        raise KindNotAllowed(_("This kind of organisation does not sign up by itself."), field="kind")
    _check_size(size)
    if Organisation.objects.filter(uscc=uscc).exists():
        raise UsccTaken(_("This organisation is here already: ask one of its owners to invite you."), field="uscc")
    organisation = Organisation.objects.create(
        uscc=uscc,
        name=name.strip(),
        name_en=name_en.strip(),
        slug=slug_for(name_en or name, taken=lambda slug: Organisation.objects.filter(slug=slug).exists()),
        kind=kind,
        region=region or uscc[2:8],
        name_key=name_key(name),
        website=website,
        complaint_contact=complaint_contact,
        size=size,
        created_at=at,
    )
    if user is not None:
        join(organisation=organisation, user=user, roles=founder_roles(kind), at=at)
    facts = {"uscc": uscc, "kind": kind}
    audit.record(action="organisation.registered", obj=organisation, actor=user, organisation=organisation, at=at, facts=facts)
    platform = Organisation.objects.filter(kind=OrganisationKind.PLATFORM).order_by("id").first()
    if platform is not None and user is not None:
        about = {"name": name, "uscc": uscc}
        notices.notify(
            kind="organisation.registered",
            organisation=platform,
            roles=[Role.OWNER, Role.REVIEWER],
            facts=about,
            url="/console/platform/",
            at=at,
        )
    return organisation


@transaction.atomic
def organisation_size_state(*, organisation: Organisation, size: str, user: User, at: datetime) -> Organisation:
    """An owner states the enterprise's size, as the statistics classify it; empty takes the statement back.

    It counts for discounts from the next entitlement on, and for the statistics at once. Raises SizeNotKnown, RoleMissing.
    """
    require_role(user, organisation, Role.OWNER)
    _check_size(size)
    before = organisation.size
    if size != before:
        Organisation.objects.filter(pk=organisation.pk).update(size=size)
        organisation.size = size
        facts = {"from": before, "to": size}
        audit.record(action="organisation.size", obj=organisation, actor=user, organisation=organisation, at=at, facts=facts)
    return organisation


def _check_size(size: str) -> None:
    if size and size not in OrganisationSize.values:
        raise SizeNotKnown(_("An enterprise is micro, small, medium or large."), field="size")


def founder_roles(kind: str) -> list[str]:
    """What the first person of an organisation may do; deciding and approving stay with colleagues."""
    if kind in BUYING_KINDS:
        return [Role.OWNER, Role.BUYER, Role.APPROVER, Role.DEVELOPER, Role.FINANCE]
    if kind == OrganisationKind.OPERATOR:
        return [Role.OWNER, Role.PUBLISHER, Role.PRICING, Role.FINANCE, Role.DEVELOPER]
    if kind == OrganisationKind.DATA_PROVIDER:
        return [Role.OWNER, Role.PUBLISHER]
    if kind == OrganisationKind.AUDITOR:
        return [Role.OWNER, Role.AUDITOR]
    return [Role.OWNER, Role.REVIEWER]


@transaction.atomic
def organisation_verify(*, organisation: Organisation, user: User, at: datetime, reason: str = "") -> Organisation:
    """The certificate fits code and name. Raises NotPlatform, OwnOrganisation, OrganisationStateWrong."""
    _require_platform(organisation, user)
    claimed = Organisation.objects.filter(pk=organisation.pk).exclude(state=OrganisationState.VERIFIED)
    if not claimed.update(state=OrganisationState.VERIFIED, verified_at=at, verified_by=user):
        raise OrganisationStateWrong(_("This organisation is verified already."))
    return _changed(organisation, "verified", user, at, reason)


@transaction.atomic
def organisation_suspend(*, organisation: Organisation, user: User, at: datetime, reason: str) -> Organisation:
    """Nobody acts for it until it is verified again. Raises NotPlatform, OwnOrganisation, OrganisationStateWrong."""
    _require_platform(organisation, user)
    claimed = Organisation.objects.filter(pk=organisation.pk).exclude(state=OrganisationState.SUSPENDED)
    if not reason.strip():
        raise OrganisationStateWrong(_("Say why, so that the other side can act on it."), field="reason")
    if not claimed.update(state=OrganisationState.SUSPENDED):
        raise OrganisationStateWrong(_("This organisation is suspended already."))
    return _changed(organisation, "suspended", user, at, reason)


def _require_platform(organisation: Organisation, user: User) -> None:
    if not is_platform_person(user, Role.OWNER, Role.REVIEWER):
        raise NotPlatform(_("Only an owner or reviewer of the platform may decide this."))
    if Membership.objects.filter(user=user, organisation=organisation, is_active=True).exists():
        raise OwnOrganisation(_("You act for this organisation yourself: a colleague must decide."))


def _changed(organisation: Organisation, step: str, user: User, at: datetime, reason: str) -> Organisation:
    organisation.refresh_from_db()
    audit.record(action=f"organisation.{step}", obj=organisation, actor=user, organisation=organisation, at=at, reason=reason)
    facts = {"name": organisation.name, "reason": reason}
    notices.notify(kind=f"organisation.{step}", organisation=organisation, facts=facts, url="/console/", at=at)
    return organisation
