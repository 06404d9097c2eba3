"""What an authorisation lets its operator file: the choices of the product form. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from market.storefront.templatetags.gongshu import local
from products.catalogue.models import DataProduct, ProductState, Regime
from products.organisations.models import Organisation
from products.registry.models import Authorisation, ProductType, Purpose, PurposeClass, Scenario
from products.registry.purposes import covers
from settlement.publishing import licences_of


@dataclass(frozen=True)
class Choices:
    """(code, label) of what may be chosen, in the page's language."""

    resources: list[tuple[str, str]]
    purposes: list[tuple[str, str]]
    scenarios: list[tuple[str, str]]


def held(*, operator: Organisation, on: date) -> list[tuple[Authorisation, list[tuple[str, str]]]]:
    """The operator's authorisations that are active on the day, each with the product types that its scope names."""
    found = Authorisation.objects.filter(
        operator=operator, state=Authorisation.State.ACTIVE, from_date__lte=on, to_date__gte=on
    ).select_related("authorising_body")
    rows = []
    for authorisation in found.prefetch_related("scope_items").order_by("number", "id"):
        named = {item.product_type for item in authorisation.scope_items.all()}
        rows.append((authorisation, [(value, str(label)) for value, label in ProductType.choices if value in named]))
    return rows


def choices_of(*, authorisation: Authorisation, product_type: str) -> Choices:
    """Resources, purposes and scenarios of the scope items for a type; a purpose brings those below it."""
    items = authorisation.scope_items.filter(product_type=product_type).select_related("resource", "scenario")
    items = items.order_by("resource__code", "scenario_id", "id")
    rights = {item.purpose_id for item in items}
    resources = {item.resource.code: f"{item.resource.code} {local(item.resource)}" for item in items}
    scenarios = {item.scenario.code: local(item.scenario) for item in items}
    return Choices(list(resources.items()), purpose_choices(sorted(rights)), list(scenarios.items()))


def redevelopment_choices() -> Choices:
    """What a re-developed product may serve: every purpose and scenario; no authorisation limits it."""
    purposes = purpose_choices(sorted(str(code) for code in PurposeClass.values))
    return Choices([], purposes, [(each.code, local(each)) for each in Scenario.objects.order_by("code")])


def bases_of(*, seller: Organisation, at: datetime) -> list[tuple[str, str]]:
    """(code, name) of the products on sale that an organisation may re-develop today: licensed ones, and its own market ones."""
    licensed = Q(code__in=licences_of(organisation=seller, at=at)) & ~Q(operator=seller)
    own = Q(operator=seller, regime=Regime.MARKET)
    found = DataProduct.objects.filter(licensed | own, state=ProductState.LISTED).order_by("name_key", "id")
    return [(product.code, local(product)) for product in found]


def purpose_choices(rights: Sequence[str]) -> list[tuple[str, str]]:
    """The purposes that one of the rights covers, with their names."""
    known = Purpose.objects.order_by("code")
    return [(each.code, f"{local(each)} ({each.code})") for each in known if any(covers(right, each.code) for right in rights)]
