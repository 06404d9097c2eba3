"""How concentrated a market is, from what each buyer paid. Pure; amounts in fen.

HHI (Herfindahl–Hirschman index): the sum of the squared shares in per cent, 0 to 10 000. The antitrust reading common to the
guidelines: below 1 500 unconcentrated, up to 2 500 moderately, above it highly concentrated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FEWEST_BUYERS = 5
LARGEST_TWO = Decimal("0.85")  # above this share of two, each of them could work out the other: the figures stay hidden
SMALL = frozenset({"micro", "small"})
Level = Literal["low", "moderate", "high"]


@dataclass(frozen=True, slots=True)
class Paid:
    """What one buyer paid; ``size`` as it stated, empty where it stated none."""

    buyer: int
    size: str
    amount: int


@dataclass(frozen=True, slots=True)
class Concentration:
    """``hhi`` 0–10 000 with one decimal, shares as parts of one with four; None where nothing was paid.

    The small shares are of micro and small enterprises: among the buyers that stated a size, and in the revenue of those.
    """

    buyers: int
    revenue: int
    hhi: Decimal | None
    top_three: Decimal | None
    small_buyers: Decimal | None
    small_revenue: Decimal | None
    without_size: int
    is_public: bool

    @property
    def level(self) -> Level | None:
        if self.hhi is None:
            return None
        return "low" if self.hhi < 1500 else "moderate" if self.hhi <= 2500 else "high"


def concentration(rows: Iterable[Paid]) -> Concentration:
    """Of buyers that paid something; a buyer whose corrections leave nothing or less is left out."""
    paid = sorted((row for row in rows if row.amount > 0), key=lambda row: (-row.amount, row.buyer))
    whole = sum(row.amount for row in paid)
    sized = [row for row in paid if row.size]
    small = [row for row in sized if row.size in SMALL]
    return Concentration(
        buyers=len(paid),
        revenue=whole,
        hhi=hhi([row.amount for row in paid]),
        top_three=part(sum(row.amount for row in paid[:3]), whole),
        small_buyers=part(len(small), len(sized)),
        small_revenue=part(sum(row.amount for row in small), sum(row.amount for row in sized)),
        without_size=len(paid) - len(sized),
        is_public=is_public([row.amount for row in paid]),
    )


def hhi(amounts: Collection[int]) -> Decimal | None:
    whole = sum(amounts)
    if whole <= 0:
        return None
    return round(Decimal(10_000) * sum(amount * amount for amount in amounts) / (whole * whole), 1)


def is_public(amounts: Collection[int]) -> bool:
    """Whether figures over these buyers may be shown to all without telling what one of them buys."""
    if len(amounts) < FEWEST_BUYERS:
        return False
    two = sum(sorted(amounts, reverse=True)[:2])
    return two <= LARGEST_TWO * sum(amounts)


def part(of: int, whole: int) -> Decimal | None:
    return round(Decimal(of) / whole, 4) if whole else None
