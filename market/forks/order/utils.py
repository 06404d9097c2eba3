"""Order numbers of ours; everything else is Oscar's."""

from typing import Any

from oscar.apps.order.utils import *  # noqa: F403
from oscar.apps.order.utils import OrderNumberGenerator as OscarOrderNumberGenerator


class OrderNumberGenerator(OscarOrderNumberGenerator):
    def order_number(self, basket: Any) -> str:
        """One number per basket, so that a second payment of the same basket finds the order of the first."""
        return f"GS{100_000 + basket.pk}"
