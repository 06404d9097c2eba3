"""What the estimates reach on the withheld seeds, against the simplest baseline: ``python -m tests.pricing.estimation.results``.

The seeds 1 to 10 were looked at while the models were made; 101 to 105 only here. The page docs/pricing/estimation.md shows what
this prints, and ``test_results.py`` compares them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pricing.estimation import crossing, made_up, months
from pricing.estimation.comparables import Item, market
from pricing.estimation.demand import Band, Series, forecast
from pricing.estimation.outliers import CostRow, cost_outliers

WITHHELD = range(101, 106)
CUTS = (12, 9, 6, 3)  # months before the end of the data that forecasts are made from
QUANTILES = (0.1, 0.5, 0.9)


@dataclass
class Score:
    """Errors of a method and of the baseline, each in the product's own mean; how many values fell into the band."""

    errors: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    pinball: list[float] = field(default_factory=list)
    pinball_baseline: list[float] = field(default_factory=list)
    within: list[bool] = field(default_factory=list)

    def add(self, truth: float, band: Band, baseline: float, size: float) -> None:
        self.errors.append(abs(truth - band.middle) / size)
        self.baseline.append(abs(truth - baseline) / size)
        said = zip(QUANTILES, (band.low, band.middle, band.high), strict=True)
        self.pinball.append(sum(pinball(truth, q, value) for q, value in said) / size)
        self.pinball_baseline.append(sum(pinball(truth, q, baseline) for q in QUANTILES) / size)
        self.within.append(band.low <= truth <= band.high)

    def row(self) -> list[str]:
        ratio = sum(self.errors) / sum(self.baseline)
        pinballs = sum(self.pinball) / sum(self.pinball_baseline)
        return [f"{len(self.errors):,}", f"{ratio:.2f}", f"{pinballs:.2f}", percent(self.within)]


def pinball(truth: float, q: float, said: float) -> float:
    return max(q * (truth - said), (q - 1) * (truth - said))


def percent(hits: list[bool]) -> str:
    return f"{100 * float(np.mean(hits)):.0f} %"


def demand_rows() -> Iterator[list[str]]:
    """Rows of: what, forecasts, error ratio, pinball ratio, within the band."""
    spans = {"1 month ahead": (1, 1), "2–3 months": (2, 3), "4–6 months": (4, 6), "7–12 months": (7, 12)}
    scores = {name: Score() for name in (*spans, "sum of a year", "less than a year known", "all months")}
    for seed in WITHHELD:
        rows = made_up.demand(seed)
        for cut in CUTS:
            known = [Series(r.key, r.first, r.units[: len(r.units) - cut], r.sector) for r in rows if len(r.units) > cut]
            said = forecast(known)
            for one in known:
                truth = next(r.units for r in rows if r.key == one.key)[len(one.units) :]
                size = float(np.mean(one.units)) or 1.0
                for h, (ahead, came) in enumerate(zip(said[one.key].ahead, truth, strict=False), start=1):
                    names = [name for name, (low, high) in spans.items() if low <= h <= high] + ["all months"]
                    names += ["less than a year known"] if len(one.units) < 12 else []
                    for name in names:
                        scores[name].add(came, ahead.band, ahead.baseline, size)
                year = said[one.key].year
                if cut == 12 and year:
                    baseline = sum(ahead.baseline for ahead in said[one.key].ahead)
                    scores["sum of a year"].add(sum(truth), year, baseline, size * 12)
    yield from ([name, *score.row()] for name, score in scores.items())


