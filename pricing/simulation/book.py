"""Tariffs compiled into tables of integers, each component with the largest quantity for which int64 is proven to be enough.

Every curve of a metered model but the package is, tier by tier, ``base + (q − floor) × unit price``: graduated tiers carry what
the tiers before them cost in ``base``, volume tiers start at floor 0. So one gather and one multiplication price any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np
from numpy.typing import NDArray

from pricing.rules.exact import FULL_PERCENT, PICO_PER_FEN
from pricing.rules.rating import percent_for
from pricing.rules.terms import Component, Flat, Graduated, Package, PerUnit, Tariff, Volume

Ints = NDArray[np.int64]
TOP = 2**62  # an exact amount in 10⁻¹² yuan up to here may be rounded, discounted and subtracted in int64
MOST_UNITS = 2**61  # units and the units before them, so that their sum is proven too
NONE = -1  # no minimum, no maximum
LINEAR, PACKAGE, FLAT = 0, 1, 2
PERIOD_CODES = {"day": 0, "week": 1, "month": 2, "quarter": 3, "year": 4}


@dataclass(frozen=True, slots=True)
class Curve:
    """A component's tiers as (up to, floor, base, price), and the largest units whose exact value is at most TOP."""

    tiers: tuple[tuple[int, int, int, int], ...]
    most: int


@dataclass(frozen=True, slots=True)
class Book:
    """Compiled tariffs. Component ``c`` of the whole book belongs to tariff ``t`` where first[t] <= c < first[t + 1].

    ``most`` is the largest before + units that int64 is proven for; −1: never. Tables by tier are flat: c × width + tier.
    """

    tariffs: tuple[Tariff, ...]
    components: tuple[Component, ...]
    first: Ints
    kind: Ints
    most: Ints
    included: Ints
    is_collected: NDArray[np.bool_]
    width: int
    up_to: Ints
    floor: Ints
    base: Ints
    price: Ints
    size: Ints
    package_pico: Ints
    period: Ints
    flat_minor: Ints
    minimum: Ints
    maximum: Ints
    tax_micro: Ints
    is_inclusive: NDArray[np.bool_]

    @property
    def most_lines(self) -> int:
        """Components of the longest tariff."""
        return max((len(tariff.components) for tariff in self.tariffs), default=1) or 1

    def percents(self, reason_sets: Sequence[frozenset[str]]) -> Ints:
        """[component, reason set]: the discount that applies, in millionths of a percent; 0 where nothing is collected."""
        table = np.zeros((len(self.components), max(1, len(reason_sets))), dtype=np.int64)
        for number, tariff in enumerate(self.tariffs):
            if not tariff.discounts:
                continue
            for place, component in enumerate(tariff.components, int(self.first[number])):
                for column, reasons in enumerate(reason_sets):
                    table[place, column] = percent_for(tariff, component.code, reasons) if component.is_collected else 0
        return table


