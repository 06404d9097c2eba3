"""What products like this one cost: an expected band for each price, and the nearest products with why they are near.

A hedonic model: the logarithm of the price a unit against what the product is (ridge regression: there are few products). Each
product's band comes from a model that never saw it, as wide as the errors on other products that their models never saw (cross
conformal). Where the median of like products errs less than the model, the median is the middle. Measured in
docs/pricing/estimation.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pricing.estimation.features import Columns

LEVEL = 0.8
LEAST_PRICED = 8
FOLDS = 10
LEAST_LIKE = 3  # of a kind, before its median is taken
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
NEAREST = 10
UNLIKE = 0.05  # what a difference without effect on the price still adds to the distance


@dataclass(frozen=True)
class Item:
    """A product as the model sees it. ``price`` is yuan a unit, None where only a band is asked. "" and None: not known.

    ``group``: items of one group are withheld together (a provider's products are often priced alike); else "".
    """

    key: str
    price: float | None
    kinds: Mapping[str, str]
    numbers: Mapping[str, float | None]
    group: str = ""


@dataclass(frozen=True)
class Why:
    """One feature of a near product: both values as given, and the factor by which the difference moves the price (1: not)."""

    feature: str
    is_same: bool
    own: str | float | None
    other: str | float | None
    factor: float


@dataclass(frozen=True)
class Near:
    key: str
    price: float
    distance: float
    why: tuple[Why, ...]


@dataclass(frozen=True)
class Expected:
    """The band of one product, yuan a unit. ``place``: below, within, above, or "" where it has no price."""

    key: str
    price: float | None
    low: float
    middle: float
    high: float
    place: str

    @property
    def off(self) -> float:
        """How far outside its band a price is, as a factor of 1 or more: what is read first."""
        if self.price is None or self.place in ("within", ""):
            return 1.0
        return self.price / self.high if self.place == "above" else self.low / self.price


@dataclass(frozen=True)
class Market:
    """Everything that is said. ``reason`` is too_little_data where there are under 8 prices (then ``items`` is empty).

    ``coverage``: the part of withheld prices that fell into their band, meant to be ``LEVEL``. The errors are mean absolute
    logarithms on withheld products: 0.3 is about 35 % off. ``method``: hedonic or median, whichever erred less.
    """

    items: Mapping[str, Expected]
    prices: int
    method: str = ""
    coverage: float = 0.0
    error: float = 0.0
    error_of_median: float = 0.0
    reason: str = ""

    @property
    def typical_error(self) -> float:
        """By which factor what is expected is off, up or down."""
        return math.exp(self.error)

    @property
    def typical_error_of_median(self) -> float:
        return math.exp(self.error_of_median)


def market(items: Sequence[Item], *, alike: Sequence[str]) -> Market:
    """Bands of all ``items``; ``alike`` names the kinds that make a category for the median, coarsest first.

    Keys are unique; prices that are not above 0 are left out. Input in any order gives the same.
    """
    ordered = sorted(items, key=lambda item: item.key)
    priced = [item for item in ordered if item.price is not None and item.price > 0]
    if len(priced) < LEAST_PRICED:
        return Market({}, len(priced), reason="too_little_data")
    fold = _folds(priced)
    logs = np.log([item.price or 1.0 for item in priced])
    said = _withheld(priced, logs, fold)
    medians = np.array([_median(priced, logs, fold != fold[i], item, alike) for i, item in enumerate(priced)])
    error, error_of_median = (float(np.abs(logs - one).mean()) for one in (said, medians))
    is_hedonic = error < error_of_median
    middle = said if is_hedonic else medians
    misses = np.abs(logs - middle)
    widths = np.array([_width(misses[fold != fold[i]]) for i in range(len(priced))])
    places = {item.key: place for place, item in enumerate(priced)}
    found = {}
    for item in ordered:
        at = places.get(item.key)
        if at is None:
            centre, wide = _unseen(item, priced, logs, is_hedonic, alike), _width(misses)
        else:
            centre, wide = float(middle[at]), float(widths[at])
        found[item.key] = _expected(item, centre, wide)
    coverage = float((misses <= widths).mean())
    return Market(found, len(priced), "hedonic" if is_hedonic else "median", coverage, error, error_of_median)


def nearest(items: Sequence[Item], key: str, *, count: int = NEAREST) -> tuple[Near, ...]:
    """The priced items nearest to one, by how much their features are worth in the price; empty with too little data.

    Others of its own group are left out.
    """
    ordered = sorted(items, key=lambda item: item.key)
    priced = [item for item in ordered if item.price is not None and item.price > 0]
    if len(priced) < LEAST_PRICED:
        return ()
    own = next(item for item in ordered if item.key == key)
    columns = Columns.of(priced)
    worth_of = _fit(columns.table(priced), np.log([item.price or 1.0 for item in priced])).coef_
    own_worth, worth = columns.worth([own], worth_of)[0], columns.worth(priced, worth_of)
    mine = [columns.value(own, name) for name in columns.names]
    theirs = [[columns.value(item, name) for name in columns.names] for item in priced]
    differs = np.array([[a != b for a, b in zip(values, mine, strict=True)] for values in theirs])
    distances = np.abs(worth - own_worth).sum(axis=1) + UNLIKE * differs.sum(axis=1)
    order = sorted(range(len(priced)), key=lambda i: (float(distances[i]), priced[i].key))
    others = [i for i in order if priced[i].key != key and not (own.group and priced[i].group == own.group)][:count]

    def why(i: int) -> tuple[Why, ...]:
        both = zip(columns.names, mine, theirs[i], np.exp(worth[i] - own_worth), strict=True)
        return tuple(Why(name, a == b, a, b, float(factor)) for name, a, b, factor in both)

    return tuple(Near(priced[i].key, priced[i].price or 0.0, float(distances[i]), why(i)) for i in others)


def _expected(item: Item, centre: float, wide: float) -> Expected:
    low, middle, high = (math.exp(centre + step) for step in (-wide, 0.0, wide))
    place = ""
    if item.price:
        place = "below" if item.price < low else "above" if item.price > high else "within"
    return Expected(item.key, item.price, low, middle, high, place)


def _folds(items: Sequence[Item]) -> np.ndarray:
    """Which tenth withholds an item; the items of a group go together, the largest groups first."""
    groups: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        groups.setdefault(item.group or f"\0{item.key}", []).append(i)
    fold, sizes = np.zeros(len(items), dtype=int), [0] * FOLDS
    for name in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        smallest = sizes.index(min(sizes))
        fold[groups[name]] = smallest
        sizes[smallest] += len(groups[name])
    return fold


def _fit(table: np.ndarray, logs: np.ndarray) -> Any:
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=PENALTIES).fit(table, logs)


def _withheld(items: Sequence[Item], logs: np.ndarray, fold: np.ndarray) -> np.ndarray:
    said = np.zeros(len(items))
    for k in np.unique(fold):
        inside, outside = (np.flatnonzero(is_in).tolist() for is_in in (fold != k, fold == k))
        seen = [items[i] for i in inside]
        columns = Columns.of(seen)
        asked = columns.table([items[i] for i in outside])
        reach = logs[inside].min(), logs[inside].max()
        said[outside] = np.clip(_fit(columns.table(seen), logs[inside]).predict(asked), *reach)
    return said


def _unseen(item: Item, priced: Sequence[Item], logs: np.ndarray, is_hedonic: bool, alike: Sequence[str]) -> float:
    if not is_hedonic:
        return _median(priced, logs, np.ones(len(priced), dtype=bool), item, alike)
    columns = Columns.of(priced)
    said = _fit(columns.table(priced), logs).predict(columns.table([item]))
    return float(np.clip(said, logs.min(), logs.max())[0])


def _median(items: Sequence[Item], logs: np.ndarray, seen: np.ndarray, item: Item, alike: Sequence[str]) -> float:
    """The median of the finest category that has at least three others, else of all."""
    for names in [alike[:n] for n in range(len(alike), 0, -1)]:
        like = [i for i, one in enumerate(items) if seen[i] and all(one.kinds.get(n) == item.kinds.get(n) for n in names)]
        if len(like) >= LEAST_LIKE:
            return float(np.median(logs[like]))
    return float(np.median(logs[seen]))


def _width(misses: np.ndarray) -> float:
    n = len(misses)
    return float(np.quantile(misses, min(1.0, math.ceil((n + 1) * LEVEL) / n), method="higher"))
