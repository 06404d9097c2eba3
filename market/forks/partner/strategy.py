"""The price of a basket's line: what is due for it at checkout, from our one price door; Oscar adds nothing of its own."""

from decimal import Decimal
from typing import Any

from oscar.apps.partner import strategy
from oscar.apps.partner.availability import Available
from oscar.apps.partner.prices import FixedPrice

from market.storefront.baskets import line_due_minor
from products.record import clock


class Strategy(strategy.Base):
    """``amounts`` (fen by line id) hold the prices that were agreed when the payment began."""

    def __init__(self, request: Any = None, amounts: dict[int, int] | None = None) -> None:
        super().__init__(request)
        self.amounts = amounts or {}

    def fetch_for_product(self, product: Any, stockrecord: Any = None) -> strategy.PurchaseInfo:
        return self._info(0, stockrecord or product.stockrecords.first())

    def fetch_for_line(self, line: Any, stockrecord: Any = None) -> strategy.PurchaseInfo:
        minor = self.amounts[line.pk] if line.pk in self.amounts else line_due_minor(line=line, at=clock.now())
        return self._info(minor, stockrecord or line.stockrecord)

    def _info(self, minor: int, stockrecord: Any) -> strategy.PurchaseInfo:
        # A deposit carries no VAT: the invoice that draws it down does.
        price = FixedPrice(currency="CNY", excl_tax=Decimal(minor) / 100, tax=Decimal(0))
        return strategy.PurchaseInfo(price=price, availability=Available(), stockrecord=stockrecord)


class Selector:
    def strategy(self, request: Any = None, user: Any = None, amounts: dict[int, int] | None = None, **kwargs: Any) -> Strategy:
        return Strategy(request, amounts)
