"""Reads of entitlements and keys for pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from products.organisations.models import Organisation
from settlement.entitlements.models import ApiKey, Entitlement


def entitlements_of(*, organisation: Organisation) -> QuerySet[Entitlement]:
    """A buyer's entitlements with what a list shows, newest first."""
    return (
        Entitlement.objects.filter(organisation=organisation)
        .select_related("product", "operator", "plan", "grant")
        .prefetch_related("quotas")
        .order_by("-created_at", "-id")
    )


def keys_of(*, organisation: Organisation, modes: Iterable[str]) -> QuerySet[ApiKey]:
    """Every key of the organisation of these modes, dead ones too, newest first."""
    found = ApiKey.objects.filter(organisation=organisation, mode__in=list(modes))
    return found.select_related("entitlement__product", "created_by").order_by("-created_at", "-id")


def keys_alive(*, organisation: Organisation, at: datetime, entitlement: Entitlement | None = None) -> QuerySet[ApiKey]:
    """Keys of the organisation that work now, of one entitlement where it is given."""
    found = ApiKey.objects.filter(organisation=organisation, revoked_at=None, expires_at__gt=at).select_related("entitlement")
    if entitlement is not None:
        found = found.filter(entitlement=entitlement)
    return found.order_by("-created_at", "-id")
