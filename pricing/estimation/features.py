"""Columns of numbers from what products are: one column per known word of a kind, numbers standardised, the unknown said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from pricing.estimation.comparables import Item

LEAST_OF_A_WORD = 2  # a word that only one product has says nothing about others


@dataclass(frozen=True)
class Columns:
    """What each column stands for: (feature, word) for kinds; (feature, None) and (feature, "") for a number and its absence."""

    places: tuple[tuple[str, str | None], ...]
    middle: dict[str, float]
    spread: dict[str, float]
    kinds: tuple[str, ...]
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        kinds = tuple(sorted({name for item in items for name in item.kinds}))
        numbers = tuple(sorted({name for item in items for name in item.numbers}))
        places: list[tuple[str, str | None]] = []
        for name in kinds:
            words = Counter(item.kinds.get(name, "") for item in items)
            places += [(name, word) for word in sorted(words) if words[word] >= LEAST_OF_A_WORD]
        middle, spread = {}, {}
        for name in numbers:
            known = [value for item in items if (value := item.numbers.get(name)) is not None]
            middle[name] = float(np.mean(known)) if known else 0.0
            spread[name] = (float(np.std(known)) if known else 0.0) or 1.0
            places += [(name, None), (name, "")]
        return cls(tuple(places), middle, spread, kinds, numbers)

    @property
    def names(self) -> tuple[str, ...]:
        return self.kinds + self.numbers

    def table(self, items: Sequence[Item]) -> np.ndarray:
        return np.array([[self._cell(item, name, word) for name, word in self.places] for item in items])

    def worth(self, items: Sequence[Item], coefficients: np.ndarray) -> np.ndarray:
        """items × features (in the order of ``names``): what each feature adds to the logarithm of the price."""
        parts = self.table(items) * coefficients
        of_feature = np.array([[float(name == place) for name in self.names] for place, _word in self.places])
        return parts @ of_feature

    def value(self, item: Item, name: str) -> str | float | None:
        return item.kinds.get(name, "") if name in self.kinds else item.numbers.get(name)

    def _cell(self, item: Item, name: str, word: str | None) -> float:
        if name in self.kinds:
            return float(item.kinds.get(name, "") == word)
        value = item.numbers.get(name)
        if word == "":
            return float(value is None)
        return 0.0 if value is None else (value - self.middle[name]) / self.spread[name]
