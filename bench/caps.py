"""A cap set for ten thousand products by each of the three ways, and its reasonableness test; pure arithmetic, no database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import date

from bench.scale import scaled
from bench.table import Figure
from pricing.revenue.basket_rules import Row, by_cost, by_usage, total, welfare
from pricing.revenue.reasonableness import Frame, Line, weigh, year_budget

MICRO = 10**6
WAYS: dict[str, Callable[[Sequence[Row], int], list[int]]] = {
    "by cost share": by_cost,
    "by usage share": by_usage,
    "welfare-optimal": welfare,
}


def run() -> list[Figure]:
    """Seconds for each way, the test included; AssertionError where a set exceeds the maximum."""
    count = scaled(10_000)
    rows = made_up(count)
    cost = sum(row.cost_minor for row in rows)
    frame = Frame(cost * 110 // 100, date(2026, 1, 1), date(2029, 1, 1), vat_micro=60_000, floor_micro=650_000)
    return [measured(name, way, rows, frame) for name, way in WAYS.items()]


def made_up(count: int, seed: int = 7) -> list[Row]:
    """Products with volumes over five orders of magnitude, every elasticity their own."""
    rng = random.Random(seed)
    return [
        Row(
            used_micro=rng.randint(1, 10 ** rng.randint(2, 7)) * MICRO,
            cost_minor=rng.randint(0, 10**8),
            elasticity_micro=rng.randint(100, 30_000) * 100,
            group=rng.choice(["calls:", "records:", "periods:year"]),
            reference_micro=rng.randint(1, 5 * MICRO),
        )
        for _number in range(count)
    ]


def measured(name: str, way: Callable[[Sequence[Row], int], list[int]], rows: Sequence[Row], frame: Frame) -> Figure:
    began = time.perf_counter()
    budget = year_budget(frame)
    caps = way(rows, budget)
    lines = [
        Line(str(n), ("industry",), "calls", "", cap, row.used_micro) for n, (row, cap) in enumerate(zip(rows, caps, strict=True))
    ]
    result = weigh(frame, lines)
    seconds = time.perf_counter() - began
    if not result.is_within or budget - total(rows, caps) > sum(row.used_micro for row in rows):
        raise AssertionError(f"the set {name} does not fit its permitted revenue")
    return Figure(f"a cap set of {len(rows):,} products, {name}", seconds, "s", 2.0, False, "with its test; exact integers")
