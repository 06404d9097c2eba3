"""Who opens the operator's pages, and which product a page is about."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.catalogue.models import DataProduct
from products.catalogue.permissions import PUBLISHERS
from products.organisations.models import Organisation, OrganisationKind, Role

SELLERS = (OrganisationKind.OPERATOR, OrganisationKind.ENTERPRISE)
MERCHANT_ROLES = frozenset({Role.PUBLISHER, Role.PRICING})


def seller_page(roles: Collection[str] = ()) -> Callable:
    """Let in an operator's people with one of the roles, and those whom an enterprise made its publishers or price-setters.

    A data merchant is an enterprise: to buy is what its owner does, so to sell takes a role of its own.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def sellers(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            held = request.membership
            if held.organisation.kind != OrganisationKind.OPERATOR and not has_role(held, *MERCHANT_ROLES):
                return render(request, "market/forbidden.html", {"membership": held}, status=403)
            return view(request, *args, **kwargs)

        return role_required(kinds=SELLERS, roles=roles)(sellers)

    return decorate


operator_page = seller_page()
publisher_page = seller_page(roles=PUBLISHERS)
pricing_page = seller_page(roles=(Role.PRICING,))
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
