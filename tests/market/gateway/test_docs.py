"""docs/gateway.md says what the code does."""

import re
from pathlib import Path

from market.gateway.problems import CATALOGUE
from settlement.metering.reports import REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")


def test_page_lists_every_problem_with_its_status():
    assert {code: int(status) for code, status in re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|$", PAGE, re.M)} == {
        code: status for code, (status, _title) in CATALOGUE.items()
    }


def test_page_names_every_reason_of_a_rejected_report():
    assert {reason for reason in REASONS if f"`{reason}`" not in PAGE} == set()
