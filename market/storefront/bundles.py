"""Bundles in the shop: what each part costs at a usage, and all parts into one basket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from market.storefront import baskets, expected, pricetags, product_page
from market.storefront.baskets import ProductNotOnSale
from pricing.revenue.models import Cap
from pricing.tariffs.bundles import bundle_gaps, bundle_parts
from pricing.tariffs.models import Bundle, Plan
from products.organisations.models import Membership, Organisation, User
from products.record.clock import business_date
from products.record.refusals import Refused


class BundleNotWhole(Refused):
    """A bundle is bought whole: the basket holds only some of its parts."""

    code = "bundle_not_whole"


@dataclass(frozen=True)
class PartOffer:
    """A part on sale: its price rows with the caps above them, and its quote for a month at the asked usage."""

    offer: product_page.PlanOffer
    own: tuple[Plan, ...]
    units: dict[str, str]
    wrong: dict[str, str]
    price: expected.Price
    quote: dict[str, Any] | None
    term: expected.Term

    @property
    def plan(self) -> Plan:
        return self.offer.plan

    @property
    def total(self) -> Decimal:
        return Decimal(self.quote["total"]) if self.quote else Decimal(0)

    @property
    def deductions(self) -> list[expected.Deduction]:
        return self.price.deductions(self.quote) if self.quote else []


def part_offers(*, bundle: Bundle, asked: Mapping[str, str], organisation: Organisation | None, at: datetime) -> list[PartOffer]:
    """The parts that have a price today, quoted for a buyer at the asked usage (form fields ``<plan id>-units-<code>``)."""
    today = business_date(at)
    priced = [(part, part.tariff) for part in bundle_parts(bundle=bundle, on=today) if part.tariff is not None]
    caps = _caps([part.plan.product_id for part, _tariff in priced], bundle.purpose.split(".", 1)[0], today)
    found = []
    for part, tariff in priced:
        rows = pricetags.rows_of(tariff.document)
        offer = product_page.PlanOffer(part.plan, tariff, rows, caps.get(part.plan.product_id, []), [])
        prefix = f"{part.plan.pk}-"
        query = {name.removeprefix(prefix): text for name, text in asked.items() if name.startswith(prefix)}
        units, wrong = product_page.units_asked(offer, query)
        price = expected.price_for(
            product=part.plan.product, document=tariff.document, organisation=organisation, scenario=bundle.scenario, on=today
        )
        quote = None if wrong else price.month(units, today)
        term = expected.term_of(product=part.plan.product, months=part.plan.term_months, at=at)
        found.append(PartOffer(offer, part.own, units, wrong, price, quote, term))
    return found


def _caps(products: Sequence[int], purpose_class: str, on: date) -> dict[int, list[Cap]]:
    found: dict[int, list[Cap]] = {}
    held = Cap.objects.filter(product__in=products, purpose_class=purpose_class, period__contains=on)
    for cap in held.select_related("filing").order_by("basis", "id"):
        found.setdefault(cap.product_id, []).append(cap)
    return found


@transaction.atomic
def bundle_add(
    *, membership: Membership, bundle: Bundle, units: Mapping[int, Mapping[str, str]], user: User, at: datetime
) -> Any:
    """Put every part of a bundle into the basket for its operator, purpose and scenario, or none.

    ``units`` are the expected ones by plan id. Returns Oscar's basket. Raises ProductNotOnSale and what ``basket_add`` raises.
    """
    if bundle.state != Bundle.State.OPEN or bundle_gaps(bundle=bundle, on=business_date(at)):
        raise ProductNotOnSale(_("This bundle is not on sale at the moment."))
    basket = None
    for plan in bundle.plans.select_related("product__operator").order_by("id"):
        basket = baskets.basket_add(
            membership=membership,
            product=plan.product,
            plan=plan,
            purpose=bundle.purpose,
            scenario=bundle.scenario,
            expected_units=units.get(plan.pk, {}),
            user=user,
            at=at,
            bundle=bundle,
        )
    return basket


def check_bundles(*, plans: Sequence[Plan], at: datetime) -> None:
    """Raise BundleNotWhole or ProductNotOnSale unless each bundle among a basket's plans is whole and on sale."""
    bundles = {plan.bundle_id: plan.bundle for plan in plans if plan.bundle is not None}
    for bundle in bundles.values():
        held = {plan.pk for plan in plans if plan.bundle_id == bundle.pk}
        if set(bundle.plans.values_list("pk", flat=True)) != held:
            raise BundleNotWhole(_("“%(bundle)s” is bought whole: a part of it is not in this basket.") % {"bundle": bundle.name})
        if bundle.state != Bundle.State.OPEN or bundle_gaps(bundle=bundle, on=business_date(at)):
            raise ProductNotOnSale(_("“%(bundle)s” is not on sale at the moment.") % {"bundle": bundle.name})
