"""Small cells (R32, scenario 70): a value behind which too few people stand is suppressed, and what would give it away with it.

Pure. Primary suppression hides each cell below the minimum. Complementary suppression hides more, until no hidden cell follows
from the shown ones by the sums ``total = part + part + …``: exactly (the equations are solved), and so that the hidden parts of a
shown total hold the minimum together. It protects against sums, not against what a reader knows from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

GONE = -1  # the count of a cell that was suppressed before: neither count nor value is kept


def suppressed(counts: Mapping[str, int], totals: Mapping[str, Sequence[Any]], minimum: int) -> set[str]:
    """The cells to hide. ``counts``: people by cell; ``totals``: a cell → the cells that it is the sum of.

    A cell that is a sum in several ways (the grand total of a table: of its rows, and of its columns) has a list of such lists.
    """
    groups = [
        (total, list(parts))
        for total, sums in totals.items()
        for parts in each_sum(sums)
        if total in counts and all(part in counts for part in parts)
    ]
    hidden = {cell for cell, count in counts.items() if count < minimum}
    while more := _tells(counts, groups, hidden, minimum):
        hidden.add(more)
    return hidden


def each_sum(sums: Sequence[Any]) -> list[Sequence[str]]:
    """The sums of a total, whether there is one list of parts or a list of them."""
    return list(sums) if sums and isinstance(sums[0], list) else [sums]


def _tells(counts: Mapping[str, int], groups: list[tuple[str, list[str]]], hidden: set[str], minimum: int) -> str | None:
    """The next cell to hide: the smallest shown one of a sum that gives a hidden cell away; None where none does."""
    known = _determined(groups, hidden)
    for total, parts in groups:
        secret = [part for part in parts if part in hidden]
        is_told = any(cell in known for cell in (total, *parts))
        is_thin = (
            secret
            and total not in hidden
            and not any(counts[part] == GONE for part in secret)
            and sum(counts[part] for part in secret) < minimum
        )
        shown = sorted((counts[part], part) for part in parts if part not in hidden)
        if is_told or is_thin:
            if shown:
                return shown[0][1]
            if total not in hidden:
                return total
    if not known:
        return None
    # What is told follows from several sums together: hide the smallest shown cell of any that holds a secret.
    near = {cell for total, parts in groups if hidden & {total, *parts} for cell in (total, *parts)} - hidden
    return min(near, key=lambda cell: (counts[cell], cell), default=None)


def _determined(groups: list[tuple[str, list[str]]], hidden: set[str]) -> set[str]:
    """Hidden cells that the sums and the shown cells determine: rows of the reduced equations with one unknown."""
    unknowns = sorted(hidden)
    rows = []
    for total, parts in groups:
        row = [Fraction((cell == total) - parts.count(cell)) for cell in unknowns]
        if any(row):
            rows.append(row)
    pivot = 0
    for column in range(len(unknowns)):
        found = next((place for place in range(pivot, len(rows)) if rows[place][column]), None)
        if found is None:
            continue
        rows[pivot], rows[found] = rows[found], rows[pivot]
        lead = rows[pivot][column]
        rows[pivot] = [value / lead for value in rows[pivot]]
        for place, row in enumerate(rows):
            if place != pivot and (times := row[column]):
                rows[place] = [value - times * base for value, base in zip(row, rows[pivot], strict=True)]
        pivot += 1
    return {unknowns[next(i for i, value in enumerate(row) if value)] for row in rows if sum(bool(value) for value in row) == 1}
