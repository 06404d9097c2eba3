"""Who a person is in which organisation, and the guard that services put in front of a change."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Membership, Organisation, OrganisationKind, OrganisationState, Role, User
from products.record.refusals import Refused

BUYING_KINDS = frozenset(
    {OrganisationKind.ENTERPRISE, OrganisationKind.NONPROFIT, OrganisationKind.PUBLIC_BODY, OrganisationKind.INSTITUTION}
)
DECIDING_KINDS = frozenset(OrganisationKind) - BUYING_KINDS - {OrganisationKind.OPERATOR}


class RoleMissing(Refused):
    code = "role_missing"


class OrganisationNotVerified(Refused):
    code = "organisation_not_verified"


class OrganisationSuspended(Refused):
    code = "organisation_suspended"


def memberships_of(user: User) -> QuerySet[Membership]:
    """The person's active memberships with their organisations, oldest first."""
    found = Membership.objects.filter(user=user, is_active=True).select_related("organisation")
    return found.order_by("created_at", "id")


def members_of(organisation: Organisation) -> QuerySet[Membership]:
    """All memberships of an organisation, ended ones too, with the people."""
    return organisation.memberships.select_related("user").order_by("-is_active", "created_at", "id")


def membership_of(user: User, organisation: Organisation) -> Membership | None:
    return Membership.objects.filter(user=user, organisation=organisation, is_active=True).first()


def has_role(user: User, organisation: Organisation, *roles: str) -> bool:
    """Whether the person has one of the roles in the organisation now; no roles named asks for membership alone."""
    membership = membership_of(user, organisation)
    return membership is not None and (not roles or bool(set(roles) & set(membership.roles)))


def may_decide(organisation: Organisation) -> bool:
    """Whether an organisation may act on others: those kinds need their certificate checked first, since anyone can sign up."""
    if organisation.state == OrganisationState.SUSPENDED:
        return False
    return organisation.is_verified or organisation.kind not in DECIDING_KINDS


def require_role(user: User, organisation: Organisation, *roles: str) -> Membership:
    """The membership that lets the person act. Raises RoleMissing, OrganisationNotVerified, OrganisationSuspended."""
    membership = membership_of(user, organisation)
    if membership is None or (roles and not set(roles) & set(membership.roles)):
        wanted = ", ".join(str(Role(role).label) for role in roles)
        message = _("In %(organisation)s this needs one of the roles: %(roles)s. Ask an owner of the organisation.")
        raise RoleMissing(message % {"organisation": organisation, "roles": wanted or _("member")}, roles=list(roles))
    if organisation.state == OrganisationState.SUSPENDED:
        raise OrganisationSuspended(_("This organisation is suspended: ask the platform."))
    if not may_decide(organisation):
        raise OrganisationNotVerified(_("The platform has not checked this organisation's certificate yet."))
    return membership


def require_verified(organisation: Organisation) -> None:
    """Raise OrganisationNotVerified unless the certificate is checked: buying and free use need it."""
    if not organisation.is_verified:
        raise OrganisationNotVerified(_("The platform has not checked this organisation's certificate yet."))


def is_platform_person(user: User | None, *roles: str) -> bool:
    """Whether the person acts for the (verified) platform organisation, in one of the roles where some are named."""
    if user is None:
        return False
    found = Membership.objects.filter(
        user=user, is_active=True, organisation__kind=OrganisationKind.PLATFORM, organisation__state=OrganisationState.VERIFIED
    )
    if roles:
        found = found.filter(roles__overlap=list(roles))
    return found.exists()


def to_verify() -> QuerySet[Organisation]:
    """Organisations whose certificate waits for the platform, oldest first."""
    return Organisation.objects.filter(state=OrganisationState.UNVERIFIED).order_by("created_at", "id")
