"""Who may act on a product: people of its operator, of its authorising body, and of those who review or oversee."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct
from products.organisations.models import Membership, Organisation, OrganisationState, User
from products.organisations.selectors import RoleMissing, has_role, require_role

PUBLISHERS = ("publisher", "owner")
STOPPERS = ("decider", "reviewer", "owner")
OVERSEERS = ("platform", "data_bureau")


class NotAllowed(RoleMissing):
    """No organisation of the person may do this to the product."""

    code = "not_allowed"


def require_publisher(user: User, operator: Organisation) -> None:
    """Raise ``RoleMissing`` unless the person publishes for the operator."""
    require_role(user, operator, *PUBLISHERS)


def require_stopper(user: User, product: DataProduct) -> None:
    """Raise ``NotAllowed`` unless the person may stop it: its publisher, its authorising body, platform or data bureau."""
    if not has_role(user, product.operator, *PUBLISHERS) and not _oversees(user, product, STOPPERS):
        raise NotAllowed(_("Only the operator, the authorising body, the data bureau or the platform may stop a product."))


def require_reviewer(user: User, product: DataProduct) -> None:
    """Raise ``NotAllowed`` unless the person reviews for the authorising body, the data bureau or the platform.

    And never one of the operator's own people (invariant 11).
    """
    if has_role(user, product.operator):
        raise NotAllowed(_("A review is made by a person from outside the operator."))
    if not _oversees(user, product, ["reviewer"]):
        raise NotAllowed(_("Only a reviewer of the authorising body, the data bureau or the platform may decide a review."))


def _oversees(user: User, product: DataProduct, roles: Iterable[str]) -> bool:
    # Anyone can sign up a body that calls itself a data bureau: only a checked certificate makes it one.
    bodies = Q(organisation__kind__in=OVERSEERS)
    if product.authorisation:
        bodies |= Q(organisation=product.authorisation.authorising_body_id)
    held = Membership.objects.filter(bodies, user=user, is_active=True, organisation__state=OrganisationState.VERIFIED)
    return held.filter(roles__overlap=list(roles)).exists()


def default_publisher(operator: Organisation) -> User | None:
    """The operator's longest-standing publisher, else its owner: who submits where a command names nobody."""
    for role in PUBLISHERS:
        held = Membership.objects.filter(organisation=operator, is_active=True, roles__contains=[role])
        membership = held.select_related("user").order_by("created_at", "id").first()
        if membership:
            return membership.user
    return None
