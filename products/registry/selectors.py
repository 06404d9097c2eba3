"""What is registered and authorised on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Prefetch, QuerySet

from products.catalogue.models import DataProduct
from products.organisations.models import Organisation
from products.registry.models import Authorisation, DataResource, Purpose, Registration, Scenario, ScopeItem


def registrations_in_force(*, on: date) -> QuerySet[Registration]:
    found = Registration.objects.filter(state=Registration.State.VALID, issued_date__lte=on, valid_to__gte=on)
    return found.select_related("registry", "holder").order_by("issued_date", "id")


def registration_of(*, resource: DataResource | None = None, product: DataProduct | None = None, on: date) -> Registration | None:
    """The registration of a resource or a product that is in force on a day, the newest where there are several."""
    found = registrations_in_force(on=on)
    found = found.filter(resource=resource) if resource is not None else found.filter(product=product)
    return found.last()


def resources_of(*, provider: Organisation) -> QuerySet[DataResource]:
    """The provider's catalogue with its registrations, by code."""
    newest = Registration.objects.order_by("-issued_date", "-id")
    return provider.resources.prefetch_related(Prefetch("registrations", queryset=newest)).order_by("code")


def authorisations_public() -> QuerySet[Authorisation]:
    """Every authorisation that was ever active, newest first: object, content, scope and term are open to all (R58)."""
    scope = ScopeItem.objects.select_related("resource", "purpose", "scenario").order_by("id")
    found = Authorisation.objects.exclude(state=Authorisation.State.DRAFT).select_related("authorising_body", "operator")
    return found.prefetch_related(Prefetch("scope_items", queryset=scope)).order_by("-from_date", "-id")


def authorisations_of(*, organisation: Organisation) -> QuerySet[Authorisation]:
    """What the organisation gave or holds, drafts only for the body that gives them."""
    given = Authorisation.objects.filter(authorising_body=organisation)
    held = Authorisation.objects.filter(operator=organisation).exclude(state=Authorisation.State.DRAFT)
    return (given | held).select_related("authorising_body", "operator").order_by("-from_date", "-id")


def is_in_force(authorisation: Authorisation, *, on: date) -> bool:
    """Active, and within its term, both days included."""
    return authorisation.state == Authorisation.State.ACTIVE and authorisation.from_date <= on <= authorisation.to_date


def purposes(*, codes: Iterable[str] | None = None) -> QuerySet[Purpose]:
    found = Purpose.objects.order_by("code")
    return found if codes is None else found.filter(code__in=list(codes))


def scenarios() -> QuerySet[Scenario]:
    return Scenario.objects.order_by("domain", "code")
