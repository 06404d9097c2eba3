"""The words of the estimates: methods, why they were taken, features, places in a band."""

from __future__ import annotations

import math
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from market.storefront.names import purpose_name
from market.storefront.templatetags.gongshu import frequency
from products.registry.models import ProductType
from settlement.oversight.comparables import DAYS_OLD, Price

METHODS: dict[str, str | Promise] = {
    "model": gettext_lazy("Forecast model"),
    "seasonal_naive": gettext_lazy("Same month a year before"),
    "naive": gettext_lazy("Last month"),
    "too_little_data": gettext_lazy("Too little data"),
}
REASONS: dict[str, str | Promise] = {
    "own_past_better": gettext_lazy("In this product's own past the model erred less."),
    "own_past_worse": gettext_lazy("In this product's own past the simple forecast erred less, so it is used."),
    "others_better": gettext_lazy("Its past is too short to choose by; on all products together the model erred less."),
    "others_worse": gettext_lazy("Its past is too short to choose by; on all products together the simple forecast erred less."),
    "too_little_data": gettext_lazy("Fewer than three months of charged use are known: nothing is forecast."),
}
FEATURES: dict[str, str | Promise] = {
    "type": gettext_lazy("Product type"),
    "sector": gettext_lazy("Sector"),
    "freshness": gettext_lazy("Freshness"),
    "quality": gettext_lazy("Documented fields"),
    "granularity": gettext_lazy("Fields in an answer"),
}
PLACES: dict[str, tuple[str, str | Promise]] = {
    "within": ("ok", gettext_lazy("Within the band")),
    "above": ("bad", gettext_lazy("Above the band")),
    "below": ("wait", gettext_lazy("Below the band")),
}
BASIS_UNITS: dict[str, str | Promise] = {
    "calls": gettext_lazy("a call"),
    "records": gettext_lazy("a record"),
    "products": gettext_lazy("a delivery"),
    "bytes": gettext_lazy("a unit of volume"),
    "periods": gettext_lazy("a year"),
}


def feature_value(name: str, value: Any) -> str:
    """A feature's value as people read it."""
    if value is None or value == "":
        return _("not known")
    if name == "type":
        return str(dict(ProductType.choices).get(value, value))
    if name == "sector":
        named = {code: purpose_name(code) for code in (f"industry.{value}", f"sector.{value}")}
        return next((words for code, words in named.items() if words != code), str(value))
    if name == "freshness":
        days = round(math.expm1(value))
        return str(frequency(next((code for code, old in DAYS_OLD.items() if old == days), str(days))))
    return f"{value:.0f} %" if name == "quality" else f"{math.exp(value):.0f}"


def unit_of(price: Price) -> str | Promise:
    return BASIS_UNITS[price.basis]
