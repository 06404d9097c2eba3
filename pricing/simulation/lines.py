"""What each line costs, in vectors: gross and payable in fen, by kind of component.

An amount in 10⁻¹² yuan is at most TOP = 2⁶² here (``Book.most`` sees to it). Rounded to the fen it is below 4.7 × 10⁸, so the
discounted amount can be taken in two steps without leaving int64: with v = a × 10¹⁰ + b and a share n/10⁸ kept,
a × n < 4.7 × 10¹⁶, and what is left of it, below 10⁸, times 10¹⁰ plus b × n stays below 2 × 10¹⁸.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.rules.exact import FULL_PERCENT, PICO_PER_FEN
from pricing.rules.rating import rate_flat, rate_metered
from pricing.rules.terms import Flat
from pricing.simulation.book import FLAT, LINEAR, MOST_UNITS, PACKAGE, PERIOD_CODES, Book, Ints, kept_fraction
from pricing.simulation.rows import EPOCH, Layout, Rows
from pricing.simulation.spans import period_bounds, whole_periods_between

HALF_FEN = PICO_PER_FEN // 2
MOST_ACCRUED = 2**60  # fen of a row's lines together, and price × days on the way to them


def rate_lines(book: Book, rows: Rows, layout: Layout) -> tuple[NDArray[Any], NDArray[Any]]:
    """(gross, payable) of every line; payable is 0 where nothing is collected. Objects only where a fen amount needs it."""
    percents = book.percents(rows.reason_sets)
    percent = _take2(percents, layout.component, rows.reasons, layout.row) if percents.any() else None
    kind = book.kind[layout.component]
    gross = np.zeros(len(layout.row), np.int64)
    payable = np.zeros(len(layout.row), np.int64)
    slow = ~_units_fit(book, rows, layout)
    metered = ~slow & (kind != FLAT)
    if metered.any():
        at = None if metered.all() else np.flatnonzero(metered)
        _into(gross, payable, at, _metered(book, rows, layout, percent, at))
    flat = np.flatnonzero((kind == FLAT) & ~slow)
    if len(flat):
        slow[flat] = ~_flat(book, rows, layout, percent, flat, gross, payable)
    if slow.any():
        gross, payable = _by_the_rules(book, rows, layout, percent, np.flatnonzero(slow), gross, payable)
    collected = book.is_collected[layout.component]
    if not collected.all():
        payable = np.where(collected, payable, 0)
    return gross, payable


def _take2(table: Ints, component: Ints, reasons: Ints, row: Ints) -> Ints:
    if table.shape[1] == 1:
        return table[:, 0][component]
    return table.ravel()[component * table.shape[1] + reasons[row]]


def _into(gross: Ints, payable: Ints, at: Ints | None, amounts: tuple[Ints, Ints]) -> None:
    place: Any = slice(None) if at is None else at
    gross[place], payable[place] = amounts


def _units_fit(book: Book, rows: Rows, layout: Layout) -> NDArray[np.bool_]:
    """Lines whose exact amounts are proven to stay within TOP."""
    units, before = rows.units, rows.before
    fits = (units <= MOST_UNITS) & (before <= MOST_UNITS)
    both = np.where(fits, units, 0).astype(np.int64) + np.where(fits, before, 0).astype(np.int64)
    return fits.astype(bool) & (both <= book.most[layout.component])


# --- metered --------------------------------------------------------------------------------------------------------------------


def _metered(book: Book, rows: Rows, layout: Layout, percent: Ints | None, at: Ints | None) -> tuple[Ints, Ints]:
    """round(f(before + units)) − round(f(before)), for gross and for what is left after the discount."""
    component = layout.component if at is None else layout.component[at]
    units = (rows.units if at is None else rows.units[at]).astype(np.int64, copy=False)
    before = (rows.before if at is None else rows.before[at]).astype(np.int64, copy=False)
    off = None if percent is None else (percent if at is None else percent[at])
    gross, payable = _rounded(exact_values(book, component, before + units), off)
    counted = np.flatnonzero(before)
    if len(counted):
        values = exact_values(book, component[counted], before[counted])
        low_gross, low_payable = _rounded(values, None if off is None else off[counted])
        payable = payable.copy()
        gross[counted] -= low_gross
        payable[counted] -= low_payable
    return gross, payable


def exact_values(book: Book, component: Ints, units: Ints) -> Ints:
    """f(units) in 10⁻¹² yuan; the units of each component within its proven bound."""
    quantity = np.maximum(units - book.included[component], 0)
    kinds = book.kind[component]
    linear, packages = (kinds == LINEAR), (kinds == PACKAGE)
    if linear.all():
        return _linear(book, component, quantity)
    values = np.zeros(len(units), np.int64)
    values[linear] = _linear(book, component[linear], quantity[linear])
    chosen = component[packages]
    values[packages] = -(-quantity[packages] // book.size[chosen]) * book.package_pico[chosen]
    return values


def _linear(book: Book, component: Ints, quantity: Ints) -> Ints:
    place = component * book.width
    for tier in range(book.width - 1):
        place = place + (quantity > book.up_to[component * book.width + tier])
    values = book.base[place] + (quantity - book.floor[place]) * book.price[place]
    return np.where(quantity > 0, values, 0)


def _rounded(values: Ints, percent: Ints | None) -> tuple[Ints, Ints]:
    """Fen of exact amounts, before and after a discount (millionths of a percent), each rounded half up once."""
    gross = (values + HALF_FEN) // PICO_PER_FEN
    if percent is None or not percent.any():
        return gross, gross
    off = np.flatnonzero(percent)
    kept = FULL_PERCENT - percent[off]
    whole = values[off] // PICO_PER_FEN
    rest = values[off] - whole * PICO_PER_FEN
    parts = whole * kept
    fen = parts // FULL_PERCENT
    left = (parts - fen * FULL_PERCENT) * PICO_PER_FEN + rest * kept
    scale = FULL_PERCENT * PICO_PER_FEN
    payable = gross.copy()
    payable[off] = fen + (left + scale // 2) // scale
    return gross, payable


# --- flat -----------------------------------------------------------------------------------------------------------------------


def _flat(
    book: Book, rows: Rows, layout: Layout, percent: Ints | None, at: Ints, gross: Ints, payable: Ints
) -> NDArray[np.bool_]:
    """Writes the flat lines ``at``; False for those whose accrual could leave int64, which stay 0."""
    row, component = layout.row[at], layout.component[at]
    days = rows.end[row] - rows.start[row] + 366
    price = book.flat_minor[component]
    offs = np.zeros(len(at), np.int64) if percent is None else percent[at]
    numerator, denominator = np.ones(len(at), np.int64), np.ones(len(at), np.int64)
    for each in np.unique(offs):
        numerator[offs == each], denominator[offs == each] = kept_fraction(int(each))
    fits = price <= MOST_ACCRUED // book.most_lines // (days * np.maximum(numerator, 1))
    for name, period in PERIOD_CODES.items():
        here = np.flatnonzero(fits & (book.period[component] == period))
        if not len(here):
            continue
        where = row[here]
        span = _Span.of(name, rows.start[where], rows.end[where], rows.anchor[where])
        ones = np.ones(len(here), np.int64)
        gross[at[here]] = whole = _accrued_over(span, price[here], ones, ones)
        discounted = offs[here].any()
        payable[at[here]] = _accrued_over(span, price[here], numerator[here], denominator[here]) if discounted else whole
    return fits


@dataclass(frozen=True, slots=True)
class _Span:
    """Of each line's time: days of its first period gone by at its start, of how many; days of its last one at its end, of how
    many; whole periods between them, −1 where the time lies in one period. A price a day is one period of one day."""

    gone: Ints
    first_days: Ints
    reached: Ints
    last_days: Ints
    between: Ints

    @classmethod
    def of(cls, name: str, start: Ints, end: Ints, anchor: Ints) -> _Span:
        if name == "day":
            ones, zero = np.ones(len(start), np.int64), np.zeros(len(start), np.int64)
            return cls(zero, ones, end - start, ones, np.full(len(start), -1, np.int64))
        period = PERIOD_CODES[name]
        begins, ends = period_bounds(start, period, anchor)
        same = end <= ends
        if same.all():
            return cls(start - begins, ends - begins, end - begins, ends - begins, np.full(len(start), -1, np.int64))
        last_begins, last_ends = period_bounds(end - 1, period, anchor)
        between = np.where(same, -1, whole_periods_between(ends, last_begins, period, anchor))
        return cls(start - begins, ends - begins, end - last_begins, last_ends - last_begins, between)


def _accrued_over(span: _Span, price: Ints, numerator: Ints, denominator: Ints) -> Ints:
    """Σ over the periods touched of round(accrued to its end) − round(accrued to its start): `pricing.rules.rating.rate_flat`."""

    def accrued(days: Ints, of_days: Ints) -> Ints:
        amount, whole = price * days * numerator, of_days * denominator
        return (2 * amount + whole) // (2 * whole)

    total = accrued(span.reached, span.last_days) - accrued(span.gone, span.first_days)
    over = np.flatnonzero(span.between >= 0)
    if len(over):
        amount, whole = price[over] * numerator[over], denominator[over]
        total[over] += (1 + span.between[over]) * ((2 * amount + whole) // (2 * whole))
    return total


# --- what int64 cannot hold -----------------------------------------------------------------------------------------------------


def _by_the_rules(
    book: Book, rows: Rows, layout: Layout, percent: Ints | None, slow: Ints, gross: NDArray[Any], payable: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lines beyond int64, one by one in Python integers; the columns become objects only where a fen amount needs it."""
    amounts = [_one(book, rows, layout, 0 if percent is None else int(percent[line]), int(line)) for line in slow]
    if any(abs(amount) > MOST_ACCRUED // book.most_lines for pair in amounts for amount in pair):
        gross, payable = gross.astype(object), payable.astype(object)
    for line, (whole, kept) in zip(slow, amounts, strict=True):
        gross[line], payable[line] = whole, kept
    return gross, payable


def _one(book: Book, rows: Rows, layout: Layout, percent: int, line: int) -> tuple[int, int]:
    component, row = book.components[int(layout.component[line])], int(layout.row[line])
    if isinstance(component.price, Flat):
        start, end, anchor = (date.fromordinal(int(days[row]) + EPOCH) for days in (rows.start, rows.end, rows.anchor))
        return rate_flat(component.price, start, end, anchor, percent)
    return rate_metered(component, int(rows.units[line]), int(rows.before[line]), percent)
