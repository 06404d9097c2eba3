"""Distinct keys of a column and sums by key, without sorting: ids are small whole numbers, a table of them is faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
WIDEST = 20_000_000


def distinct(column: Ints) -> tuple[Ints, Ints]:
    """(the values, ascending; the place of each row's value among them)."""
    if not len(column):
        return column, column
    low, high = int(column.min()), int(column.max())
    if high - low >= WIDEST:
        values, place = np.unique(column, return_inverse=True)
        return values, place
    shifted = column - low
    present = np.zeros(high - low + 1, dtype=np.int64)
    present[shifted] = 1
    return np.flatnonzero(present) + low, (np.cumsum(present) - 1)[shifted]


def together(*columns: Ints) -> Ints:
    """One column that has equal numbers where all the columns have; each at least 0."""
    found = columns[0]
    for column in columns[1:]:
        found, width = distinct(found)[1], int(column.max(initial=0)) + 1
        found = found * width + column
    return found


def sums(place: Ints, amounts: NDArray[Any], count: int) -> NDArray[Any]:
    """Amounts added up by place 0 … count − 1."""
    found = np.zeros(count, amounts.dtype)
    np.add.at(found, place, amounts)
    return found
