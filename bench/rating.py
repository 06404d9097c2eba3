"""Rating in vectors against a loop of `pricing.rules.rate`, row by row; the same numbers from both, or it fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from bench.scale import scaled
from bench.table import Figure
from pricing.documents import parse_tariff
from pricing.rules import Tariff, Usage
from pricing.rules import rate as rate_one
from pricing.simulation import compile_book, pack, rate

MONTH, END, ANCHOR = date(2026, 5, 1), date(2026, 6, 1), date(2026, 1, 15)
TIERS = [
    {"up_to": "10000", "unit_price": "0.50"},
    {"up_to": "100000", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]
CALLS = {"code": "calls", "basis": "calls", "model": "graduated", "tiers": TIERS}
BASE = {"code": "base", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"}
PACKS = {"code": "packs", "basis": "records", "model": "package", "package_size": "100", "package_price": "20.00"}
OFF = [{"reason": "key", "percent": "30", "components": ["calls"]}]


def document(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"currency": "CNY", "components": list(components), "tax": {"rate": "0.06", "inclusive": True}, **more}


PLAIN = [parse_tariff(document(CALLS))]
MIXED = [
    *PLAIN,
    parse_tariff(document(CALLS, BASE, discounts=OFF)),
    parse_tariff(document({**CALLS, "model": "volume"}, PACKS, minimum="50.00")),
]


def usages(terms: Sequence[Tariff], count: int) -> list[tuple[int, Usage]]:
    """One after the other under each tariff; every third continues a counter, every fifth has the discount."""
    found = []
    for number in range(count):
        units = {"calls": number * 7919 % 250_000 * 10**6, "packs": number * 31 % 7_000 * 10**6}
        place = number % len(terms)
        codes = {component.code for component in terms[place].components}
        mine = {code: amount for code, amount in units.items() if code in codes}
        before = {"calls": 9_000 * 10**6} if number % 3 == 0 else {}
        reasons = frozenset({"key"} if number % 5 == 0 else ())
        found.append((place, Usage(units=mine, before=before, start=MONTH, end=END, anchor=ANCHOR, discounts=reasons)))
    return found


def compare(terms: Sequence[Tariff], count: int, rounds: int = 3) -> tuple[float, float]:
    """(rows a second in vectors, in the loop); AssertionError where they differ. The better of some rounds counts for both."""
    given = usages(terms, count)
    rows, book = pack(terms, given), compile_book(terms)
    loops, vectors = [], []
    for _round in range(rounds):
        began = time.perf_counter()
        loop = [rate_one(terms[place], usage).total_minor for place, usage in given]
        loops.append(time.perf_counter() - began)
        began = time.perf_counter()
        totals = rate(book, rows).total
        vectors.append(time.perf_counter() - began)
        if loop != totals.tolist():
            raise AssertionError("the vectors and the rules disagree")
    return count / min(vectors), count / min(loops)


def run() -> list[Figure]:
    count = scaled(100_000)
    plain, plain_loop = compare(PLAIN, count)
    mixed, mixed_loop = compare(MIXED, count)
    how = f"{count:,} rows, three tiers, one in three after earlier units; the totals of both are equal"
    more = f"{count:,} rows: tiers, volume, package, flat year, discount, minimum"
    return [
        Figure("rating in vectors over a loop of `pricing.rules`", plain / plain_loop, "×", 30, note=how),
        Figure("the same with all models", mixed / mixed_loop, "×", 30, note=more),
        Figure("rating in vectors", plain, "rows/s", note=how),
        Figure("rating in vectors, all models", mixed, "rows/s", note=more),
        Figure("the loop of `pricing.rules`", plain_loop, "rows/s", note="the same rows"),
    ]
