"""The made-up data is frozen, and holds every awkward case that the models must meet."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import astuple
from datetime import date

import pytest

from pricing.estimation import made_up

FROZEN = {
    ("demand", 1): "c5082e4bc9f9ba8e",
    ("demand", 101): "22b93f96cfa1e1b4",
    ("catalogue", 1): "5afc95f09136bf7b",
    ("catalogue", 101): "c73f2e7a3b32fb4c",
    ("ledgers", 1): "de85d6e24ebf04f0",
    ("ledgers", 101): "180399fc90ef12ba",
}


@pytest.mark.parametrize(("table", "seed"), FROZEN)
def test_a_seed_gives_the_same_table_for_ever(table: str, seed: int):
    rows = getattr(made_up, table)(seed)
    assert hashlib.sha256(repr([astuple(row) for row in rows]).encode()).hexdigest()[:16] == FROZEN[table, seed]


def test_the_volumes_hold_every_awkward_case():
    found = Counter(case for seed in range(101, 106) for row in made_up.demand(seed) for case in row.cases)
    assert set(found) == {"new", "jump", "trend", "huge_buyer", "price_change", "zero_months", "outage"}
    assert min(found.values()) >= 10
    assert {len(row.units) for row in made_up.demand(101) if "new" in row.cases} <= set(range(1, 9))


def test_the_lunar_new_year_is_where_it_was():
    shares = {(year, month): made_up.festival_share(date(year, month, 1)) for year in (2025, 2026) for month in (1, 2, 3)}
    assert shares == {(2025, 1): 0.5, (2025, 2): 0.5, (2025, 3): 0, (2026, 1): 0, (2026, 2): 1.0, (2026, 3): 0}


def test_mistakes_are_only_in_the_last_year_of_a_ledger():
    rows = [row for seed in range(101, 106) for row in made_up.ledgers(seed)]
    assert {row.year for row in rows if row.planted} == {2025}
    assert {row.planted for row in rows} == {"", *made_up.MISTAKES}
