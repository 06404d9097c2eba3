"""Reads of free-use claims and grants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet

from pricing.grants.models import FreeUseGrant
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation
from products.record.models import CaseEvent

RELATED = ("product", "product__operator", "product__authorisation", "organisation", "case", "continues_on")


def claims_of(*, organisation: Organisation) -> QuerySet[FreeUseGrant]:
    """An organisation's claims and grants, the latest first."""
    return FreeUseGrant.objects.filter(organisation=organisation).select_related(*RELATED).order_by("-created_at", "-id")


def claims_before(*, authorising_body_ids: Sequence[int]) -> QuerySet[FreeUseGrant]:
    """All claims that were ever submitted for products of these authorising bodies, the latest first."""
    found = FreeUseGrant.objects.filter(product__authorisation__authorising_body__in=authorising_body_ids)
    found = found.exclude(submitted_at=None).select_related(*RELATED, "submitted_by", "decided_by", "checked_by")
    return found.order_by("-submitted_at", "-id")


def grant_in_force(*, organisation: Organisation, product: DataProduct, purpose: str, on: date) -> FreeUseGrant | None:
    """The organisation's grant for a product and purpose on a business date; None where it has none."""
    return (
        FreeUseGrant.objects.filter(organisation=organisation, product=product, purpose=purpose, state="granted")
        .filter(from_date__lte=on, to_date__gte=on)
        .order_by("-id")
        .first()
    )


def grants_in_force(*, organisation: Organisation, product: DataProduct, on: date) -> list[FreeUseGrant]:
    """The organisation's grants for a product on a business date."""
    found = FreeUseGrant.objects.filter(organisation=organisation, product=product, state="granted")
    return list(found.filter(from_date__lte=on, to_date__gte=on).order_by("id"))


def history(*, grant: FreeUseGrant) -> list[CaseEvent]:
    """What happened in the claim's case, in order."""
    if grant.case_id is None:
        return []
    return list(CaseEvent.objects.filter(case=grant.case_id).select_related("actor").order_by("at", "id"))
