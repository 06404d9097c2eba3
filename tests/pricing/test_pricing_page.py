"""The worked tables of docs/pricing.md are what the code answers."""

import json
from pathlib import Path

import pytest

from pricing.cap_check import check_cap
from pricing.quote import quote
from tests.pricing.worked_tables import worked_rows

PAGE = Path(__file__).parents[2] / "docs" / "pricing.md"


def found(answer, column):
    """The cell's text for `total`, `calls.gross` (a line) or `effective_unit_price.calls`."""
    place, _, name = column.partition(".")
    if place in answer:
        value = answer[place][name] if name else answer[place]
        if isinstance(value, list):
            return ", ".join(value)
        return value if isinstance(value, str) else json.dumps(value)
    lines = {line["component"]: line for line in answer.get("lines", [])}
    return lines[place][name] if place in lines else ""


ROWS = list(worked_rows(PAGE, ("usage", "caps")))


@pytest.mark.parametrize(("tariff", "row"), ROWS)
def test_a_worked_row_says_what_the_code_answers(tariff, row):
    kind, document = next(iter(row.items()))
    document = json.loads(document.strip("`"))
    answer = quote(tariff, document) if kind == "usage" else check_cap(tariff, {"caps": document})
    assert {column: found(answer, column) for column in list(row)[1:]} == {column: row[column] for column in list(row)[1:]}


def test_the_page_has_its_tables():
    assert len(ROWS) > 45
