"""Rating a month of entitlements: the close's own way against a loop of `pricing.rules.rate`, row by row."""

from __future__ import annotations

import time
from datetime import date

from bench.scale import scaled
from bench.table import Figure
from pricing.documents import parse_tariff
from pricing.rules import Usage, rate
from settlement.billing.rules import Segment, rate_month

TARIFF = {
    "currency": "CNY",
    "components": [
        {
            "code": "calls",
            "label": "技术服务费",
            "basis": "calls",
            "model": "graduated",
            "tiers": [
                {"up_to": "10000", "unit_price": "0.50"},
                {"up_to": "100000", "unit_price": "0.30"},
                {"up_to": None, "unit_price": "0.10"},
            ],
        }
    ],
    "tax": {"rate": "0.06", "inclusive": True},
}
MONTH, END = date(2026, 5, 1), date(2026, 6, 1)


def run() -> list[Figure]:
    terms = parse_tariff(TARIFF)
    units = [number * 7919 % 250_000 * 10**6 for number in range(scaled(20_000))]
    began = time.perf_counter()
    loop = [rate(terms, Usage(units={"calls": each}, start=MONTH, end=END, anchor=MONTH)).total_minor for each in units]
    loop_seconds = time.perf_counter() - began
    began = time.perf_counter()
    ours = [_close_rates(terms, each) for each in units]
    seconds = time.perf_counter() - began
    if loop != ours:
        raise AssertionError("the close and the rules disagree")
    how = f"{len(units):,} rows, three tiers; the close rates row by row, vectors are to come"
    return [
        Figure("rating, the close over a loop of `pricing.rules`", loop_seconds / seconds, "×", 30, note=how),
        Figure("rating, rows a second in the close", len(units) / seconds, "rows/s", note=how),
    ]


def _close_rates(terms, units: int) -> int:
    segment = Segment(1, MONTH, END, {"calls": units}, {})
    (rating,) = rate_month(
        month=MONTH,
        segments=[segment],
        tariffs={1: terms},
        anchor=MONTH,
        discounts=(),
        is_free=False,
        is_late=False,
        span_before={},
    )
    return rating.rated.total_minor
