"""Posting in batches, and the balance of a large account."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from bench.scale import scaled
from bench.table import Figure
from settlement.ledger.selectors import balance_minor
from settlement.ledger.services import Entry, post_many

AT = datetime(2026, 6, 5, 1, 0, tzinfo=UTC)
BATCH = 500
READS = 300


def run() -> list[Figure]:
    count = scaled(20_000)
    entries = [_invoice(number) for number in range(count)]
    post_many(entries=[_invoice(-number) for number in range(1, BATCH)])  # accounts and caches are there
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        post_many(entries=entries[start : start + BATCH])
    seconds = time.perf_counter() - began
    reads = []
    for _read in range(READS):
        began = time.perf_counter()
        balance_minor(path="revenue:OPERATOR")
        reads.append((time.perf_counter() - began) * 1000)
    postings = 3 * (count + BATCH - 1)
    return [
        Figure(
            "ledger, four-posting transactions in batches",
            count / seconds,
            "/s",
            5_000,
            note=f"{count:,} in batches of {BATCH}, chained, balances kept",
        ),
        Figure(
            "balance of a large account, median",
            statistics.median(reads),
            "ms",
            2,
            is_at_least=False,
            note=f"{postings:,} postings on it (budget: at 1,000,000); the balance is a row, whatever their number",
        ),
    ]


def _invoice(number: int) -> Entry:
    """An invoice: net and VAT owed, net divided between two parties."""
    receivable = f"receivable:BUYER{number % 1000}:OPERATOR"
    postings = [
        (receivable, "revenue:OPERATOR", 94_34),
        (receivable, "vat:OPERATOR", 5_66),
        ("revenue:OPERATOR", "share:OPERATOR:OPERATOR", 75_47),
        ("revenue:OPERATOR", "share:PROVIDER:OPERATOR", 18_87),
    ]
    return Entry(f"bench:{number}", ("invoice", f"BENCH-{number}"), "Invoice", postings, AT)
