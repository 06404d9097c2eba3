"""A fee needs a reason: without a statement why one is needed, a product of public data is free (domain.md R63: 确需收费的)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from products.catalogue.models import DataProduct, Regime
from products.record.refusals import Refused


class NecessityMissing(Refused):
    code = "necessity_missing"


def is_needed(product: DataProduct) -> bool:
    """Whether a fee may be asked: the statement is there, or the price is the market's (a third party's own product)."""
    return product.regime == Regime.MARKET or bool(product.necessity.strip())


def require_necessity(product: DataProduct) -> None:
    """Raise NecessityMissing where nothing says why a fee is needed: then only free use is open."""
    if not is_needed(product):
        message = _(
            "Nothing says why a fee is needed for “%(product)s” (R63): the operator states it on the product, or it stays free."
        )
        raise NecessityMissing(message % {"product": product.name}, field="product", product=product.code)
