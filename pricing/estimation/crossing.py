"""When revenue will pass what is permitted: a middle day with its interval, and the share reached by the end of the period.

The months still to come are drawn: the level of the last months, each month's usual part of a year where a year is known, a level
that wanders, and noise, both as large as the months so far were uneven. The draws are the same for the same input.
docs/pricing/estimation.md shows how it was checked, against the straight line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

PATHS, SEED = 2000, 20260101
USUAL_SPREAD, WEIGHT_OF_USUAL = 0.25, 4  # month-to-month unevenness (log) where few months are known, worth four of them
LEVEL_MONTHS = 4
NOISE_PART, WALK_PART = 0.8, 0.6  # of the unevenness; set on the made-up seeds 1 to 10
MINIMUM_DAYS = 28
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Crossing:
    """Days on which revenue passes the maximum; None: not before the period ends, in that case. 80 % lie between low and high.

    ``probability`` is that of passing it in the period. The shares are revenue by the end over the maximum (1 = all of it).
    ``reason`` is a stable code where nothing is estimated: ``too_little_data``; or ``passed`` where it has happened already;
    else it is empty. ``low`` is the early day.
    """

    low: date | None
    middle: date | None
    high: date | None
    probability: float
    share_low: float
    share_middle: float
    share_high: float
    reason: str = ""


def crossing_day(
    *, by_month: Mapping[date, int], permitted_minor: int, from_date: date, to_date: date, today: date
) -> Crossing | None:
    """The day on which revenue since ``from_date`` passes ``permitted_minor``.

    Args:
        by_month: net revenue in fen by first day of month; ``today``'s month holds what was earned up to the day before today.
            Months before ``from_date`` may be given: they show the level and the seasons, and count towards no maximum. A period
            that begins within a month counts that month by days.
        permitted_minor: the maximum of the period, fen.
        to_date: the last day of the period (included).

    Returns None where less than 28 days of revenue are known: too little data.
    """
    known = {month: amount for month, amount in by_month.items() if month < today}
    so_far = sum(_part_within(month, amount, from_date, today) for month, amount in known.items())
    passed = _passed_on(known, permitted_minor, from_date, today)
    if passed is not None:
        share = so_far / permitted_minor if permitted_minor else math.inf
        return Crossing(passed, passed, passed, 1.0, share, share, share, "passed")
    if permitted_minor <= 0 or (today - min(known, default=today)).days < MINIMUM_DAYS or not any(known.values()):
        return None
    days = max(0, (to_date - today).days + 1)
    if not days:
        share = so_far / permitted_minor
        return Crossing(None, None, None, 0.0, share, share, share)
    paths = so_far + np.cumsum(_daily_paths(known, today, days), axis=1)
    return _read(paths, permitted_minor, today)


def _read(paths: np.ndarray, permitted: int, today: date) -> Crossing:
    above = paths > permitted
    first = np.where(above.any(axis=1), above.argmax(axis=1), paths.shape[1]).astype(float)
    low, middle, high = (float(q) for q in np.quantile(first, QUANTILES, method="higher"))
    share_low, share_middle, share_high = (float(q) for q in np.quantile(paths[:, -1] / permitted, QUANTILES))

    def day(index: float) -> date | None:
        return today + timedelta(days=int(index)) if index < paths.shape[1] else None

    return Crossing(day(low), day(middle), day(high), float(above[:, -1].mean()), share_low, share_middle, share_high)


def _daily_paths(known: Mapping[date, int], today: date, days: int) -> np.ndarray:
    """PATHS × days of fen a day from today on."""
    rates = _daily_rates(known, today)
    months = sorted(rates)
    recent = months[-LEVEL_MONTHS:]
    weights = np.array([_days_known(month, today) for month in recent], dtype=float)
    adjusted = [math.log(max(rates[m], 1e-9)) - _season(rates, m) for m in recent if rates[m] > 0] or [0.0]
    used = np.array([w for w, m in zip(weights, recent, strict=True) if rates[m] > 0] or [1.0])
    level = float(np.average(adjusted, weights=used))
    spread = _unevenness(rates, months)
    future = _months_from(today, days)
    draw = np.random.Generator(np.random.PCG64(SEED))
    start = draw.normal(0, spread * NOISE_PART / math.sqrt(len(recent)), (PATHS, 1))
    walk = np.cumsum(draw.normal(0, spread * WALK_PART, (PATHS, len(future))), axis=1)
    noise = draw.normal(0, spread * NOISE_PART, (PATHS, len(future)))
    seasons = np.array([_season(rates, month) for month in future])
    monthly = np.exp(level + seasons + start + walk + noise)
    column = [future.index((today + timedelta(days=i)).replace(day=1)) for i in range(days)]
    return monthly[:, column]


def _daily_rates(known: Mapping[date, int], today: date) -> dict[date, float]:
    """Fen a day, by month; a running month with less than a week is left out, its days say too little."""
    rates = {month: amount / _days_known(month, today) for month, amount in known.items() if _days_known(month, today) >= 7}
    return rates or {month: amount / _days_known(month, today) for month, amount in known.items()}


def _days_known(month: date, today: date) -> int:
    return (min(_next(month), today) - month).days


def _season(rates: Mapping[date, float], month: date) -> float:
    """How the same month a year before stood (log) against the year around it, taken by half; 0 where no such year is known."""
    year_before = month.replace(year=month.year - 1)
    around = [_shift(year_before, step) for step in range(-5, 7)]
    values = [rates[m] for m in around if rates.get(m, 0) > 0]
    if len(values) < 8 or rates.get(year_before, 0) <= 0:
        return 0.0
    return 0.5 * float(np.clip(math.log(rates[year_before]) - np.mean(np.log(values)), -1, 1))


def _unevenness(rates: Mapping[date, float], months: list[date]) -> float:
    """The usual jump from month to month (log, robust), drawn towards USUAL_SPREAD where few months are known."""
    logs = np.log([rates[m] for m in months if rates[m] > 0])
    jumps = np.abs(np.diff(logs))[-24:]
    own = 1.4826 * float(np.median(jumps)) if len(jumps) else USUAL_SPREAD
    return (len(jumps) * own + WEIGHT_OF_USUAL * USUAL_SPREAD) / (len(jumps) + WEIGHT_OF_USUAL)


def _passed_on(known: Mapping[date, int], permitted: int, from_date: date, today: date) -> date | None:
    """The day on which the revenue that is there already passed the maximum, evenly over the days of its month."""
    total = 0.0
    for month in sorted(known):
        amount = _part_within(month, known[month], from_date, today)
        if amount and total + amount > permitted:
            start = max(month, from_date)
            days = (min(_next(month), today) - start).days
            return start + timedelta(days=min(days - 1, int(max(0.0, permitted - total) / amount * days)))
        total += amount
    return None


def _part_within(month: date, amount: int, from_date: date, today: date) -> float:
    """What of a month's revenue falls on or after from_date, by days."""
    end = min(_next(month), today)
    if end <= from_date:
        return 0.0
    return amount * (end - max(month, from_date)).days / (end - month).days


def _months_from(today: date, days: int) -> list[date]:
    last, months = (today + timedelta(days=days - 1)).replace(day=1), [today.replace(day=1)]
    while months[-1] < last:
        months.append(_next(months[-1]))
    return months


def _next(month: date) -> date:
    return _shift(month, 1)


def _shift(month: date, step: int) -> date:
    count = month.year * 12 + month.month - 1 + step
    return date(count // 12, count % 12 + 1, 1)
