"""How purposes, ranges and prices of a price list read; used by the disclosure pages and the consoles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from market.storefront.templatetags.gongshu import local, quantity, yuan
from pricing.tariffs.discounts import CONDITIONS
from pricing.tariffs.price_list import BASIS_WORDS, UNIT_WORDS, PriceRow
from products.registry.models import PurposeClass

register = template.Library()


@register.simple_tag
def purpose_class(code: str) -> str:
    """The name of a purpose class."""
    return str(dict(PurposeClass.choices).get(code, code))


@register.simple_tag
def purpose_names(codes: str, purposes: Mapping[str, Any]) -> str:
    """Semicolon-joined purpose codes as names; ``purposes`` maps codes to rows."""
    return _(", ").join(local(purposes[code]) if code in purposes else code for code in codes.split(";") if code)


@register.simple_tag
def price_range(price: PriceRow) -> str:
    """From where to where a price holds: “from 10,001 to 100,000 calls”."""
    parts = []
    if price.above and price.up_to:
        parts.append(_("above %(above)s up to %(up_to)s") % {"above": quantity(price.above), "up_to": quantity(price.up_to)})
    elif price.above:
        parts.append(_("above %(above)s") % {"above": quantity(price.above)})
    elif price.up_to:
        parts.append(_("up to %(up_to)s") % {"up_to": quantity(price.up_to)})
    if price.included:
        parts.append(_("after %(units)s included") % {"units": quantity(price.included)})
    return _(", ").join(parts) or "–"


@register.simple_tag
def price_amount(price: PriceRow) -> SafeString:
    """The price with its unit: ¥0.50 / call."""
    unit = str(price.unit_word) if price.size is None else f"{quantity(price.size)} {price.unit_word}"
    return format_html('<span class="nowrap">{} <small>/ {}</small></span>', yuan(price.price), unit)


@register.filter
def basis_word(basis: str) -> str:
    return str(BASIS_WORDS.get(basis, basis))


@register.filter
def unit_word(unit: str) -> str:
    return str(UNIT_WORDS.get(unit, unit))


@register.simple_tag
def cap_amount(cap: Any) -> SafeString:
    """A cap with its unit: ¥0.50 / call. ``cap`` is a Cap row or an entry of a cap document."""
    get = cap.get if isinstance(cap, Mapping) else lambda name, default="": getattr(cap, name, default)
    basis = get("basis", "")
    period = get("period", "") if isinstance(cap, Mapping) else cap.flat_period
    amount = get("cap", "") if isinstance(cap, Mapping) else cap.amount.normalize()
    units = {"calls": "call", "records": "record", "products": "product"}
    word = unit_word(period or units.get(basis, "")) or pgettext("unit of data volume", "unit")
    return format_html('<span class="nowrap">{} <small>/ {}</small></span>', yuan(amount), word)


TERM_WORDS: dict[str, str | Promise] = {
    "discounts": gettext_lazy("the discounts"),
    "minimum": gettext_lazy("the minimum"),
    "maximum": gettext_lazy("the maximum"),
    "tax": gettext_lazy("the tax"),
}


@register.simple_tag
def tariff_term(name: str) -> str:
    """A part of a tariff beside its prices, for people."""
    return str(TERM_WORDS.get(name, name))


@register.simple_tag
def discount_reason(reason: str) -> str:
    """Who gets a discount: the condition of its published rule; the code itself where no rule knows it."""
    return str(CONDITIONS.get(reason, reason))


@register.simple_tag
def local_name(name: str, name_en: str) -> str:
    """A name that was read as text, in the page's language."""
    return name_en if (get_language() or "").startswith("en") and name_en else name
