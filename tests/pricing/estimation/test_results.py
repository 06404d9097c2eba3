"""docs/pricing/estimation.md shows what the estimates reach on the withheld seeds, table by table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.pricing.estimation.results import TABLES

PAGE = Path(settings.BASE_DIR) / "docs" / "pricing" / "estimation.md"


def table(page: Path, name: str) -> dict[str, list[str]]:
    """The rows of the table under ``<!-- table NAME -->``: first cell → the other cells."""
    text = page.read_text(encoding="utf-8").split(f"<!-- table {name} -->\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.proof
@pytest.mark.parametrize("name", TABLES)
def test_the_page_shows_what_comes_out(name: str):
    shown = table(PAGE, name)
    found = {row[0]: row[1:] for row in TABLES[name]()}
    assert list(found) == list(shown)
    for label, cells in found.items():
        for cell, said in zip(cells, shown[label], strict=True):
            assert numbers(cell) == pytest.approx(numbers(said), rel=0.02, abs=0.011), (label, cell, said)


def numbers(cell: str) -> list[float]:
    """The numbers in a cell: libraries of another build round the last digit differently."""
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", cell)]
