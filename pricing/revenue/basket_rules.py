"""Three ways to propose a set of caps that uses a permitted revenue up (domain.md F2). Pure: whole numbers only, no float.

For all of them B is ``reasonableness.year_budget``: what Σ cap × used of a year may be, VAT included. Every cap is rounded down
(six decimals, fees of a period to the fen), so the sum never exceeds B, and falls short of it by less than one step times the
volume of each cap.

By cost share      cap = B × cost ÷ Σ cost ÷ used
By usage share     cap = k × r, with one r for each basis: the mean cap in force of that basis, weighted by volume; k makes Σ = B
Welfare-optimal    (cap − c) ÷ cap = λ ÷ ε, hence cap = c × ε ÷ (ε − λ), with the one λ that makes Σ = B

The last is the inverse-elasticity rule: among all sets that bring in B it takes the least from the users' surplus, where demands
do not depend on each other (F. P. Ramsey, "A contribution to the theory of taxation", Economic Journal 37 (1927); M. Boiteux,
"Sur la gestion des monopoles publics astreints à l'équilibre budgétaire", Econometrica 24 (1956)). c is the cost of a unit: the
product's admitted cost ÷ used. λ < 0 where B is below the costs: then all caps lie below them. λ stays below the smallest ε, so
an elasticity of 1 or less has a finite cap; ε is held between 0.1 and 10, since the rule puts everything on a demand that
never falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pricing.rules.exact import MICRO, PICO_PER_FEN

ELASTICITY_LEAST, ELASTICITY_MOST = MICRO // 10, 10 * MICRO
ONE_YUAN = MICRO
FINE_BITS, SUM_BITS, SLOPE_BITS = 96, 64, 160  # λ in 2⁻⁹⁶ of a millionth; sums on the way to it in 2⁻⁶⁴ of 10⁻¹² yuan
HAIR = 1 << 20


class NothingToShare(ValueError):
    """No product has what this way of sharing goes by: ``cost`` or ``volume``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cap to find. ``group`` is the basis (with its period); ``reference_micro`` the cap in force, None where none is.

    Used volume of a year and elasticity (of demand to price, as a positive number) in millionths, cost in fen a year,
    ``step_micro`` the smallest step of the cap.
    """

    used_micro: int
    cost_minor: int = 0
    elasticity_micro: int = MICRO
    group: str = "calls"
    reference_micro: int | None = None
    step_micro: int = 1


def by_cost(rows: Sequence[Row], budget_pico: int) -> list[int]:
    """Caps in millionths of a yuan; a product without admitted cost gets 0. Raises NothingToShare("cost")."""
    total = sum(row.cost_minor for row in rows if row.used_micro)
    if not total:
        raise NothingToShare("cost")
    return [_cap(row, budget_pico * row.cost_minor, total) for row in rows]


def by_usage(rows: Sequence[Row], budget_pico: int) -> list[int]:
    """Caps in millionths of a yuan: the same for every unit of a basis. Raises NothingToShare("volume")."""
    levels = references(rows)
    total = sum(numerator * row.used_micro for row, numerator in zip(rows, levels, strict=True))
    if not total:
        raise NothingToShare("volume")
    return [_cap(row, budget_pico * level * row.used_micro, total) for row, level in zip(rows, levels, strict=True)]


def welfare(rows: Sequence[Row], budget_pico: int) -> list[int]:
    """Caps in millionths of a yuan by the inverse-elasticity rule. Raises NothingToShare("volume").

    A product without admitted cost is given the unit cost of its basis; where a basis has none, its reference price.
    """
    costs = unit_costs(rows)
    if not any(costs):
        raise NothingToShare("volume")
    if not budget_pico:
        return [0] * len(rows)
    elastic = [elasticity(row.elasticity_micro) for row in rows]
    least = min(e for e, cost in zip(elastic, costs, strict=True) if cost)
    weights: dict[int, int] = {}
    for e, cost in zip(elastic, costs, strict=True):
        weights[e] = weights.get(e, 0) + cost
    distance = _distance(weights, least, budget_pico)
    nearest = _at(rows, costs, elastic, least, distance - HAIR)  # a hair past the maximum: rounding down may bring it back
    return nearest if total(rows, nearest) <= budget_pico else _at(rows, costs, elastic, least, distance)


def _at(rows: Sequence[Row], costs: Sequence[int], elastic: Sequence[int], least: int, distance: int) -> list[int]:
    """The caps where λ lies ``distance`` below the smallest elasticity."""
    return [
        _cap(row, cost * e << FINE_BITS, (e - least << FINE_BITS) + max(distance, 1)) if cost else _idle(row)
        for row, cost, e in zip(rows, costs, elastic, strict=True)
    ]


def elasticity(given_micro: int) -> int:
    """An elasticity within the bounds in which the rule is used."""
    return min(max(given_micro, ELASTICITY_LEAST), ELASTICITY_MOST)


def references(rows: Sequence[Row]) -> list[int]:
    """One price level for each basis, in 10⁻¹² yuan: its mean cap in force, else its mean cost, else 1 yuan."""
    caps: dict[str, list[int]] = {}
    for row in rows:
        sums = caps.setdefault(row.group, [0, 0, 0, 0])
        if row.reference_micro:
            sums[0] += row.reference_micro * row.used_micro
            sums[1] += row.used_micro
        sums[2] += row.cost_minor * PICO_PER_FEN if row.used_micro else 0
        sums[3] += row.used_micro
    return [_level(*caps[row.group]) for row in rows]


def _level(value: int, volume: int, cost: int, all_volume: int) -> int:
    if value:
        return value * MICRO // volume
    if cost and all_volume:
        return cost * MICRO // all_volume
    return ONE_YUAN * MICRO


def unit_costs(rows: Sequence[Row]) -> list[int]:
    """The cost of each row for a year in 10⁻¹² yuan, made up from its basis where the row has none; 0 without volume."""
    known: dict[str, list[int]] = {}
    for row in rows:
        sums = known.setdefault(row.group, [0, 0])
        if row.cost_minor and row.used_micro:
            sums[0] += row.cost_minor * PICO_PER_FEN
            sums[1] += row.used_micro
    levels = references(rows)
    found = []
    for row, level in zip(rows, levels, strict=True):
        cost, volume = known[row.group]
        own = row.cost_minor * PICO_PER_FEN
        estimate = row.used_micro * cost // volume if volume else row.used_micro * level // MICRO
        found.append((own or estimate) if row.used_micro else 0)
    return found


def _distance(weights: dict[int, int], least: int, budget_pico: int) -> int:
    """How far λ lies below the smallest elasticity, in 2⁻⁹⁶ millionths: the least distance at which the sum is within B.

    The sum falls with the distance and is convex, so Newton's steps from the near side never pass the root; what their rounding
    leaves is halved.
    """
    parts = [(cost * e << FINE_BITS + SUM_BITS, e - least << FINE_BITS) for e, cost in weights.items()]
    most = budget_pico << SUM_BITS

    def excess(distance: int) -> int:
        return sum(-(-top // (base + distance)) for top, base in parts) - most

    low = max(1, min(top for top, base in parts if not base) // most)
    while (over := excess(low)) > 0:
        slope = sum((top << SLOPE_BITS) // (base + low) ** 2 + 1 for top, base in parts)
        step = (over << SLOPE_BITS) // slope
        if not step:
            break
        low += step
    if over <= 0:
        return low
    gap = 1
    while excess(low + gap) > 0:
        gap *= 2
    while gap > 1:  # the root lies in (low, low + gap]
        gap //= 2
        low += gap if excess(low + gap) > 0 else 0
    return low + 1


def _cap(row: Row, numerator: int, denominator: int) -> int:
    """numerator ÷ denominator ÷ used, rounded down to the row's step; a row without volume keeps its cap in force."""
    if not row.used_micro:
        return _idle(row)
    return numerator // (denominator * row.used_micro * row.step_micro) * row.step_micro


def _idle(row: Row) -> int:
    return (row.reference_micro or 0) // row.step_micro * row.step_micro


def total(rows: Sequence[Row], caps: Sequence[int]) -> int:
    """Σ cap × used of a year, in 10⁻¹² yuan."""
    return sum(cap * row.used_micro for row, cap in zip(rows, caps, strict=True))