def crossing_rows() -> Iterator[list[str]]:
    """Rows of: months known, cases, day within, share within, mean error of the day in days, straight line's, share's error, its."""
    start, end = date(2025, 11, 1), date(2026, 10, 31)
    for known_months in (3, 6, 9):
        today = months.shift(start, known_months)
        day_within, share_within, day_errors, line_errors, share_errors, line_shares = ([] for _ in range(6))
        for seed in WITHHELD:
            for one in made_up.demand(seed):
                by_month = dict(zip(months.months_from(one.first, len(one.units)), (u * 100 for u in one.units), strict=True))
                total = sum(amount for month, amount in by_month.items() if month >= start)
                if len(one.units) < 14 or not total:
                    continue
                permitted = max(1, int(total * 0.85))
                seen = {month: amount for month, amount in by_month.items() if month < today}
                said = crossing.crossing_day(by_month=seen, permitted_minor=permitted, from_date=start, to_date=end, today=today)
                if said is None or said.reason:
                    continue
                late, share = date(2026, 11, 1), total / permitted
                truth = crossing.crossing_day(
                    by_month=by_month, permitted_minor=permitted, from_date=start, to_date=end, today=late
                )
                assert truth and truth.middle
                day_within.append((said.low or late) <= truth.middle <= (said.high or late))
                share_within.append(said.share_low <= share <= said.share_high)
                day_errors.append(abs(((said.middle or late) - truth.middle).days))
                so_far = sum(amount for month, amount in seen.items() if month >= start)
                rate = so_far / (today - start).days
                line = min(late, date.fromordinal(today.toordinal() + int((permitted - so_far) / rate))) if rate > 1e-3 else late
                line_errors.append(abs((line - truth.middle).days))
                share_errors.append(abs(said.share_middle / share - 1))
                line_shares.append(abs(rate * 365 / total - 1))
        yield [
            f"{known_months} months",
            str(len(day_within)),
            percent(day_within),
            percent(share_within),
            f"{np.mean(day_errors):.0f}",
            f"{np.mean(line_errors):.0f}",
            f"{100 * np.mean(share_errors):.0f} %",
            f"{100 * np.mean(line_shares):.0f} %",
        ]


def comparable_rows() -> Iterator[list[str]]:
    """Rows of: prices, in use, within the band, typical error, the median's, planted found outside, of them among the first ten."""
    for products in (20, 40, 160):
        errors, medians, within, methods = [], [], [], []
        planted = found = first = 0
        for seed in WITHHELD:
            rows = made_up.catalogue(seed, products=products)
            said = market([item_of(row) for row in rows], alike=("basis", "type"))
            errors.append(said.error)
            medians.append(said.error_of_median)
            within += [one.place == "within" for one in said.items.values()]
            methods.append(said.method)
            off = {row.key for row in rows if row.off != 1}
            order = sorted(said.items.values(), key=lambda one: (-one.off, one.key))
            planted += len(off)
            found += sum(one.place != "within" for one in order if one.key in off)
            first += len(off & {one.key for one in order[:10]})
        yield [
            str(products),
            f"{methods.count('hedonic')} of {len(methods)}",
            percent(within),
            f"× {math.exp(float(np.mean(errors))):.2f}",
            f"× {math.exp(float(np.mean(medians))):.2f}",
            f"{found} of {planted}",
            f"{first} of {planted}",
        ]


def item_of(row: made_up.PricedProduct) -> Item:
    kinds = {"type": row.type, "sector": row.sector, "basis": row.basis}
    numbers = {"freshness": math.log1p(row.freshness_days), "quality": row.quality, "granularity": math.log(row.fields)}
    return Item(row.key, row.price, kinds, numbers)


def outlier_rows() -> Iterator[list[str]]:
    """Rows of: what, planted, found, found by the plain threshold; the last row counts false flags among the honest rows."""
    planted, found, plain = ({name: 0 for name in ("", *made_up.MISTAKES)} for _ in range(3))
    for seed in WITHHELD:
        raw = made_up.ledgers(seed)
        rows = [CostRow(str(i), r.operator, r.year, r.nature, r.item, r.amount) for i, r in enumerate(raw)]
        last = {(r.operator, r.item): r.amount for r in raw if r.year == 2024}
        flagged = {
            one.key
            for operator in sorted({r.operator for r in raw})
            for one in cost_outliers(rows, operator=operator, year=2025).findings
        }
        for i, row in enumerate(raw):
            if row.year == 2025:
                planted[row.planted] += 1
                found[row.planted] += str(i) in flagged
                before = last.get((row.operator, row.item))
                plain[row.planted] += before is not None and abs(row.amount / before - 1) > 0.5
    names = (*made_up.MISTAKES, "")
    yield from ([name or "honest rows", str(planted[name]), str(found[name]), str(plain[name])] for name in names)


TABLES = {"demand": demand_rows, "crossing": crossing_rows, "comparables": comparable_rows, "outliers": outlier_rows}

if __name__ == "__main__":
    for name, rows in TABLES.items():
        print(f"\n{name}")
        for row in rows():
            print("| " + " | ".join(row) + " |")
