"""Made-up data for trying estimates: demand, priced products, cost ledgers, with the awkward cases known.

Written before any model and frozen: a test holds the digest of each table by seed. Only the standard library draws the numbers
(``random.Random``, whose sequence a seed fixes for good). Nothing here describes a real organisation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from random import Random

LAST_MONTH = date(2026, 10, 1)
SECTORS = ("finance", "logistics", "tourism", "trade", "agriculture", "health")
# The first day of the lunar year, which moves between January and February.
FESTIVALS = {2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6)}

NATURES = ("platform", "operation", "acquisition", "storage", "governance", "staff")
TYPES = ("model", "verification", "index", "report")
BASES = ("calls", "records", "periods", "products")


@dataclass(frozen=True)
class Demand:
    """Charged units a month of one product, from its first month to the last one; ``cases`` are the awkward things in it."""

    key: str
    sector: str
    first: date
    units: tuple[int, ...]
    cases: tuple[str, ...]


@dataclass(frozen=True)
class PricedProduct:
    """A product with what it costs a unit; ``fair`` is the price before noise, ``off`` the factor it was moved by (1: not)."""

    key: str
    type: str
    sector: str
    basis: str
    freshness_days: int
    quality: int | None
    fields: int
    price: float
    fair: float
    off: float


@dataclass(frozen=True)
class CostRow:
    """A row of a cost ledger in yuan; ``planted`` names the mistake that was put into it, else it is empty."""

    operator: str
    year: int
    nature: str
    item: str
    amount: float
    planted: str


def months_between(first: date, last: date) -> list[date]:
    """First days of the months from first to last, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(count)]


def demand(seed: int, *, products: int = 40, months: int = 48) -> list[Demand]:
    """Charged volumes of ``products`` over at most ``months`` months up to October 2026."""
    draw = Random(seed)  # noqa: S311 made-up data, drawn the same for ever
    return [_one_demand(draw, number, months) for number in range(products)]


def _one_demand(draw: Random, number: int, months: int) -> Demand:
    sector = SECTORS[number % len(SECTORS)]
    is_new = draw.random() < 0.15
    age = draw.randint(1, 8) if is_new else draw.randint(14, months)
    all_months = months_between(date(2022, 11, 1), LAST_MONTH)[-months:]
    shown = all_months[-age:]
    cases = ["new"] if is_new else []
    size, noise = math.exp(draw.uniform(5.5, 11.5)), draw.uniform(0.05, 0.22)
    trend = draw.gauss(0.005, 0.012)
    festival = -draw.uniform(0.25, 0.6) if sector != "tourism" else draw.uniform(0.2, 0.7)
    phase, swing = {"tourism": 7, "agriculture": 5}.get(sector, 11), draw.uniform(0.05, 0.3)
    jump_month, jump = (draw.choice((3, 6, 9, 12)), draw.uniform(0.4, 1.2)) if draw.random() < 0.3 else (0, 0.0)
    ramp = draw.uniform(1.5, 5.0)
    levels = []
    for i, month in enumerate(shown):
        level = size * math.exp(trend * (i - age + 1)) * (1 - math.exp(-(i + 1) / ramp))
        level *= 1 + swing * math.cos((month.month - phase) * math.pi / 6)
        level *= 1 + festival * festival_share(month)
        level *= (1 + jump) if month.month == jump_month else 1
        levels.append(level * math.exp(draw.gauss(0, noise)))
    cases += ["jump"] if jump_month else []
    cases += ["trend"] if abs(trend) > 0.015 else []
    cases += _upset(draw, levels, size)
    return Demand(f"P{number:03d}", sector, shown[0], tuple(max(0, round(level)) for level in levels), tuple(cases))


def _upset(draw: Random, levels: list[float], size: float) -> list[str]:
    """A huge buyer that comes and leaves, a change of price, months without use, an outage: in place; names what was done."""
    cases, age = [], len(levels)
    if age >= 12 and draw.random() < 0.2:
        start = draw.randint(3, age - 4)
        stay, much = draw.randint(4, 14), size * draw.uniform(1.5, 5)
        for i in range(start, min(age, start + stay)):
            levels[i] += much * math.exp(draw.gauss(0, 0.1))
        cases.append("huge_buyer")
    if age >= 12 and draw.random() < 0.25:
        start, change = draw.randint(4, age - 2), draw.choice((-0.4, -0.25, 0.2, 0.4))
        elasticity = draw.uniform(-1.2, -0.4)
        for i in range(start, age):
            levels[i] *= (1 + change) ** elasticity
        cases.append("price_change")
    if draw.random() < 0.12:
        for i in range(age):
            levels[i] *= 0 if draw.random() < 0.3 else 1
        cases.append("zero_months")
    if age >= 6 and draw.random() < 0.2:
        levels[draw.randint(0, age - 1)] *= draw.uniform(0.05, 0.6)
        cases.append("outage")
    return cases


