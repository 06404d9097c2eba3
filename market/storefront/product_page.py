"""All that a product's page shows, read in a fixed number of queries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import Http404

from market.storefront import expected, pricetags
from pricing.grants.models import FreeUseGrant
from pricing.revenue.models import Cap
from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct, ProductState, Release
from products.organisations.models import Organisation
from products.registry.models import FREE_CLASSES, Purpose, Registration, Scenario

MAX_UNITS = Decimal(10) ** 12


@dataclass(frozen=True)
class PlanOffer:
    """A plan on sale with its price rows and, per purpose class, the caps above it."""

    plan: Plan
    tariff: Tariff
    rows: list[pricetags.PriceRow]
    caps: list[Cap]
    purposes: list[Purpose]

    @property
    def metered(self) -> list[dict[str, Any]]:
        return expected.metered(self.tariff.document)


def product_shown(code: str) -> DataProduct:
    """A product that is or was on sale, with what its page names; 404 for drafts and unknown codes."""
    found = DataProduct.objects.filter(code=code).exclude(state=ProductState.DRAFT)
    found = found.select_related("operator", "authorisation__authorising_body").prefetch_related("resources__provider")
    product = found.first()
    if product is None:
        raise Http404
    return product


def purposes_of(product: DataProduct) -> list[Purpose]:
    """The purposes that the product is offered for, by code; one query."""
    return list(Purpose.objects.filter(code__in=product.purposes).order_by("code"))


def purposes_sold(purposes: list[Purpose]) -> list[Purpose]:
    """The charged ones among these purposes and all below them, by code; one query."""
    below = Q(pk__in=[])
    for purpose in purposes:
        if purpose.purpose_class not in FREE_CLASSES:
            below |= Q(code=purpose.code) | Q(code__startswith=purpose.code + ".")
    return list(Purpose.objects.filter(below).order_by("code"))


def scenarios_of(product: DataProduct) -> list[Scenario]:
    return list(Scenario.objects.filter(code__in=product.scenarios).order_by("code"))


def offers_of(product: DataProduct, purposes: list[Purpose], on: date) -> list[PlanOffer]:
    """The plans on sale that have a price on the date; three queries."""
    plans = list(Plan.objects.filter(product=product, state=Plan.State.OPEN, bundle=None).order_by("id"))
    tariffs = pricetags.tariffs_of(plans, on)
    caps = list(
        Cap.objects.filter(product=product, period__contains=on).select_related("filing").order_by("purpose_class", "basis", "id")
    )
    offers = []
    for plan in plans:
        if plan.pk in tariffs:
            named = [purpose for purpose in purposes if _sold_for(plan, purpose)]
            classes = {purpose.purpose_class for purpose in named}
            rows = pricetags.rows_of(tariffs[plan.pk].document)
            offers.append(PlanOffer(plan, tariffs[plan.pk], rows, [c for c in caps if c.purpose_class in classes], named))
    return offers


def _sold_for(plan: Plan, purpose: Purpose) -> bool:
    rights = plan.purposes or [purpose.code]
    is_right = any(purpose.code == right or purpose.code.startswith(right + ".") for right in rights)
    return is_right and purpose.purpose_class not in FREE_CLASSES


def registrations_of(product: DataProduct) -> list[Registration]:
    """The product's own, and those of the resources that it is derived from."""
    behind = Registration.objects.filter(Q(product=product) | Q(resource__in=product.resources.all()))
    return list(behind.select_related("registry").order_by("-issued_date", "-id"))


def active_release(product: DataProduct) -> Release | None:
    """The release that runs, without its artifact."""
    return product.releases.filter(state=Release.State.ACTIVE).defer("artifact").first()


def grants_of(product: DataProduct, organisation: Organisation | None, on: date) -> list[FreeUseGrant]:
    """The organisation's grants for the product that hold on the date."""
    if organisation is None:
        return []
    held = FreeUseGrant.objects.filter(product=product, organisation=organisation, state=FreeUseGrant.State.GRANTED)
    return list(held.filter(from_date__lte=on, to_date__gte=on).order_by("to_date", "id"))


def units_asked(offer: PlanOffer, query: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The expected units by component from form fields ``units-<code>``, and what is wrong with which."""
    units, wrong = {}, {}
    for component in offer.metered:
        code = component["code"]
        text = query.get(f"units-{code}", "").strip().replace(",", "").replace("，", "")
        text = text or expected.DEFAULT_UNITS.get(component["basis"], "0")
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal(-1)
        if not (value.is_finite() and 0 <= value <= MAX_UNITS and value == round(value, 6)):
            wrong[code] = text
            continue
        units[code] = f"{value:f}"
    return units, wrong


def curl_example(product: DataProduct, release: Release | None) -> str:
    """A call that works with a key put in."""
    body = json.dumps(release.sample_input if release else {}, ensure_ascii=False)
    quoted = body.replace("'", "'\\''")
    return (
        f"curl {settings.PUBLIC_URL}/v1/products/{product.code} \\\n"
        f"  -H 'Authorization: Bearer gs_test_…' \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d '{quoted}'"
    )
