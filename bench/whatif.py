"""A year of usage replayed under a draft: time against rows, and the same totals as a loop of `pricing.rules` over a sample.

Rows are made as arrays, since closing a million is another benchmark; loading real charges is measured on fewer of them.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from bench.close import AT, BUYERS, MONTH, _agree, _entitle
from bench.scale import scaled
from bench.table import Figure
from pricing.documents import parse_tariff
from pricing.models import Plan, Tariff
from pricing.rules import Usage
from pricing.rules import rate as rate_one
from pricing.simulation import Layout, Rows, compile_book
from pricing.simulation.rows import EPOCH
from settlement.billing.services import close_month
from settlement.whatif import drafts, history, replay, results
from settlement.whatif.history import AMOUNTS, History
from settlement.whatif.scope import Scope
from tests.settlement.stall import Stall, make_stall, organisation

SIZES = (10_000, 100_000, 1_000_000)
BUDGET_ROWS, BUDGET_SECONDS = 1_000_000, 2
YEAR = (date(2026, 1, 1), date(2027, 1, 1))
NOW = datetime(2027, 1, 10, 2, 0, tzinfo=UTC)
CAPS = [("calls", "", "0.45"), ("records", "", "0.18"), ("periods", "year", "11000.00"), ("periods", "month", "50.00")]
TAX = {"rate": "0.06", "inclusive": True}
TIERS = [
    {"up_to": "10000", "unit_price": "0.50"},
    {"up_to": "100000", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]
CALLS = {"code": "calls", "basis": "calls", "model": "graduated", "tiers": TIERS}
BASE = {"code": "base", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"}
PACKS = {"code": "rows", "basis": "records", "model": "package", "package_size": "100", "package_price": "20.00"}
DOCUMENTS: list[dict[str, Any]] = [
    {"currency": "CNY", "components": [CALLS], "tax": TAX},
    {"currency": "CNY", "components": [CALLS, BASE], "tax": TAX},
    {"currency": "CNY", "components": [CALLS, PACKS], "minimum": "40.00", "tax": TAX},
]


def run() -> list[Figure]:
    stall = make_stall()
    _agree(stall)
    buyers = [organisation(10_000 + n, "enterprise", f"past-buyer-{n}", user=stall.user).pk for n in range(BUYERS)]
    tariffs = [_tariff(stall, number, document) for number, document in enumerate(DOCUMENTS)]
    scope = Scope(stall.operator.pk, "", *YEAR)
    code = stall.product.code
    caps = [{"product": code, "purpose_class": "industry", "basis": b, "period": p, "cap": cap} for b, p, cap in CAPS]
    draft = drafts.read({"caps": caps}, scope.products())
    seconds = {}
    for size in SIZES:
        count = scaled(size)
        past = made_up(stall, scope, tariffs, buyers, count)
        seconds[count] = min(_timed(past, draft, scope) for _round in range(3))
        _check_sample(past, replay.replay(history=past, draft=draft, on=NOW.date()))
    largest, smallest = max(seconds), min(seconds)
    per_row = {count: took / count for count, took in seconds.items()}
    how = f"{largest:,} rows of {BUYERS} buyers over 12 months; caps cut three tariffs; all sums; a sample is equal"
    table = ", ".join(f"{count:,} rows {took * 1000:,.0f} ms" for count, took in seconds.items())
    loaded, rows = _load(stall)
    return [
        Figure("what-if over a year, rows", largest / seconds[largest], "rows/s", BUDGET_ROWS / BUDGET_SECONDS, note=how),
        Figure("what-if, time for the most rows", seconds[largest], "s", BUDGET_SECONDS * largest / 1_000_000, False, note=table),
        Figure(
            "what-if, a row at most rows over one at fewest",
            per_row[largest] / per_row[smallest],
            "×",
            2,
            False,
            note="linear: ≤ 1",
        ),
        Figure("history loaded from charges", rows / loaded, "rows/s", note=f"{rows:,} charges, replayed in force: all equal"),
    ]


def _tariff(stall: Stall, number: int, document: dict[str, Any]) -> Tariff:
    plan = Plan.objects.create(product=stall.product, code=f"p{number}", name=f"p{number}", purposes=["industry"], created_at=NOW)
    return Tariff(plan=plan, version=1, document=document, digest=str(number))


def made_up(stall: Stall, scope: Scope, tariffs: list[Tariff], buyers: list[int], count: int) -> History:
    """Rows over twelve months, one after the other under each tariff; a third of them with earlier units of their month."""
    number = np.arange(count, dtype=np.int64)
    book = compile_book([parse_tariff(tariff.document) for tariff in tariffs])
    tariff, month = number % len(tariffs), number // 7 % 12
    layout = Layout.of(book, tariff)
    firsts = np.array([date(2026, m + 1, 1).toordinal() - EPOCH for m in range(12)] + [date(2027, 1, 1).toordinal() - EPOCH])
    codes = np.array([{"calls": 250_000, "rows": 7_000}.get(c.code, 0) for c in book.components], dtype=np.int64)
    most = codes[layout.component]
    units = np.where(most > 0, layout.row * 7919 % np.maximum(most, 1), 0) * 10**6
    before = np.where((layout.row % 3 == 0) & (most > 0), 9_000, 0) * 10**6
    rows = Rows(
        tariff=tariff,
        units=units,
        before=before,
        start=firsts[month],
        end=firsts[month + 1],
        anchor=firsts[month] - 40,
        reasons=np.zeros(count, np.int64),
        reason_sets=(frozenset(),),
        is_free=number % 50 == 0,
        group=number,
        rank=np.zeros(count, np.int64),
    )
    past = History(
        scope=scope,
        tariffs=list(tariffs),
        book=book,
        rows=rows,
        layout=layout,
        charged={},
        month=month,
        buyer=np.array(buyers, dtype=np.int64)[number % len(buyers)],
        operator=np.full(count, stall.operator.pk),
        product=np.full(count, stall.product.pk),
        entitlement=number % 50_000,
        is_running=np.zeros(count, dtype=bool),
        codes=[""] * count,
        purposes=[("industry.finance.pre_loan",)] * count,
    )
    past.charged = {name: getattr(past.ratings, name) for name in AMOUNTS}
    return past


def _timed(past: History, draft: drafts.Draft, scope: Scope) -> float:
    began = time.perf_counter()
    replayed = replay.replay(history=past, draft=draft, on=NOW.date())
    results.summed_up(history=past, replayed=replayed, products=scope.products())
    return time.perf_counter() - began


def _check_sample(past: History, replayed: replay.Replay) -> None:
    """A thousand rows one by one through `pricing.rules.rate`."""
    for row in range(0, len(past), max(1, len(past) // 1000)):
        terms = replayed.book.tariffs[int(past.rows.tariff[row])]
        lines = range(int(past.layout.first[row]), int(past.layout.first[row + 1]))
        given = {c.code: line for c, line in zip(terms.components, lines, strict=True) if c.code != "base"}
        usage = Usage(
            units={code: int(past.rows.units[line]) for code, line in given.items()},
            before={code: int(past.rows.before[line]) for code, line in given.items()},
            start=date.fromordinal(int(past.rows.start[row]) + EPOCH),
            end=date.fromordinal(int(past.rows.end[row]) + EPOCH),
            anchor=date.fromordinal(int(past.rows.anchor[row]) + EPOCH),
            is_free=bool(past.rows.is_free[row]),
        )
        found = rate_one(terms, usage)
        if (found.total_minor, found.net_minor, found.free_value_minor) != tuple(
            int(getattr(replayed.ratings, name)[row]) for name in ("total", "net", "free_value")
        ):
            raise AssertionError(f"row {row}: the replay and the rules disagree")


def _load(stall: Stall) -> tuple[float, int]:
    """(seconds, rows) of loading the charges of a month that was closed for it; AssertionError where the replay differs."""
    _entitle(stall, scaled(5_000))
    close_month(month=MONTH, at=AT)
    scope = Scope(stall.operator.pk, "", MONTH, date(2026, 11, 1))
    began = time.perf_counter()
    past = history.load(scope=scope, at=AT)
    took = time.perf_counter() - began
    if past.mismatches():
        raise AssertionError("replaying the tariff in force does not give the charges")
    return took, len(past)
