"""Which what-if cases a body may open."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from pricing.bodies import stem
from products.models import Authorisation, Organisation
from products.organisations.models import OrganisationKind
from settlement.whatif.models import WhatIfCase
from settlement.whatif.scope import KINDS, OVERSEERS


def cases_of(*, organisation: Organisation) -> QuerySet[WhatIfCase]:
    """Its own cases, and those that others shared with the bodies that oversee the operator; newest first.

    Price regulators and data bureaus see shared cases of operators and offices in their region; an authorising body those of
    operators all of whose authorisations are its own, for a case tells of every product. Operators see their own only.
    """
    found = WhatIfCase.objects.select_related("organisation", "author", "operator").order_by("-created_at", "-id")
    if organisation.kind not in KINDS:
        return found.none()
    mine = Q(organisation=organisation)
    given = Authorisation.objects.filter(operator=OuterRef("operator"))
    if organisation.kind in OVERSEERS:
        prefix = stem(organisation.region)
        here = given.filter(of_region_of_authorisation(prefix)) if prefix else given
        mine |= Q(is_shared=True) & (Q(operator=None, organisation__region__startswith=prefix) | Exists(here))
    elif organisation.kind == OrganisationKind.AUTHORISING_BODY:
        others = given.exclude(authorising_body=organisation)
        mine |= Q(is_shared=True, operator__isnull=False) & Exists(given) & ~Exists(others)
    return found.filter(mine)


def of_region_of_authorisation(prefix: str) -> Q:
    return Q(region__startswith=prefix) | Q(region="", authorising_body__region__startswith=prefix)
