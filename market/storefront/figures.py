"""The market in numbers, from the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Sum

from products.catalogue.models import DataProduct, ProductState
from products.organisations.models import Organisation, OrganisationKind
from products.registry.models import DataResource
from settlement.metering.models import ArchivedMonth, UsageEvent

EXACT_CALLS = 100_000


@dataclass(frozen=True)
class Figures:
    products: int
    operators: int
    resources: int
    calls: int


def market_figures() -> Figures:
    """Products on sale, their operators, registered resources, metered calls."""
    listed = DataProduct.objects.filter(state=ProductState.LISTED)
    return Figures(
        products=listed.count(),
        operators=Organisation.objects.filter(kind=OrganisationKind.OPERATOR, state="verified").count(),
        resources=DataResource.objects.count(),
        calls=_calls(),
    )


def _calls() -> int:
    """Exact up to a hundred thousand; beyond that the planner's estimate, since a visit must not read the whole table.

    Calls of archived months are added; their number is known.
    """
    archived = ArchivedMonth.objects.aggregate(events=Sum("events", default=0))["events"]
    counted = UsageEvent.objects.all()[: EXACT_CALLS + 1].count()
    if counted <= EXACT_CALLS:
        return archived + counted
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_inherits i"
            " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'settlement_usageevent'::regclass"
        )
        return archived + max(counted, cursor.fetchone()[0])
