"""Who may act on a product: people of its operator, of its authorising body, and of those who review or oversee."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct
from products.organisations.models import Membership, Organisation, User
from products.record.refusals import Refused

PUBLISHERS = ("publisher", "owner")
STOPPERS = ("decider", "reviewer", "owner")
OVERSEERS = ("platform", "data_bureau")


class NotAllowed(Refused):
    """The person has no role that may do this."""

    code = "not_allowed"


def has_role(user: User, organisations: Iterable[Organisation], roles: Iterable[str]) -> bool:
    return Membership.objects.filter(
        user=user, is_active=True, organisation__in=list(organisations), roles__overlap=list(roles)
    ).exists()


def require_publisher(user: User, operator: Organisation) -> None:
    """Raise ``NotAllowed`` unless the person publishes for the operator."""
    if not has_role(user, [operator], PUBLISHERS):
        raise NotAllowed(_("Only a publisher of the operator may do this."))


def require_stopper(user: User, product: DataProduct) -> None:
    """Raise ``NotAllowed`` unless the person may stop it: its publisher, its authorising body, platform or data bureau."""
    if has_role(user, [product.operator], PUBLISHERS):
        return
    if product.authorisation and has_role(user, [product.authorisation.authorising_body], STOPPERS):
        return
    overseers = Membership.objects.filter(
        user=user, is_active=True, organisation__kind__in=OVERSEERS, roles__overlap=list(STOPPERS)
    )
    if not overseers.exists():
        raise NotAllowed(_("Only the operator, the authorising body, the data bureau or the platform may stop a product."))


def require_reviewer(user: User, product: DataProduct) -> None:
    """Raise ``NotAllowed`` unless the person is a reviewer, and not one of the operator's own people (invariant 11)."""
    memberships = Membership.objects.filter(user=user, is_active=True)
    if memberships.filter(organisation=product.operator).exists():
        raise NotAllowed(_("A review is made by a person from outside the operator."))
    if not memberships.filter(roles__contains=["reviewer"]).exclude(organisation__kind="operator").exists():
        raise NotAllowed(_("Only a reviewer may decide a review."))


def default_publisher(operator: Organisation) -> User | None:
    """The operator's longest-standing publisher, else its owner: who submits where a command names nobody."""
    for role in PUBLISHERS:
        membership = (
            Membership.objects.select_related("user")
            .filter(organisation=operator, is_active=True, roles__contains=[role])
            .order_by("created_at", "id")
            .first()
        )
        if membership:
            return membership.user
    return None
