"""Who opens these pages, and which authorisation a page is about."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from market.storefront.access import role_required
from products.organisations.models import Organisation, OrganisationKind, Role
from products.registry.authorisations import DRAFTERS
from products.registry.models import Authorisation

ACTIVATORS = (Role.DECIDER, Role.OWNER)
body_page = role_required(kinds=(OrganisationKind.AUTHORISING_BODY,))
drafter_page = role_required(kinds=(OrganisationKind.AUTHORISING_BODY,), roles=DRAFTERS)
activator_page = role_required(kinds=(OrganisationKind.AUTHORISING_BODY,), roles=ACTIVATORS)


def body_of(request: HttpRequest) -> Organisation:
    """The authorising body for which the person acts; only inside a page of this package."""
    return request.membership.organisation


def own_authorisation(request: HttpRequest, pk: int) -> Authorisation:
    """The body's authorisation; another's is not found."""
    found = Authorisation.objects.filter(pk=pk, authorising_body=body_of(request))
    authorisation = found.select_related(
        "authorising_body", "operator", "decision_evidence", "drafted_by", "activated_by"
    ).first()
    if authorisation is None:
        raise Http404
    return authorisation
