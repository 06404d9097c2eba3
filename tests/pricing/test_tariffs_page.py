"""The worked tables of docs/pricing/tariffs.md are what the code answers."""

import json
from pathlib import Path

import pytest

from pricing.quote import quote
from pricing.tariffs.clauses import forbidden_clauses
from pricing.tariffs.sanity import check_tariff
from tests.pricing.worked_tables import worked_rows

PAGE = Path(__file__).parents[2] / "docs" / "pricing" / "tariffs.md"


ROWS = list(worked_rows(PAGE, ("proof", "usage", "words")))


@pytest.mark.parametrize(("tariff", "row"), ROWS)
def test_a_worked_row_says_what_the_code_answers(tariff, row):
    kind, asked = next(iter(row.items()))
    asked = asked.strip("`")
    if kind == "words":
        found = {clause.kind for clause in forbidden_clauses(asked)}
        assert found == ({row["kind"]} if row["kind"] else set())
        return
    answer = quote(tariff, json.loads(asked)) if kind == "usage" else check_tariff(tariff)[asked]
    told = {column: cell(answer.get(column, "")) for column in list(row)[1:]}
    assert told == {column: row[column] for column in list(row)[1:]}


def cell(value):
    if isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def test_the_page_has_its_tables():
    assert len(ROWS) > 15
