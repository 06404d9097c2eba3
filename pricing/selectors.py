"""Reads that span the pricing floor: the price part of the listing gate (invariant 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.utils.translation import gettext as _

from pricing.cap_check import check_terms
from pricing.documents import parse_caps, parse_tariff
from pricing.revenue.selectors import cap_document, caps_in_force
from pricing.tariffs.models import Plan
from pricing.tariffs.selectors import charged_classes, tariff_in_force
from products.catalogue.models import DataProduct, Regime


@dataclass(frozen=True)
class PriceGap:
    """Something that keeps a product from being on sale; ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


@dataclass(frozen=True)
class PriceState:
    """free: nothing is charged; priced: every charged purpose has a price in force within its cap; missing: see ``gaps``."""

    kind: Literal["free", "priced", "missing"]
    gaps: tuple[PriceGap, ...] = ()


def price_state(*, product: DataProduct, on: date) -> PriceState:
    """Whether the product is free, priced within its caps, or lacks a price, on a business date."""
    charged = [purpose for purpose in product.purposes if charged_classes([purpose])]
    if product.regime == Regime.FREE:
        return PriceState("free")
    if not charged:
        return PriceState("free")
    gaps: list[PriceGap] = []
    priced: set[str] = set()
    for plan in Plan.objects.filter(product=product, state=Plan.State.OPEN).select_related("product").order_by("id"):
        tariff = tariff_in_force(plan=plan, on=on)
        if tariff is None:
            continue
        broken = plan_gaps(plan=plan, document=tariff.document, on=on)
        gaps += broken
        if not broken and plan.bundle_id is None:  # what is sold in a bundle only is no price of the product's own
            priced |= set(plan.purposes)
    if not priced and not gaps:
        gaps.append(PriceGap("no_price", _("No plan has a price in force.")))
    return PriceState("missing", tuple(gaps)) if gaps else PriceState("priced")


def plan_gaps(*, plan: Plan, document: dict[str, Any], on: date) -> list[PriceGap]:
    """What is wrong with a plan's price on a date: no cap in force, or a price above it. A market price has no cap."""
    product, found = plan.product, []
    if product.regime == Regime.MARKET:
        return []
    terms = parse_tariff(document)
    for purpose_class in charged_classes(plan.purposes):
        caps = caps_in_force(product=product, purpose_class=purpose_class, on=on)
        named = {"plan": plan.name, "purpose": purpose_class}
        if not caps:
            found.append(PriceGap("no_cap", _("Plan “%(plan)s”: no cap is in force for %(purpose)s.") % named))
        elif check_terms(tariff=terms, caps=parse_caps(cap_document(caps))) is not None:
            found.append(PriceGap("price_above_cap", _("Plan “%(plan)s”: its price is above the cap for %(purpose)s.") % named))
    return found
