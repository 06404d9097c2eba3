"""The worked tables of docs/pricing/permitted-revenue.md are what the rules compute."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pricing.revenue.permitted_rules import Terms, outcome, permitted
from pricing.rules.exact import yuan

PAGE = Path(__file__).parents[2] / "docs/pricing/permitted-revenue.md"


def rows_under(first_cell: str) -> list[list[str]]:
    """The cells of the table whose header begins with a word."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    body = [line for line in lines[start + 2 :]]
    until = next((number for number, line in enumerate(body) if not line.startswith("|")), len(body))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body[:until]]


def fen(text: str) -> int:
    return int(Decimal(text) * 100)


@pytest.mark.parametrize("cells", rows_under("cost"))
def test_the_table_of_the_arithmetic_is_computed(cells):
    cost, assets, rate, tax, start, last, carry, *shown = cells
    found = permitted(
        Terms(
            cost_minor=fen(cost),
            assets_minor=fen(assets) if assets else None,
            profit_base="EFFECTIVE_ASSETS" if assets else "OPERATING_COST",
            profit_rate=Decimal(rate),
            tax_rate=Decimal(tax),
            start=date.fromisoformat(start),
            end=date.fromisoformat(last) + timedelta(days=1),
            carry_minor=fen(carry),
        )
    )
    amounts = (found.profit_minor, found.tax_minor, found.year_minor, found.prorated_minor, found.deduction_minor)
    assert [yuan(minor) for minor in (*amounts, found.amount_minor, found.carry_on_minor)] == shown


@pytest.mark.parametrize("cells", rows_under("revenue"))
def test_the_table_of_outcomes_is_computed(cells):
    revenue, amount, interest, carried_on, correction, *shown = cells
    found = outcome(
        revenue_minor=fen(revenue),
        amount_minor=fen(amount),
        interest=Decimal(interest),
        carry_on_minor=fen(carried_on),
        correction_minor=fen(correction),
    )
    assert [yuan(n) for n in (found.excess_minor, found.interest_minor, found.carry_minor, found.shortfall_minor)] == shown
