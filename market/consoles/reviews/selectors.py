"""Which reviews a reviewer's organisation sees: an authorising body those of its own authorisations, the others all."""

from __future__ import annotations

from django.db.models import Case, IntegerField, QuerySet, Value, When

from products.catalogue.models import ReviewRecord
from products.organisations.models import Organisation, OrganisationKind


def reviews_for(*, organisation: Organisation) -> QuerySet[ReviewRecord]:
    """The reviews that the organisation may read, with product, operator and people."""
    found = ReviewRecord.objects.select_related(
        "product", "product__operator", "product__authorisation", "requested_by", "reviewed_by"
    )
    if organisation.kind == OrganisationKind.AUTHORISING_BODY:
        found = found.filter(product__authorisation__authorising_body=organisation)
    return found


def queue_of(*, organisation: Organisation, is_open: bool) -> QuerySet[ReviewRecord]:
    """The open reviews, the longest waiting first; or the decided ones, the latest first."""
    found = reviews_for(organisation=organisation)
    if is_open:
        kind = Case(When(kind="compliance", then=Value(0)), default=Value(1), output_field=IntegerField())
        return found.filter(state=ReviewRecord.State.REQUESTED).order_by("requested_at", "product_id", kind, "id")
    return found.exclude(state=ReviewRecord.State.REQUESTED).order_by("-reviewed_at", "-id")
