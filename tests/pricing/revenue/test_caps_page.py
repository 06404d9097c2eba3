"""The worked tables of docs/pricing/caps.md are what the code answers."""

import json
from datetime import date
from pathlib import Path

import pytest

from pricing.revenue.basket_rules import Row, by_cost, by_usage, welfare
from pricing.revenue.reasonableness import Frame, Line, weigh, year_budget
from pricing.rules.exact import plain, quantity, scaled, yuan

PAGE = (Path(__file__).parents[3] / "docs" / "pricing" / "caps.md").read_text(encoding="utf-8")
WAYS = {"cost": by_cost, "usage": by_usage, "welfare": welfare}


def table(first):
    """The rows of the table whose header begins with a column, as dictionaries."""
    lines = PAGE[PAGE.index(f"| {first} |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


TESTS, SETS = table("permitted"), table("way")


@pytest.mark.parametrize("row", TESTS)
def test_a_worked_test_says_what_the_code_answers(row):
    start, end = (date.fromisoformat(day) for day in row["period"].split(" to "))
    frame = Frame(scaled(row["permitted"], 2), start, end, vat_micro=60_000, floor_micro=650_000)
    capacity = scaled(row["capacity"], 6) if row["capacity"] else None
    line = Line("a", ("industry",), "calls", "", scaled(row["cap"], 6), scaled(row["expected"], 6), capacity)
    result = weigh(frame, [line])
    answer = (quantity(result.lines[0].used_micro), yuan(result.net_minor), yuan(result.gap_minor))
    assert answer == (row["used"], row["net"], row["gap"])


@pytest.mark.parametrize("row", SETS)
def test_a_worked_set_says_what_the_code_answers(row):
    given = json.loads(PAGE.split("```json set\n")[1].split("```")[0])
    start, end = (date.fromisoformat(day) for day in given["period"])
    frame = Frame(scaled(given["permitted"], 2), start, end, scaled(given["vat"], 6), scaled(given["floor"], 6))
    rows = [Row(scaled(r["used"], 6), scaled(r["cost"], 2), scaled(r["elasticity"], 6)) for r in given["rows"]]
    caps = WAYS[row["way"]](rows, year_budget(frame))
    lines = [Line(str(n), ("industry",), "calls", "", cap, rows[n].used_micro) for n, cap in enumerate(caps)]
    answer = [*(plain(cap, 6, 2) for cap in caps), yuan(weigh(frame, lines).net_minor)]
    assert answer == [row["first cap"], row["second cap"], row["net"]]


def test_the_page_has_its_tables():
    assert (len(TESTS), len(SETS)) == (5, 3)
