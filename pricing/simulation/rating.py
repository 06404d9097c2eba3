"""Documents in vectors: the sums of lines, minimum and maximum, tax and free use, as `pricing.rules.rate` has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.rules.exact import MICRO
from pricing.simulation.book import NONE, Book, Ints
from pricing.simulation.lines import rate_lines
from pricing.simulation.rows import Layout, Rows

MOST_TAXED = 2**40  # fen; times 2 × 10⁶ it stays below 2⁶²
Amounts = NDArray[Any]  # int64, or Python integers where int64 is not enough


@dataclass(frozen=True, slots=True)
class Ratings:
    """Fen. By line (``layout``): gross and payable (0 where free or not collected). By row: ``bound`` is the signed line of a
    minimum or maximum, as charged; total, net, VAT are 0 and ``free_value`` is the total it would have been where free."""

    layout: Layout
    gross: Amounts
    payable: Amounts
    bound: Amounts
    total: Amounts
    net: Amounts
    vat: Amounts
    free_value: Amounts


def rate(book: Book, rows: Rows, layout: Layout | None = None) -> Ratings:
    """Every row under its tariff. Expects usages that belong to their tariffs, days where a component is flat."""
    layout = layout or Layout.of(book, rows.tariff)
    gross, payable = rate_lines(book, rows, layout)
    sums = _sums(payable, layout, len(rows))
    low, high = book.minimum[rows.tariff], book.maximum[rows.tariff]
    if max(_most(sums), _most(low)) > MOST_TAXED:
        sums, low, high = _exact_bounds(book, rows, sums)
    bound = _bounds(rows, sums, low, high)
    total, net, vat = _taxed(book, rows.tariff, sums + bound)
    if not rows.is_free.any():
        return Ratings(layout, gross, payable, bound, total, net, vat, np.zeros(len(rows), np.int64))
    charged = ~rows.is_free
    shown = np.where(charged[layout.row], payable, 0)
    bound, net, vat = (np.where(charged, amount, 0) for amount in (bound, net, vat))
    return Ratings(layout, gross, shown, bound, np.where(charged, total, 0), net, vat, np.where(charged, 0, total))


def _sums(payable: Amounts, layout: Layout, count: int) -> Amounts:
    """The payables of each row added up. A running sum may wrap around; its differences, a row's sum, are proven to fit."""
    if len(payable) == count and np.array_equal(layout.first[:-1], layout.row):
        return payable
    totals = np.concatenate((np.zeros(1, payable.dtype), np.cumsum(payable)))
    return totals[layout.first[1:]] - totals[layout.first[:-1]]


def _most(amounts: Amounts) -> int:
    return int(max(amounts.max(), -amounts.min())) if len(amounts) else 0


def _exact_bounds(book: Book, rows: Rows, sums: Amounts) -> tuple[Amounts, Amounts, Amounts]:
    """The same in Python integers, with minimum and maximum as the tariff has them, however large."""
    low = np.array([NONE if t.minimum_minor is None else t.minimum_minor for t in book.tariffs], dtype=object)
    high = np.array([NONE if t.maximum_minor is None else t.maximum_minor for t in book.tariffs], dtype=object)
    return sums.astype(object), low[rows.tariff], high[rows.tariff]


def _bounds(rows: Rows, sums: Amounts, low: Amounts, high: Amounts) -> Amounts:
    """The signed difference where a minimum or maximum acts; over the parts of a month in their order."""
    if not ((low != NONE).any() or (high != NONE).any()):
        return np.zeros_like(sums)
    if rows.group is None or rows.rank is None or not rows.rank.any():
        return _difference(sums, low, high)
    found = np.zeros_like(sums)
    groups = int(rows.group.max()) + 1
    paid = np.zeros(groups, sums.dtype)
    last = np.zeros(groups, np.int64)
    np.maximum.at(last, rows.group, rows.rank)
    for rank in range(int(rows.rank.max()) + 1):
        here = np.flatnonzero(rows.rank == rank)
        group = rows.group[here]
        is_last = last[group] == rank
        least = np.where((low[here] != NONE) & is_last, np.maximum(low[here] - paid[group], 0), NONE)
        most = np.where(high[here] != NONE, np.maximum(high[here] - paid[group], 0), NONE)
        found[here] = _difference(sums[here], least, most)
        np.add.at(paid, group, np.where(rows.is_free[here], 0, sums[here] + found[here]))
    return found


def _difference(sums: Amounts, low: Amounts, high: Amounts) -> Amounts:
    above = np.where((high != NONE) & (sums > high), high - sums, 0)
    return np.where((low != NONE) & (sums < low), low - sums, above)


def _taxed(book: Book, tariff: Ints, amount: Amounts) -> tuple[Amounts, Amounts, Amounts]:
    """(total, net, vat): `pricing.rules.rating.taxed`."""
    rate, inclusive = book.tax_micro[tariff], book.is_inclusive[tariff]
    whole = MICRO + np.where(inclusive, rate, 0)
    part = _half_up(amount * np.where(inclusive, MICRO, rate), np.where(inclusive, whole, MICRO))
    total = np.where(inclusive, amount, amount + part)
    net = np.where(inclusive, part, amount)
    return total, net, total - net


def _half_up(numerator: Amounts, denominator: Ints) -> Amounts:
    """Half away from zero, as `pricing.rules.exact.half_up`."""
    size = (2 * np.abs(numerator) + denominator) // (2 * denominator)
    return np.where(numerator < 0, -size, size)
