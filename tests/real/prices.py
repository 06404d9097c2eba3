"""What the three products cost, and what a month of calls must come to: a few lines of fen that share no code with pricing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

TAX = {"rate": "0.06", "inclusive": True}
TIERS = [
    {"up_to": "10", "unit_price": "0.50"},
    {"up_to": "50", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]
CALLS = {"code": "calls", "label": "技术服务费", "basis": "calls"}
BASE = {"code": "base", "label": "基础技术服务费", "basis": "periods", "model": "flat", "period": "month", "price": "20.00"}


def tariff(*components: dict[str, Any]) -> dict[str, Any]:
    return {"currency": "CNY", "components": list(components), "tax": TAX}


TARIFFS = {
    "cpi-index": tariff({**CALLS, "model": "graduated", "tiers": TIERS}, BASE),
    "division-check": tariff({**CALLS, "model": "per_unit", "unit_price": "0.35", "included": "5"}),
    "credit-default": tariff({**CALLS, "model": "package", "package_size": "10", "package_price": "9.00"}),
}
CAPS = {
    "cpi-index": [{"basis": "calls", "cap": "0.50"}, {"basis": "periods", "period": "month", "cap": "20.00"}],
    "division-check": [{"basis": "calls", "cap": "0.35"}],
    "credit-default": [{"basis": "calls", "cap": "0.90"}],
}
PARTS = (("operator", 75), ("provider", 20), ("platform", 5))  # an example ratio, in percent


def lines(product: str, calls: int) -> dict[str, int]:
    """Fen by component for a whole May of so many calls."""
    if product == "cpi-index":
        return {"calls": 50 * min(calls, 10) + 30 * min(max(calls - 10, 0), 40) + 10 * max(calls - 50, 0), "base": 20_00}
    if product == "division-check":
        return {"calls": 35 * max(calls - 5, 0)}
    return {"calls": 9_00 * -(-calls // 10)}


def net_of(total: int) -> int:
    """Fen net of 6 % VAT that the total includes, half up."""
    return int(Fraction(total * 100, 106) + Fraction(1, 2))


def divided(net: int) -> dict[str, int]:
    """Fen a party: whole fen first, what is left to the largest fractions, in the agreement's order where they are equal."""
    exact = {party: Fraction(net * percent, 100) for party, percent in PARTS}
    whole = {party: int(part) for party, part in exact.items()}
    first = sorted(exact, key=lambda party: whole[party] - exact[party])
    for party in first[: net - sum(whole.values())]:
        whole[party] += 1
    return whole
