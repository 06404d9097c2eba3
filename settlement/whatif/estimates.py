"""How demand might answer a draft: Monte Carlo bands, apart from the exact replay and never mixed with it.

The volume of a product answers its effective price with a constant elasticity, volume × (new price ÷ old price) ^ elasticity,
and misses the forecast by a factor whose logarithm is normal. One elasticity is drawn a run for all products (its error is
shared), one forecast error a run and product; both serve the tariffs in force and the draft, so that their difference is paired.
Revenue at another volume is rated by the exact engine at nine volumes; between them it is a straight line. These are statistics,
so floats: nothing here becomes a price or a bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from pricing.simulation import Book, Rows, rate
from products.record.refusals import Refused
from settlement.whatif.columns import distinct
from settlement.whatif.history import History
from settlement.whatif.replay import Replay

GRID = (10, 25, 50, 75, 100, 125, 150, 200, 400)  # volumes that are rated, per cent
MOST_ROWS = 40_000
MOST_UNITS = 2**52
MOST_DRAWS = 5_000
BANDS = (5, 25, 50, 75, 95)
LIMITS = {"elasticity": (-5.0, 0.0), "elasticity_error": (0.0, 2.0), "forecast_error": (0.0, 1.0)}
DEFAULTS = {"elasticity": "-0.5", "elasticity_error": "0.2", "forecast_error": "0.1", "draws": "1000", "seed": "1"}


class DemandRefused(Refused):
    code = "what_if_demand_refused"


@dataclass(frozen=True, slots=True)
class Demand:
    """``elasticity`` and its standard error, the standard error of the forecast's logarithm, runs and the seed."""

    elasticity: float
    elasticity_error: float
    forecast_error: float
    draws: int
    seed: int


def read_demand(document: Mapping[str, Any]) -> Demand:
    """The ``demand`` part of a draft; what it leaves out takes the default. Raises DemandRefused."""
    given = {**DEFAULTS, **document}
    numbers = {}
    for name, (low, high) in LIMITS.items():
        try:
            numbers[name] = float(given[name])
        except (TypeError, ValueError):
            numbers[name] = float("nan")
        if not low <= numbers[name] <= high:
            raise DemandRefused(
                _("A number from %(low)s to %(high)s is expected here.") % {"low": f"{low:g}", "high": f"{high:g}"}, field=name
            )
    draws, seed = (int(given[name]) if str(given[name]).isdecimal() else -1 for name in ("draws", "seed"))
    if not 1 <= draws <= MOST_DRAWS:
        raise DemandRefused(_("Between 1 and %(most)s runs are made.") % {"most": f"{MOST_DRAWS:,}"}, field="draws")
    if not 0 <= seed < 2**32:
        raise DemandRefused(_("A seed is a whole number, so that the same draw can be made again."), field="seed")
    return Demand(draws=draws, seed=seed, **numbers)


def estimate(*, history: History, replayed: Replay, demand: Demand, permitted_minor: int | None = None) -> dict[str, Any]:
    """Bands of revenue (net of VAT, yuan) in force, under the draft and of the change; ``left_out`` says why there are none."""
    if len(history) > MOST_ROWS:
        return {"left_out": "rows", "most": MOST_ROWS}
    if history.rows.units.dtype == object or int(max(history.rows.units.max(), history.rows.before.max(), 0)) > MOST_UNITS:
        return {"left_out": "units"}
    products, place = distinct(history.product)
    before = _curves(history.book, history.rows, place, len(products))
    after = _curves(replayed.book, replayed.rows, place, len(products))
    ratio = _price_ratio(history, replayed, place, len(products))
    draw = np.random.default_rng(demand.seed)
    elasticity = np.minimum(draw.normal(demand.elasticity, demand.elasticity_error, (demand.draws, 1)), 0.0)
    error = np.exp(draw.normal(0.0, demand.forecast_error, (demand.draws, len(products))))
    answer = ratio[None, :] ** elasticity
    was, now = _at(before, error), _at(after, error * answer)
    weights = before[:, GRID.index(100)]
    volume = (answer * weights).sum(axis=1) / weights.sum() if weights.sum() else answer.mean(axis=1)
    found: dict[str, Any] = {
        "revenue_before": _bands(was / 100),
        "revenue_after": _bands(now / 100),
        "change": _bands((now - was) / 100),
        "volume_percent": _bands((volume - 1) * 100, 1),
        "draws": demand.draws,
        "seed": demand.seed,
        "elasticity": f"{demand.elasticity:g}",
        "elasticity_error": f"{demand.elasticity_error:g}",
        "forecast_error": f"{demand.forecast_error:g}",
    }
    if permitted_minor is not None:
        found["above_permitted_percent"] = f"{100 * float((now > permitted_minor).mean()):.1f}"
    return found


def _curves(book: Book, rows: Rows, place: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """[product, volume of GRID]: revenue net of VAT in fen, rated exactly at each volume."""
    found = np.zeros((count, len(GRID)))
    for column, percent in enumerate(GRID):
        scaled = replace(rows, units=rows.units * percent // 100, before=rows.before * percent // 100)
        np.add.at(found[:, column], place, rate(book, scaled).net.astype(np.float64))
    return found


def _price_ratio(history: History, replayed: Replay, place: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """New effective price over old by product, at the volumes of the history; 1 where nothing was charged; at least 0.05."""
    sums = np.zeros((2, count))
    for row, ratings in enumerate((history.ratings, replayed.ratings)):
        np.add.at(sums[row], place, ratings.total.astype(np.float64))
    return np.where(sums[0] > 0, np.clip(sums[1] / np.where(sums[0] > 0, sums[0], 1.0), 0.05, 20.0), 1.0)


def _at(curves: NDArray[np.float64], volumes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Revenue of every run: each product's curve at its volume; beyond the curve's ends their value."""
    grid = np.array(GRID) / 100
    return np.sum([np.interp(volumes[:, n], grid, curve) for n, curve in enumerate(curves)], axis=0)


def _bands(values: NDArray[np.float64], places: int = 2) -> dict[str, str]:
    return {f"p{band}": f"{number:.{places}f}" for band, number in zip(BANDS, np.percentile(values, BANDS), strict=True)}
