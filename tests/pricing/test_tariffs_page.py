"""The worked tables of docs/pricing/tariffs.md are what the code answers."""

import json
from pathlib import Path

import pytest

from pricing.quote import quote
from pricing.tariffs.clauses import forbidden_clauses
from pricing.tariffs.sanity import check_tariff

PAGE = Path(__file__).parents[2] / "docs" / "pricing" / "tariffs.md"


def worked_rows():
    """(tariff or None, {column: cell}) of each table row whose first column is proof, usage or words."""
    tariff, header, block = None, None, None
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        if line == "```json tariff":
            block = []
        elif line == "```":
            tariff, block = json.loads("\n".join(block)), None
        elif block is not None:
            block.append(line)
        elif not line.startswith("|"):
            header = None
        elif header is None:
            header = [cell.strip() for cell in line.strip("|").split("|")]
        elif header[0] in ("proof", "usage", "words") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
            yield pytest.param(tariff, dict(zip(header, cells, strict=True)), id=f"line {number}")


ROWS = list(worked_rows())


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