def compile_book(tariffs: Sequence[Tariff]) -> Book:
    """The tables of tariffs, in their order."""
    components = tuple(component for tariff in tariffs for component in tariff.components)
    curves = [curve_of(component) for component in components]
    width = max((len(curve.tiers) for curve in curves), default=1) or 1
    tables = np.full((4, len(components), width), 0, dtype=np.int64)
    tables[0] = np.iinfo(np.int64).max  # padding: no quantity lies beyond it
    for place, curve in enumerate(curves):
        for tier, numbers in enumerate(curve.tiers):
            tables[:, place, tier] = numbers
    packages = [c.price if isinstance(c.price, Package) else None for c in components]
    flats = [c.price if isinstance(c.price, Flat) else None for c in components]
    return Book(
        tariffs=tuple(tariffs),
        components=components,
        first=ints([0, *np.cumsum([len(tariff.components) for tariff in tariffs]).tolist()]),
        kind=ints([FLAT if flat else PACKAGE if package else LINEAR for flat, package in zip(flats, packages, strict=True)]),
        most=ints([curve.most for curve in curves]),
        included=ints([min(component.included_micro, TOP) for component in components]),
        is_collected=np.array([component.is_collected for component in components], dtype=bool),
        width=width,
        up_to=tables[0].ravel(),
        floor=tables[1].ravel(),
        base=tables[2].ravel(),
        price=tables[3].ravel(),
        size=ints([min(package.size_micro, TOP) if package else 1 for package in packages]),
        package_pico=ints([within(package.price_minor * PICO_PER_FEN) if package else 0 for package in packages]),
        period=ints([PERIOD_CODES[flat.period] if flat else 0 for flat in flats]),
        flat_minor=ints([within(flat.price_minor) if flat else 0 for flat in flats]),
        minimum=ints([NONE if t.minimum_minor is None else min(t.minimum_minor, TOP) for t in tariffs]),
        maximum=ints([NONE if t.maximum_minor is None else min(t.maximum_minor, TOP) for t in tariffs]),
        tax_micro=ints([tariff.tax.rate_micro for tariff in tariffs]),
        is_inclusive=np.array([tariff.tax.is_inclusive for tariff in tariffs], dtype=bool),
    )


def ints(numbers: Sequence[int]) -> Ints:
    return np.array(numbers, dtype=np.int64)


def within(number: int) -> int:
    """The number where a table can hold it; 0 in place of one that no vector will ever read (its limit says so)."""
    return number if number <= TOP else 0


def curve_of(component: Component) -> Curve:
    price = component.price
    if isinstance(price, Flat):
        return Curve((), MOST_UNITS if price.price_minor <= TOP else -1)
    if isinstance(price, Package):
        one = price.price_minor * PICO_PER_FEN
        return Curve((), MOST_UNITS if not one else min(MOST_UNITS, TOP // one * price.size_micro))
    if isinstance(price, PerUnit):
        return proven([(None, 0, 0, price.unit_price_micro)])
    return proven(tiers_of(price))


def tiers_of(price: Graduated | Volume) -> list[tuple[int | None, int, int, int]]:
    """(up to, floor, base, price) in Python integers."""
    if isinstance(price, Volume):
        return [(t.up_to_micro, 0, t.flat_fee_minor * PICO_PER_FEN, t.unit_price_micro) for t in price.tiers]
    found: list[tuple[int | None, int, int, int]] = []
    base = price.tiers[0].flat_fee_minor * PICO_PER_FEN
    floor = 0
    for tier, after in pairwise((*price.tiers, None)):
        assert tier is not None
        found.append((tier.up_to_micro, floor, base, tier.unit_price_micro))
        if after is not None and tier.up_to_micro is not None:
            base += (tier.up_to_micro - floor) * tier.unit_price_micro + after.flat_fee_minor * PICO_PER_FEN
            floor = tier.up_to_micro
    return found


def proven(tiers: Sequence[tuple[int | None, int, int, int]]) -> Curve:
    """The tiers that int64 can hold, up to the last quantity at which base + (q − floor) × price is at most TOP."""
    kept: list[tuple[int, int, int, int]] = []
    reached = 0
    for up_to, floor, base, price in tiers:
        if base > TOP or price > TOP or floor > TOP:
            return Curve(tuple(kept), min(reached, MOST_UNITS) if kept else -1)
        most = floor + (TOP - base) // price if price else TOP
        kept.append((min(TOP, up_to) if up_to is not None else TOP, floor, base, price))
        if up_to is None or most < up_to or up_to > TOP:
            return Curve(tuple(kept), min(most, MOST_UNITS))
        reached = up_to
    return Curve(tuple(kept), min(reached, MOST_UNITS))


def kept_fraction(percent_micro: int) -> tuple[int, int]:
    """What is left after a discount, as a reduced fraction: 30 % off → (7, 10)."""
    left = FULL_PERCENT - percent_micro
    common = gcd(left, FULL_PERCENT)
    return left // common, FULL_PERCENT // common
