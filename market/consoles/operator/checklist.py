"""What is missing before listing, with who can mend it and where: the gaps of ``products.catalogue.listing_gate``, for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.catalogue.listing_gate import Gap
from products.catalogue.models import DataProduct

OPERATOR, AUTHORITY, PROVIDER = _("You"), _("The authorising body"), _("The data provider")
REVIEWER, PLATFORM, REGISTRY = _("A reviewer from outside"), _("The platform"), _("The registry")
WHO: dict[str, str | Promise] = {
    "operator_unverified": PLATFORM,
    "authorisation_inactive": AUTHORITY,
    "authorisation_out_of_term": AUTHORITY,
    "resource_closed": PROVIDER,
    "dictionary_missing": PROVIDER,
    "consent_missing": PROVIDER,
    "registration_missing": REGISTRY,
    "no_cap": AUTHORITY,
}
PRICE = {"price_missing", "no_price", "price_above_cap"}
REVIEW = {"review_missing", "review_outdated"}


@dataclass(frozen=True)
class Step:
    """One line of the checklist: what, about which object, who mends it, and the page where that is done (may be empty)."""

    message: str | Promise
    where: str
    who: str | Promise
    url: str
    label: str | Promise


def steps(gaps: Iterable[Gap], product: DataProduct) -> list[Step]:
    return [_step(gap, product) for gap in gaps]


def _step(gap: Gap, product: DataProduct) -> Step:
    if gap.code in PRICE:
        plan = next(iter(product.plans.all()), None)
        if plan is None:
            return Step(
                gap.message, gap.where, OPERATOR, reverse("operator-plan-new", args=[product.code]), _("Open a plan first")
            )
        return Step(gap.message, gap.where, OPERATOR, reverse("operator-tariff-new", args=[plan.pk]), _("File a tariff"))
    if gap.code in REVIEW:
        is_open = any(review.state == "requested" for review in product.reviews.all())
        return Step(gap.message, gap.where, REVIEWER if is_open else OPERATOR, "#reviews", _("Reviews"))
    if gap.code == "release_missing":
        return Step(gap.message, gap.where, OPERATOR, "#releases", _("Releases"))
    if gap.code in WHO:
        return Step(gap.message, gap.where, WHO[gap.code], "", "")
    return Step(
        gap.message, gap.where, OPERATOR, reverse("operator-product-change", args=[product.code]), _("Change the product")
    )
