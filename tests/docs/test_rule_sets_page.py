"""The worked tables of docs/pricing/rule-sets.md are what the code computes."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from django.conf import settings

from products.record.calendar import add_working_days
from products.record.rule_sets import rules_on
from products.registry.rules import term_end

pytestmark = pytest.mark.django_db


def table(head: str) -> list[list[str]]:
    page = (settings.BASE_DIR / "docs/pricing/rule-sets.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(head)}.*\n\|[ -|]+\n((?:\|.*\n)+)", page, re.M)
    assert found, head
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in found[1].strip().splitlines()]


def test_the_values_of_the_page_hold():
    rows = table("parameter | place")
    assert len(rows) >= 8
    for name, place, on, value, origin in rows:
        rule = rules_on(on=date.fromisoformat(on), jurisdiction=place)[name]
        wanted = value if isinstance(rule["value"], str) else json.loads(value)
        assert (rule["value"], rule["jurisdiction"]) == (wanted, origin), name


def test_the_terms_of_the_page_hold():
    start, end = date(2025, 8, 31), date(2030, 8, 30)
    for on, years, last, verdict in table("rules of"):
        allowed = rules_on(on=date.fromisoformat(on), jurisdiction="330000")["authorisation_max_years"]["value"]
        reached = term_end(start, allowed)
        assert (str(allowed), reached.isoformat()) == (years, last)
        assert verdict == ("within it" if end <= reached else "longer than allowed")


def test_the_working_days_of_the_page_hold():
    for start, days, end in table("from | working days"):
        assert add_working_days(date.fromisoformat(start), int(days)).isoformat() == end
