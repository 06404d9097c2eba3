"""The table under the demand forecast: features that were known at each month, fits from each of the last months, their errors.

Rows are products, columns months; what was not yet there is NaN. Nothing at or after an origin enters what is said from it:
``test_demand.py`` changes the future and looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from pricing.estimation import months

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pricing.estimation.demand import Series

MODEL, BASELINE = 0, 1
AHEAD = 12
LEVEL = 3  # months that make the level
ORIGINS = 24  # how many earlier months the back-test starts from
LEAST_ROWS = 24  # of training; below it the model says the level
LEAST_ERRORS = 20  # for a quantile of its own
PENALTY = 5.0
USUAL_SPREAD, WEIGHT_OF_USUAL = 0.25, 4
ENOUGH_FOR_SIDES, NARROW_SIDE = 60, 0.25
FIRST_SPREAD = 1.3  # 80 % within ± 1.3 spreads, where nothing could be back-tested yet


@dataclass
class Table:
    units: np.ndarray  # products × months
    said: np.ndarray  # method × months ahead × products × origins: log1p of what is said
    spreads: np.ndarray  # products × origins

    @classmethod
    def of(cls, series: Sequence[Series]) -> Self:
        first = min(one.first for one in series)
        count = months.months_apart(first, series[0].next_month)
        units = np.full((len(series), count), np.nan)
        for row, one in enumerate(series):
            units[row, count - len(one.units) :] = one.units
        calendar = months.months_from(first, count + AHEAD)
        sectors = np.unique([one.sector for one in series], return_inverse=True)[1]
        fitting = _Fitting(units, sectors, calendar)
        return cls(units, fitting.said(), fitting.spreads)

    @property
    def last(self) -> int:
        return self.units.shape[1] - 1

    def ahead(self, method: int, row: int) -> list[float]:
        """What the method says of the twelve months after the last, units."""
        return [max(0.0, float(value)) for value in np.expm1(self.said[method, :, row, self.last])]

    def errors(self, method: int, row: int, up_to: int) -> np.ndarray:
        """Absolute errors, in units, where both methods said something."""
        found = []
        for h in range(1, up_to + 1):
            truth = self.units[row, h:]
            both = np.isfinite(self.said[:, h - 1, row, : self.last + 1 - h]).all(axis=0) & np.isfinite(truth)
            found.append(np.abs(np.expm1(self.said[method, h - 1, row, : self.last + 1 - h]) - truth)[both])
        return np.concatenate(found)

    def is_model_better(self, up_to: int) -> bool:
        """Whether the model's errors, each in the product's own mean, sum to less than the baseline's."""
        sums = [0.0, 0.0]
        for row in range(len(self.units)):
            size = float(np.nanmean(self.units[row])) or 1.0
            for method in (MODEL, BASELINE):
                sums[method] += float(self.errors(method, row, up_to).sum()) / size
        return sums[MODEL] < sums[BASELINE]

    def misses(self, method: int, h: int) -> np.ndarray:
        """Logarithmic errors at h months ahead of all products, in spreads."""
        width = self.last + 1 - h
        if width <= 0:
            return np.array([])
        off = (np.log1p(self.units[:, h:]) - self.said[method, h - 1, :, :width]) / self.spreads[:, :width]
        return off[np.isfinite(off)]

    def checked_ahead(self, method: int) -> int:
        return max((h for h in range(1, AHEAD + 1) if len(self.misses(method, h)) >= LEAST_ERRORS), default=0)

    def spread(self, method: int, row: int, h: int, low: float, high: float) -> tuple[float, float]:
        """Logarithms of the factors below and above the middle, h months ahead."""
        checked = min(h, self.checked_ahead(method))
        own = float(self.spreads[row, self.last])
        if not checked:
            wide = FIRST_SPREAD * own * np.sqrt(h)
            return -wide, wide
        below, above = _edges(self.misses(method, checked), low, high)
        grown = own * np.sqrt(h / checked)
        return below * grown, above * grown

    def spread_of_year(self, method: int, row: int, low: float, high: float) -> tuple[float, float]:
        """The same for the sum of twelve months: from sums that came where there are enough, else from the sixth month."""
        misses = self._misses_of_year(method)
        if len(misses) < LEAST_ERRORS:
            return self.spread(method, row, AHEAD // 2, low, high)
        below, above = _edges(misses, low, high)
        own = float(self.spreads[row, self.last])
        return below * own, above * own

    def _misses_of_year(self, method: int) -> np.ndarray:
        width = self.last + 1 - AHEAD
        if width <= 0:
            return np.array([])
        said = np.expm1(self.said[method, :, :, :width]).sum(axis=0)
        came = np.stack([self.units[:, h : h + width] for h in range(1, AHEAD + 1)]).sum(axis=0)
        off = (np.log1p(came) - np.log1p(np.maximum(said, 0))) / self.spreads[:, :width]
        return off[np.isfinite(off)]


def _edges(misses: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Below and above the middle, in spreads. Few errors may all point one way by chance (a market that grew while it was young):
    of less than 60 only the size is believed, and with more, neither side is narrower than a quarter of the other.
    """
    if len(misses) < ENOUGH_FOR_SIDES:
        wide = _quantile(np.abs(misses), high - low)
        return -wide, wide
    below, above = _quantile(misses, low), _quantile(misses, high)
    return min(below, -NARROW_SIDE * above), max(above, -NARROW_SIDE * below)


def _quantile(values: np.ndarray, q: float) -> float:
    """With the correction for a small sample that split conformal prediction takes: a little further out."""
    n = len(values)
    further = np.ceil((n + 1) * q) / n if q > 0.5 else np.floor((n + 1) * q) / n
    return float(np.quantile(values, min(1.0, max(0.0, further))))


class _Fitting:
    def __init__(self, units: np.ndarray, sectors: np.ndarray, calendar: list) -> None:
        self.units, self.sectors = units, sectors
        self.logs = np.log1p(units)
        self.festival = np.array([months.festival_share(month) for month in calendar])
        self.weekdays = np.array([months.weekdays_of(month) for month in calendar]) / 21 - 1
        self.level = self._levels()
        self.spreads = self._spreads()

    def said(self) -> np.ndarray:
        products, count = self.units.shape
        said = np.full((2, AHEAD, products, count), np.nan)
        for h in range(1, AHEAD + 1):
            said[BASELINE, h - 1] = self._baseline(h)
            features = self._features(h)
            target = np.full((products, count), np.nan)
            target[:, : max(0, count - h)] = self.logs[:, h:] - self.level[:, : max(0, count - h)]
            for origin in range(max(0, count - ORIGINS), count):
                said[MODEL, h - 1, :, origin] = self.level[:, origin] + self._fit(features, target, h, origin)
        return said

    def _fit(self, features: np.ndarray, target: np.ndarray, h: int, origin: int) -> np.ndarray:
        """Learn from months that had come by the origin; what is said of origin + h, as a difference to the level."""
        from sklearn.linear_model import Ridge

        known = np.isfinite(target) & np.isfinite(features).all(axis=2)
        known[:, max(0, origin - h + 1) :] = False
        asked = features[:, origin]
        answer = np.where(np.isfinite(asked).all(axis=1), 0.0, np.nan)
        if known.sum() < LEAST_ROWS:
            return answer
        learned = Ridge(alpha=PENALTY).fit(features[known], np.clip(target[known], -1.5, 1.5))
        can = np.isfinite(answer)
        answer[can] = np.clip(learned.predict(asked[can]), -1.5, 1.5)
        return answer

    def _levels(self) -> np.ndarray:
        count = self.units.shape[1]
        level = np.full(self.units.shape, np.nan)
        for o in range(count):
            recent = self.units[:, max(0, o - LEVEL + 1) : o + 1]
            known = np.isfinite(recent)
            here = known.any(axis=1)
            level[here, o] = np.log1p(np.where(known, recent, 0).sum(axis=1)[here] / known.sum(axis=1)[here])
        return level

    def _spreads(self) -> np.ndarray:
        """How uneven a product's months are (robust, log), as known at each month; drawn to the usual while few are known."""
        jumps = np.abs(np.diff(self.logs, axis=1, prepend=np.nan))
        found = np.full(self.units.shape, np.nan)
        for row, o in np.ndindex(*self.units.shape):
            if np.isfinite(self.units[row, o]):
                seen = jumps[row, max(0, o - 23) : o + 1]
                seen = seen[np.isfinite(seen)]
                own = 1.4826 * float(np.median(seen)) if len(seen) else 0.0
                found[row, o] = (len(seen) * own + WEIGHT_OF_USUAL * USUAL_SPREAD) / (len(seen) + WEIGHT_OF_USUAL)
        return found

    def _baseline(self, h: int) -> np.ndarray:
        """The same month of the year before; the last month where less than a year is known: a product's launch is no season."""
        count = self.units.shape[1]
        back = AHEAD - h
        year_before = np.full(self.units.shape, np.nan)
        year_before[:, back:] = self.logs[:, : max(0, count - back)]
        age = np.cumsum(np.isfinite(self.units), axis=1)
        return np.where(np.isfinite(year_before) & (age >= AHEAD), year_before, self.logs)

    def _features(self, h: int) -> np.ndarray:
        """products × origins × features, NaN where a product was not there yet."""
        products, count = self.units.shape
        origins = np.arange(count)
        season = self._season(h)
        has_own = np.isfinite(season)
        pool = self._pooled(season)
        recent = np.stack([np.maximum(origins - i, 0) for i in range(LEVEL)])
        festival = self.festival[origins + h] - self.festival[recent].mean(axis=0)
        weekdays = self.weekdays[origins + h] - self.weekdays[recent].mean(axis=0)
        before = np.full_like(self.level, np.nan)
        before[:, LEVEL:] = self.level[:, :-LEVEL]
        slope = np.nan_to_num(self.level - before)
        age = np.cumsum(np.isfinite(self.units), axis=1)
        columns = [
            np.where(has_own, season, 0.0),
            np.where(has_own, 0.0, pool),
            np.where(has_own, pool, 0.0),
            np.broadcast_to(festival, (products, count)),
            np.broadcast_to(weekdays, (products, count)),
            np.clip(slope, -1, 1),
            np.clip(self.logs - self.level, -1, 1),
            np.exp(-age / 3.0),
        ]
        features = np.stack(columns, axis=2).astype(float)
        features[~np.isfinite(self.level)] = np.nan
        return features

    def _season(self, h: int) -> np.ndarray:
        """How the month asked for stood a year (and two years) before, against the level then."""
        found = []
        count = self.units.shape[1]
        for years in (1, 2):
            season = np.full(self.units.shape, np.nan)
            for o in range(years * AHEAD, count):
                season[:, o] = self.logs[:, o + h - years * AHEAD] - self.level[:, o - years * AHEAD]
            found.append(np.clip(season, -1.5, 1.5))
        both = np.stack(found)
        known = np.isfinite(both)
        return np.where(known.any(axis=0), np.where(known, both, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)

    def _pooled(self, season: np.ndarray) -> np.ndarray:
        """The season of the other products of the sector, drawn to that of all others; 0 where nobody knows a year."""
        known, value = np.isfinite(season), np.nan_to_num(season)
        every = (value.sum(axis=0) - value) / np.maximum(known.sum(axis=0) - known, 1)
        found = np.zeros(season.shape)
        for sector in np.unique(self.sectors):
            rows = self.sectors == sector
            total, number = value[rows].sum(axis=0) - value[rows], known[rows].sum(axis=0) - known[rows]
            found[rows] = (total + 2 * every[rows]) / (number + 2)
        return found
