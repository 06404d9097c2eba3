"""Usages as columns: one row a usage document, one line a component of its tariff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.rules.terms import Tariff, Usage
from pricing.simulation.book import MOST_UNITS, Book, Ints, ints

EPOCH = date(1970, 1, 1).toordinal()
NO_DAY = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each row's lines lie: lines first[row] … first[row + 1] − 1, in the order of the tariff's components."""

    first: Ints
    row: Ints
    component: Ints

    @classmethod
    def of(cls, book: Book, tariff: Ints) -> Layout:
        counts = (book.first[1:] - book.first[:-1])[tariff]
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
        row = np.repeat(np.arange(len(tariff), dtype=np.int64), counts)
        component = np.arange(len(row), dtype=np.int64) - np.repeat(first[:-1] - book.first[tariff], counts)
        return cls(first, row, component)


@dataclass(frozen=True, slots=True)
class Rows:
    """n usages. ``tariff`` points into the book; ``units`` and ``before`` are millionths, one a line (``Layout.of``), int64 or,
    where a quantity is beyond it, Python integers in an object array; days are counted from 1970-01-01; ``reasons`` points
    into ``reason_sets``.

    Rows with the same ``group`` are parts of one month of one entitlement, in the order of ``rank`` (0, 1, …): a minimum or
    maximum holds for all of them together (as ``settlement.billing.rules.rate_month`` has it). None: each row stands alone.
    """

    tariff: Ints
    units: NDArray[Any]
    before: NDArray[Any]
    start: Ints
    end: Ints
    anchor: Ints
    reasons: Ints
    reason_sets: tuple[frozenset[str], ...]
    is_free: NDArray[np.bool_]
    group: Ints | None = None
    rank: Ints | None = None

    def __len__(self) -> int:
        return len(self.tariff)


def day_number(day: date | None) -> int:
    """Days from 1970-01-01."""
    return NO_DAY if day is None else day.toordinal() - EPOCH


def quantities(numbers: Sequence[int]) -> NDArray[Any]:
    """int64 where every number is proven to fit, else Python integers."""
    return np.array(numbers, dtype=np.int64 if max(numbers, default=0) <= MOST_UNITS else object)


def pack(tariffs: Sequence[Tariff], usages: Sequence[tuple[int, Usage]]) -> Rows:
    """Rows of usages, each with the place of its tariff."""
    sets = list(dict.fromkeys(usage.discounts for _tariff, usage in usages)) or [frozenset()]
    place = {reasons: number for number, reasons in enumerate(sets)}
    lines = [(usage, component.code) for tariff, usage in usages for component in tariffs[tariff].components]
    return Rows(
        tariff=ints([tariff for tariff, _usage in usages]),
        units=quantities([usage.units.get(code, 0) for usage, code in lines]),
        before=quantities([usage.before.get(code, 0) for usage, code in lines]),
        start=ints([day_number(usage.start) for _tariff, usage in usages]),
        end=ints([day_number(usage.end) for _tariff, usage in usages]),
        anchor=ints([day_number(usage.anchor or usage.start) for _tariff, usage in usages]),
        reasons=ints([place[usage.discounts] for _tariff, usage in usages]),
        reason_sets=tuple(sets),
        is_free=np.array([usage.is_free for _tariff, usage in usages], dtype=bool),
    )
