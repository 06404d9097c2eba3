"""Charged volume of each product in the months to come, with quantiles, tried on its own past before it is believed.

One ridge regression per months ahead, over all products together, of the logarithm of a month against the level of the last
three: last year's same month, the season of the sector, the Spring Festival, weekdays, slope, youth. The bands are the errors
that the same model made from earlier months (rolling origin), scaled by how uneven each product is. Where a product's own past
says that the seasonal-naive forecast was better, that one is used. Measured in docs/pricing/estimation.md; why: decision 0039.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pricing.estimation import months
from pricing.estimation.demand_table import BASELINE, MODEL, Table

# For 80 %: choosing the method that won in the past makes past errors look small, so the band is cut a little further out.
LOW, HIGH = 0.08, 0.92
LEAST_MONTHS = 3  # of use, before anything is said about a product
LEAST_MONTHS_FOR_A_YEAR = 6
LEAST_CHECKS = 6  # back-tested months, before a product's own past chooses its method
MOST_OF_THE_LARGEST = 2  # no band goes higher than twice the largest month so far (or three times its middle)
SHORT_AHEAD = 3  # the choice looks at forecasts up to so many months ahead


@dataclass(frozen=True)
class Series:
    """Charged units by month without gaps, from the first month with use to the last closed one; 0 where there was no use."""

    key: str
    first: date
    units: tuple[float, ...]
    sector: str = ""

    @property
    def next_month(self) -> date:
        return months.shift(self.first, len(self.units))


@dataclass(frozen=True)
class Band:
    """80 % are expected between low and high; as many above middle as below."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class MonthAhead:
    month: date
    band: Band
    baseline: float


@dataclass(frozen=True)
class BackTest:
    """How both methods did from earlier months, up to three ahead, in the product's units; no ``checks``: never tried."""

    checks: int
    model_error: float
    baseline_error: float


@dataclass(frozen=True)
class Forecast:
    """``method``: model, seasonal_naive, naive, or too_little_data (then ``ahead`` is empty and ``year`` None).

    ``reason``, a stable code: own_past_better, own_past_worse, others_better, others_worse, too_little_data.
    ``checked_ahead`` is how many months ahead the bands could be checked; beyond it they are widened by the root of time.
    ``year`` is the sum of the twelve months ahead, with its own band (None with less than six months of use).
    """

    key: str
    made_from: date
    method: str
    reason: str
    ahead: tuple[MonthAhead, ...] = ()
    year: Band | None = None
    back_test: BackTest = field(default_factory=lambda: BackTest(0, 0.0, 0.0))
    checked_ahead: int = 0


def forecast(series: Sequence[Series], horizon: int = 12) -> dict[str, Forecast]:
    """A forecast per series, all made from the same month: each must end with the same last month, else ValueError.

    ``horizon`` months ahead, at most 12. The same input gives the same output.
    """
    if not 1 <= horizon <= 12:
        raise ValueError("one to twelve months ahead")
    if len({one.next_month for one in series}) > 1:
        raise ValueError("all series must end with the same month")
    told = [one for one in series if sum(unit > 0 for unit in one.units) >= LEAST_MONTHS]
    silent = {
        one.key: Forecast(one.key, one.next_month, "too_little_data", "too_little_data") for one in series if one not in told
    }
    if not told:
        return silent
    table = Table.of(told)
    return silent | {one.key: _one(table, row, one, horizon) for row, one in enumerate(told)}


def _one(table: Table, row: int, series: Series, horizon: int) -> Forecast:
    test, (uses_model, reason) = _choice(table, row)
    method = MODEL if uses_model else BASELINE
    middles = table.ahead(method, row)
    most = MOST_OF_THE_LARGEST * max(series.units)
    bands = [_band(middles[h], *table.spread(method, row, h + 1, LOW, HIGH), most) for h in range(12)]
    year = None
    if len(series.units) >= LEAST_MONTHS_FOR_A_YEAR:
        year = _band(float(sum(middles)), *table.spread_of_year(method, row, LOW, HIGH), 12 * most)
    baseline = table.ahead(BASELINE, row)
    ahead = tuple(MonthAhead(months.shift(series.next_month, h), bands[h], baseline[h]) for h in range(horizon))
    naive = "seasonal_naive" if len(series.units) >= 12 else "naive"
    name = "model" if uses_model else naive
    return Forecast(series.key, series.next_month, name, reason, ahead, year, test, table.checked_ahead(method))


def _band(middle: float, low: float, high: float, most: float) -> Band:
    """From a middle and the logarithms of the factors below and above it; no higher than ``most`` or three times the middle.

    Where months without use come and go, jumps are endless in logarithms, and so would the upper end be.
    """
    below, above = (float(np.expm1(np.log1p(middle) + factor)) for factor in (min(low, 0.0), max(high, 0.0)))
    return Band(min(middle, max(0.0, below)), middle, max(middle, min(above, max(most, 3 * middle))))


def _choice(table: Table, row: int) -> tuple[BackTest, tuple[bool, str]]:
    """The method that was better on the product's own past; with too little past, the one that was better on all products."""
    own = [table.errors(method, row, SHORT_AHEAD) for method in (MODEL, BASELINE)]
    test = BackTest(len(own[0]), *(float(np.mean(errors)) if len(errors) else 0.0 for errors in own))
    if test.checks >= LEAST_CHECKS:
        better = test.model_error < test.baseline_error
        return test, (better, "own_past_better" if better else "own_past_worse")
    better = table.is_model_better(SHORT_AHEAD)
    return test, (better, "others_better" if better else "others_worse")
