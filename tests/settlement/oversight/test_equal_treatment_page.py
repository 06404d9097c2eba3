"""The worked table of docs/pricing/equal-treatment.md is what the code answers."""

from __future__ import annotations

import pytest
from django.conf import settings

from pricing.documents import parse_tariff
from pricing.rules import Usage, rate
from pricing.rules.exact import MICRO, yuan
from settlement.oversight.equal_treatment_rules import Case, band_of, unequal_pairs
from tests.settlement.books import TIERS, component, document

PAGE = settings.BASE_DIR / "docs" / "pricing" / "equal-treatment.md"
DISCOUNTS = [
    {"reason": "key_scenario", "percent": "30", "components": ["calls"]},
    {"reason": "small_business", "percent": "20", "components": ["calls"]},
]
TERMS = parse_tariff(document(component(model="graduated", tiers=TIERS), discounts=DISCOUNTS))


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def reasons(cell: str) -> frozenset[str]:
    return frozenset() if cell == "–" else frozenset(cell.split(", "))


def case(code: str, calls: str, given: str, met: str) -> Case:
    units = int(calls) * MICRO
    paid, due = (rate(TERMS, Usage(units={"calls": units}, discounts=reasons(named))).lines[0] for named in (given, met))
    return Case(
        code=code,
        buyer=ord(code),
        product=1,
        plan=1,
        purpose="industry.finance",
        band=band_of(TERMS, {"calls": units}),
        units=units,
        gross=paid.gross_minor,
        payable=paid.payable_minor,
        deserved=due.payable_minor,
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_of_the_page_is_what_the_comparison_answers(row):
    one, other = case("A", *row[1:4]), case("B", *row[5:8])
    assert [yuan(one.payable), yuan(other.payable)] == [row[4], row[8]]
    flagged = [f"{pair.first.code} paid more" for pair in unequal_pairs([one, other])]
    assert (flagged or ["no"]) == [row[9]]
