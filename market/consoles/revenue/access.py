"""Who sees which permitted revenues and operations."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from pricing.bodies import of_region, stem
from pricing.models import PermittedRevenue
from products.models import Authorisation, Organisation

RELATED = ("authorisation__operator", "authorisation__authorising_body", "regulator", "data_bureau", "document")


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def visible(request: HttpRequest) -> QuerySet[PermittedRevenue]:
    """Regulator and data bureau see those of their region; operator and authorising body their own, once opened for opinions."""
    own = office(request)
    found = PermittedRevenue.objects.select_related(*RELATED, "case", "drafted_by", "agreed_by", "determined_by")
    if own.kind in ("price_regulator", "data_bureau"):
        mine = Q(regulator=own) | Q(data_bureau=own)
        return found.filter(mine | of_region(stem(own.region), "authorisation"))
    party = Q(authorisation__operator=own) if own.kind == "operator" else Q(authorisation__authorising_body=own)
    return found.filter(party).exclude(state__in=["draft", "withdrawn"])


def operations(request: HttpRequest) -> QuerySet[Authorisation]:
    """The running operations that the office has to do with."""
    own = office(request)
    found = Authorisation.objects.filter(state__in=["active", "suspended"]).select_related("operator", "authorising_body")
    if own.kind in ("price_regulator", "data_bureau"):
        prefix = stem(own.region)
        region = Q(region__startswith=prefix) | Q(region="", authorising_body__region__startswith=prefix)
        found = found.filter(region)
    elif own.kind == "operator":
        found = found.filter(operator=own)
    else:
        found = found.filter(authorising_body=own)
    return found.order_by("operator__name_key", "number", "id")
