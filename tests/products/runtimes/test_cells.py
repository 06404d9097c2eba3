"""Scenario 70: cells with fewer people than the threshold are suppressed, and cannot be computed from what is shown."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products.runtimes import cells, host, index
from products.runtimes.base import ReleaseRefused

TOTALS = {"all": ["north", "south", "east"]}
CONFIG = {
    "series": {name: {"unit": "人", "label": name} for name in ("all", "north", "south", "east")},
    "min_cell": 10,
    "small_cells": "suppress",
    "totals": TOTALS,
}
CSV = (
    b"series,date,vintage,value,count\n"
    b"all,2026-01-31,2026-02-10,100.5,70\nnorth,2026-01-31,2026-02-10,40.5,40\n"
    b"south,2026-01-31,2026-02-10,12.0,7\neast,2026-01-31,2026-02-10,48.0,23\n"
    b"north,2026-01-31,2026-03-10,41.0,41\nsouth,2026-01-31,2026-03-10,13.0,12\n"
    b"all,2026-02-28,2026-03-10,60.0,60\nnorth,2026-02-28,2026-03-10,30.0,30\n"
    b"south,2026-02-28,2026-03-10,20.0,20\neast,2026-02-28,2026-03-10,10.0,10\n"
)


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"all": 70, "north": 40, "south": 20, "east": 10}, set()),
        ({"all": 70, "north": 40, "south": 7, "east": 23}, {"south", "east"}),  # the next smallest hides the difference
        ({"all": 46, "north": 40, "south": 4, "east": 2}, {"south", "east", "north"}),  # 4 + 2 would be told by 46 − 40
        ({"all": 9, "north": 4, "south": 3, "east": 2}, {"all", "north", "south", "east"}),
        ({"all": 50, "north": 40, "south": 10, "east": 0}, {"east", "south"}),
        ({"north": 40, "south": 7}, {"south"}),  # no total, nothing to compute it from
    ],
)
def test_scenario_70_small_cells_and_what_gives_them_away_are_hidden(counts, hidden):
    assert cells.suppressed(counts, TOTALS, 10) == hidden


def table(rows: list[list[int]]) -> tuple[dict[str, int], dict[str, list]]:
    """Counts and sums of a table with both margins and the grand total."""
    counts = {f"{i}.{j}": value for i, row in enumerate(rows) for j, value in enumerate(row)}
    counts |= {f"{i}.": sum(row) for i, row in enumerate(rows)} | {f".{j}": sum(c) for j, c in enumerate(zip(*rows, strict=True))}
    counts["."] = sum(map(sum, rows))
    totals = {f"{i}.": [f"{i}.{j}" for j in range(len(rows[0]))] for i in range(len(rows))}
    totals |= {f".{j}": [f"{i}.{j}" for i in range(len(rows))] for j in range(len(rows[0]))}
    totals["."] = [[f"{i}." for i in range(len(rows))], [f".{j}" for j in range(len(rows[0]))]]
    return counts, totals


def solvable(counts, totals, hidden) -> set[str]:
    """Hidden cells that linear algebra finds from the shown ones: those that every null vector leaves alone."""
    names = sorted(hidden)
    sums = [(total, parts) for total, each in totals.items() for parts in cells.each_sum(each)]
    rows = [[(name == total) - parts.count(name) for name in names] for total, parts in sums]
    if not names:
        return set()
    _u, values, vectors = np.linalg.svd(np.array(rows, dtype=float))
    rank = int((values > 1e-9).sum())
    free = np.abs(vectors[rank:]).sum(axis=0) if rank < len(names) else np.zeros(len(names))
    return {name for name, moves in zip(names, free, strict=True) if moves < 1e-9}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_hidden_cell_of_a_table_with_margins_can_be_computed(rows):
    counts, totals = table(rows)
    hidden = cells.suppressed(counts, totals, 10)
    assert {cell for cell, count in counts.items() if count < 10} <= hidden
    assert solvable(counts, totals, hidden) == set()
    if min(counts.values()) >= 10:
        assert hidden == set()


def test_the_oracle_of_the_test_above_finds_what_one_suppression_gives_away():
    counts, totals = table([[4, 20, 30], [20, 30, 40]])
    assert solvable(counts, totals, {"0.0"}) == {"0.0"}


@pytest.fixture
def loaded(make_release, secrets):
    return host.load(make_release("index", CONFIG, index.pack_csv(CSV, CONFIG)), secrets=secrets)


def value(loaded, at, series, day, **more):
    [point] = loaded.run({"ask": "date", "series": series, "date": day, **more}, at).output["points"]
    return point


def test_a_suppressed_value_is_answered_as_suppressed_in_every_vintage(loaded, at):
    answer = {"date": "2026-01-31", "value": None, "vintage": "2026-03-10", "suppressed": True}
    assert value(loaded, at, "south", "2026-01-31") == answer
    assert value(loaded, at, "south", "2026-01-31", vintage="2026-02-15")["value"] is None
    assert value(loaded, at, "east", "2026-01-31")["suppressed"]  # else south = all − north − east
    assert value(loaded, at, "north", "2026-01-31")["value"] == "41.0"
    assert value(loaded, at, "all", "2026-01-31")["value"] == "100.5"
    assert value(loaded, at, "east", "2026-02-28")["value"] == "10.0"


def test_what_is_suppressed_is_not_in_the_artifact_at_all():
    artifact = index.pack_csv(CSV, CONFIG)
    assert b"12.0" not in artifact and b"13.0" not in artifact and b"48.0" not in artifact and b"40.5" in artifact


def test_an_artifact_older_than_its_rule_is_suppressed_when_it_answers(make_release, secrets, at):
    lax = CONFIG | {"min_cell": 2}
    artifact = index.pack_csv(CSV, lax)
    assert b"12.0" in artifact
    loaded = host.load(make_release("index", CONFIG, artifact), secrets=secrets)
    assert value(loaded, at, "south", "2026-01-31")["value"] is None and value(loaded, at, "east", "2026-01-31")["value"] is None


def test_a_suppressed_answer_fits_the_output_schema(loaded, at):
    from products.runtimes.schemas import Schema

    schema = Schema(index.output_schema(CONFIG), where="")
    assert schema.fits(loaded.run({"ask": "latest", "series": "south"}, at).output)
    assert schema.fits(loaded.run({"ask": "date", "series": "south", "date": "2026-01-31"}, at).output)


def test_publishing_refuses_small_counts_that_are_not_to_be_suppressed():
    with pytest.raises(ReleaseRefused) as refused:
        index.pack_csv(CSV, {**CONFIG, "small_cells": "keep"})
    assert [error["pointer"] for error in refused.value.errors] == ["/data/4/count"]


def test_a_count_that_is_no_number_of_people_is_refused():
    with pytest.raises(ReleaseRefused) as refused:
        index.pack_csv(b"series,date,value,count\nall,2026-01-31,1,many\n", CONFIG)
    assert refused.value.errors[0]["pointer"] == "/data/2/count"


def test_a_total_of_itself_or_of_nothing_known_is_refused():
    with pytest.raises(ReleaseRefused) as refused:
        index.pack_csv(CSV, CONFIG | {"totals": {"all": ["all"], "north": ["nowhere"], "where": ["all"]}})
    assert [error["pointer"] for error in refused.value.errors] == [
        f"/config/totals/{name}" for name in ("all", "north", "where")
    ]


def test_without_counts_an_artifact_is_what_it_was():
    artifact = index.pack_csv(b"date,value\n2026-01-31,1\n", {"series": {"a": {"unit": "", "label": ""}}})
    assert set(msgspec.msgpack.decode(artifact)["series"]["a"]) == {"dates", "vintages", "values"}
