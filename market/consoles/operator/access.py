"""Who opens the operator's pages, and which product a page is about."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.catalogue.models import DataProduct
from products.catalogue.permissions import PUBLISHERS
from products.organisations.models import Organisation, OrganisationKind, Role

operator_page = role_required(kinds=(OrganisationKind.OPERATOR,))
publisher_page = role_required(kinds=(OrganisationKind.OPERATOR,), roles=PUBLISHERS)
pricing_page = role_required(kinds=(OrganisationKind.OPERATOR,), roles=(Role.PRICING,))
keys_page = role_required(kinds=(OrganisationKind.OPERATOR,), roles=(*PUBLISHERS, Role.DEVELOPER))


def operator_of(request: HttpRequest) -> Organisation:
    """The operator for which the person acts; only inside a page of this package."""
    return request.membership.organisation


def own_product(request: HttpRequest, code: str) -> DataProduct:
    """The operator's product with this code; another's is not found."""
    found = DataProduct.objects.filter(code=code, operator=operator_of(request)).select_related("operator", "authorisation")
    product = found.select_related("authorisation__authorising_body").first()
    if product is None:
        raise Http404
    return product


def may(request: HttpRequest, *roles: str) -> bool:
    """Whether the person has one of the roles in the acting organisation."""
    return has_role(request.membership, *roles)
