"""Whose products a console shows: a region's to its regulator and data bureau, an authorising body's own, an operator's own.

Prices are public, so anyone's may stand beside one's own; volumes of other operators are not, and are never shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from market.consoles.regulator.views import of_region
from market.storefront.access import role_required
from pricing.bodies import stem
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationKind

KINDS_OF = {
    "regulator-estimates": frozenset({"price_regulator", "data_bureau"}),
    "authority-estimates": frozenset({"authorising_body"}),
    "operator-estimates": frozenset({"operator"}),
}
View = Callable[..., HttpResponse]


def for_console(view: View) -> View:
    """Let in the kinds of organisation that the console of the address is for."""
    guarded = {name: role_required(kinds=kinds)(view) for name, kinds in KINDS_OF.items()}

    @wraps(view)
    def choose(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        match = request.resolver_match
        return guarded[match.namespace if match else ""](request, *args, **kwargs)

    return choose


def products_of(organisation: Organisation) -> QuerySet[DataProduct]:
    """The products whose figures an organisation may see."""
    found = DataProduct.objects.select_related("operator")
    if organisation.kind == OrganisationKind.OPERATOR:
        return found.filter(operator=organisation)
    if organisation.kind == OrganisationKind.AUTHORISING_BODY:
        return found.filter(authorisation__authorising_body=organisation)
    return found.filter(of_region(stem(organisation.region), "authorisation") & Q(authorisation__isnull=False))
