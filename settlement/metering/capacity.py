"""Who may fill how much of a product's capacity (R69): the last part of it is there for government and emergency calls only.

Free use for welfare may fill it up to one share, paid use up to a larger one, government to the whole. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

FREE_SHARE, PAID_SHARE = Decimal("0.6"), Decimal("0.8")  # where no rule set says


@dataclass(frozen=True, slots=True)
class Capacity:
    """A product's calls a minute (None: not bounded), the shares, and the calls a minute of one organisation (None: as many)."""

    product_id: int
    calls_per_minute: int | None
    free_share: Decimal
    paid_share: Decimal
    organisation_calls: int | None

    def limit_of(self, *, purpose: str, is_free: bool) -> int | None:
        """Up to how many calls in a minute, by whomever, a call of this kind is let in; None where nothing bounds it."""
        if self.calls_per_minute is None or is_government(purpose):
            return self.calls_per_minute
        return int(self.calls_per_minute * (self.free_share if is_free else self.paid_share))


def is_government(purpose: str) -> bool:
    """Public governance, emergencies among it: served first."""
    parts = purpose.split(".")
    return parts[0] == "governance" or "emergency" in parts


def capacity_of(
    *,
    product_id: int,
    calls_per_minute: int | None,
    free_share: Decimal | None,
    paid_share: Decimal | None,
    organisation_calls: int | None,
) -> Capacity:
    """A row of ``capacity_rules.sql``."""
    free, paid = free_share, paid_share
    return Capacity(
        product_id,
        calls_per_minute,
        FREE_SHARE if free is None else free,
        PAID_SHARE if paid is None else paid,
        organisation_calls,
    )
