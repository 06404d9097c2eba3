"""The reasonableness test of a cap set (domain.md F2, SM4). Pure and exact: nothing is rounded before the verdict.

    used      = max(expected charged volume, capacity floor × design capacity)      a year
    gross     = Σ cap × used                                                        a year, caps include VAT
    net       = gross × (Σ days in a calendar year ÷ the days of that year) ÷ (1 + VAT rate)
    passes  ⇔  net ≤ permitted revenue of the period                                net of VAT, as F1

The floor keeps a tiny expected volume from making room for a high cap: the utilisation floor of the water-price rule.
Quantities are in millionths of a unit, caps in millionths of a yuan, so a product of both is in 10⁻¹² yuan ("pico").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from pricing.rules.exact import MICRO, PICO_PER_FEN, half_up


@dataclass(frozen=True, slots=True)
class Frame:
    """What a set is held against: the permitted revenue of [start, end) in fen, net of VAT, and the two rates in millionths."""

    permitted_minor: int
    start: date
    end: date
    vat_micro: int
    floor_micro: int


@dataclass(frozen=True, slots=True)
class Line:
    """One cap with its volumes of a year. ``capacity_micro`` None: no design capacity is known, so no floor applies."""

    product: str
    classes: tuple[str, ...]
    basis: str
    flat_period: str
    cap_micro: int
    expected_micro: int
    capacity_micro: int | None = None
    is_new: bool = False

    def used_micro(self, floor_micro: int) -> int:
        return used(self.expected_micro, self.capacity_micro, floor_micro)


@dataclass(frozen=True, slots=True)
class LineResult:
    """A line as it counted: ``net`` and ``gap`` in fen for people (``gap`` is its product's part of what is too much)."""

    line: Line
    used_micro: int
    has_floor: bool
    gross_pico: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict with its arithmetic. ``gap_minor`` (fen, rounded up) is 0 exactly when the set passes."""

    frame: Frame
    lines: tuple[LineResult, ...]
    share_of_year: Fraction
    gross_pico: int
    net: Fraction
    gap_minor: int

    @property
    def is_within(self) -> bool:
        return self.gap_minor == 0

    @property
    def net_minor(self) -> int:
        """The net sum for people: rounded up, so that what is too much never reads as the maximum."""
        return _up(self.net)

    def gaps(self) -> dict[str, int]:
        """Fen by which each product is too much if all fall in the same proportion; they add up to the gap."""
        weights: dict[str, int] = {}
        for result in self.lines:
            weights[result.line.product] = weights.get(result.line.product, 0) + result.gross_pico
        return dict(zip(weights, divided(self.gap_minor, list(weights.values())), strict=True))


def used(expected_micro: int, capacity_micro: int | None, floor_micro: int) -> int:
    """The volume that counts, in millionths: 5 % of a capacity of 1 000 000 at a floor of 65 % is 650 000 (scenario 32)."""
    return max(expected_micro, -(-(capacity_micro or 0) * floor_micro // MICRO))


def share_of_year(start: date, end: date) -> Fraction:
    """How many years [start, end) is, calendar year by calendar year: 2026-06-01 to 2027-01-01 is 214/365 (scenario 33)."""
    if end <= start:
        raise ValueError("a period ends after it begins")
    total = Fraction(0)
    for year in range(start.year, (end - timedelta(days=1)).year + 1):
        begins, stops = date(year, 1, 1), date(year + 1, 1, 1)
        total += Fraction((min(end, stops) - max(start, begins)).days, (stops - begins).days)
    return total


def year_budget(frame: Frame) -> int:
    """The most that Σ cap × used of a year may be, VAT included, in 10⁻¹² yuan, rounded down: within it the test passes."""
    exact = Fraction(frame.permitted_minor * PICO_PER_FEN * (MICRO + frame.vat_micro), MICRO) / share_of_year(
        frame.start, frame.end
    )
    return exact.numerator // exact.denominator


def weigh(frame: Frame, lines: Sequence[Line]) -> Result:
    """Hold a set of caps against the permitted revenue. Exact: the set passes if and only if net ≤ permitted."""
    years = share_of_year(frame.start, frame.end)
    to_net = years * Fraction(MICRO, (MICRO + frame.vat_micro) * PICO_PER_FEN)
    results = []
    for line in lines:
        quantity = line.used_micro(frame.floor_micro)
        gross = line.cap_micro * quantity
        results.append(LineResult(line, quantity, quantity > line.expected_micro, gross, _nearest(gross * to_net)))
    total = sum(result.gross_pico for result in results)
    net = total * to_net
    gap = max(0, _up(net - frame.permitted_minor))
    return Result(frame, tuple(results), years, total, net, gap)


def divided(total: int, weights: Sequence[int]) -> list[int]:
    """A whole amount in proportion to weights, by largest remainder; equal remainders in the order given."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_remainder[: total - sum(parts)]:
        parts[n] += 1
    return parts


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _nearest(value: Fraction) -> int:
    return half_up(value.numerator, value.denominator)