def festival_share(month: date) -> float:
    """The part of the eight days from the eve of the lunar new year that falls into the month."""
    named = FESTIVALS.get(month.year)
    if named is None:
        return 0.0
    first = date(month.year, *named).toordinal() - 1
    days = [date.fromordinal(first + i) for i in range(8)]
    return sum(day.month == month.month for day in days) / 8


TYPE_WORTH = {"model": 0.9, "verification": 0.0, "index": 0.5, "report": 1.4}
SECTOR_WORTH = {"finance": 0.5, "logistics": 0.1, "tourism": -0.2, "trade": 0.0, "agriculture": -0.4, "health": 0.4}
BASIS_WORTH = {"calls": 0.0, "records": -2.0, "periods": 6.0, "products": 5.0}


def catalogue(seed: int, *, products: int = 160) -> list[PricedProduct]:
    """Priced products: effects that add up in the logarithm, one that does not, missing quality, rare kinds, some far off."""
    draw = Random(seed)  # noqa: S311 made-up data, drawn the same for ever
    found = []
    for number in range(products):
        kind = draw.choices(TYPES, (30, 45, 20, 5))[0]
        sector = draw.choices(SECTORS, (35, 20, 10, 20, 5, 10))[0]
        basis = draw.choices(BASES, (60, 15, 20, 5))[0]
        freshness = draw.choice((0, 1, 1, 7, 30, 30, 90, 365))
        quality = draw.randint(55, 99)
        fields = round(math.exp(draw.uniform(0, 4)))
        worth = -0.7 + TYPE_WORTH[kind] + SECTOR_WORTH[sector] + BASIS_WORTH[basis]
        worth += -0.15 * math.log1p(freshness) + 0.012 * (quality - 75) + 0.25 * math.log(fields)
        worth += 0.4 if kind == "model" and sector == "finance" else 0
        off = draw.choice((0.2, 0.3, 3.5, 5.0)) if draw.random() < 0.05 else 1.0
        price = math.exp(worth + draw.gauss(0, 0.3)) * off
        seen = None if draw.random() < 0.15 else quality
        key = f"C{number:03d}"
        found.append(
            PricedProduct(key, kind, sector, basis, freshness, seen, fields, round(price, 4), round(math.exp(worth), 4), off)
        )
    return found


ITEMS = {
    "platform": ("servers", "software licences"),
    "operation": ("operation service", "electricity", "network"),
    "acquisition": ("field survey", "purchased data"),
    "storage": ("disks", "backup site"),
    "governance": ("cleaning", "cataloguing"),
    "staff": ("salaries", "training", "travel"),
}
MISTAKES = ("ten_times", "tripled", "other_nature", "vanished", "twice")


def ledgers(seed: int, *, operators: int = 12, years: int = 4, to_year: int = 2025) -> list[CostRow]:
    """Cost ledgers: each operator has its size and its mixture; prices drift; some rows of the last year hold a mistake.

    Honest surprises are there too: a platform renewed in one year, an item that begins or ends.
    """
    draw = Random(seed)  # noqa: S311 made-up data, drawn the same for ever
    rows: list[CostRow] = []
    for number in range(operators):
        size, growth = math.exp(draw.uniform(13, 15.5)), draw.gauss(0.05, 0.03)
        for nature in NATURES:
            for item in ITEMS[nature]:
                rows += _one_item(draw, f"O{number:02d}", nature, item, size, growth, range(to_year - years + 1, to_year + 1))
    return rows


def _one_item(draw: Random, operator: str, nature: str, item: str, size: float, growth: float, years: range) -> list[CostRow]:
    share = math.exp(draw.gauss(math.log(0.07), 0.5))
    begins = years[-1] if draw.random() < 0.04 else years[0]
    renewed = draw.choice(years) if nature == "platform" and draw.random() < 0.3 else None
    rows = []
    for i, year in enumerate(years):
        if year < begins:
            continue
        amount = size * share * math.exp(growth * i + draw.gauss(0, 0.12)) * (2.5 if year == renewed else 1)
        planted = ""
        if year == years[-1] and draw.random() < 0.08:
            planted = draw.choice(MISTAKES)
        rows += _with_mistake(operator, year, nature, item, amount, planted)
    return rows


def _with_mistake(operator: str, year: int, nature: str, item: str, amount: float, planted: str) -> list[CostRow]:
    if planted == "other_nature":
        nature = NATURES[(NATURES.index(nature) + 3) % len(NATURES)]
    amount *= {"ten_times": 10, "tripled": 3, "vanished": 0.05}.get(planted, 1)
    row = CostRow(operator, year, nature, item, round(amount, 2), planted)
    return [row, row] if planted == "twice" else [row]
