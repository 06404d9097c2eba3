"""The demo's ledger goes through the services, and its worked page says what they say."""

import re
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.conf import settings

from market.demo import costs
from pricing.costs import explain
from pricing.costs.selectors import admitted_by_line, admitted_total, compare, totals, version_before, whole
from pricing.rules.exact import yuan
from products.record.documents import documents_about
from tests.factories.offers import make_authorisation, make_product

pytestmark = pytest.mark.django_db
PAGE = settings.BASE_DIR / "docs" / "pricing" / "costs.md"


@dataclass
class Told:
    bodies: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)


@pytest.fixture
def filing(cast, clock):
    authorisation = make_authorisation(cast, clock.now)
    authorisation.operating_since = date(2024, 11, 15)
    authorisation.region = "330200"
    authorisation.save(update_fields=["operating_since", "region"])
    for code in ("sme-loan-score", "enterprise-check", "employment-index"):
        make_product(cast, clock.now, code, authorisation=authorisation)
    told = Told({"jiangshu": cast.operator.organisation}, {"operator": cast.operator.owner, "regulator": cast.regulator.decider})
    return costs.file_costs(told)


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the page, without its head."""
    part = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_worked_ledger_of_the_page_is_what_the_services_say(filing):
    found = [
        [str(item.row), item.item, yuan(item.amount_minor), item.rule, yuan(item.admitted_minor), yuan(item.counted_minor)]
        for item in filing.items.order_by("row")
    ]
    assert table("A worked ledger") == found


def test_the_worked_sums_of_the_page_are_what_the_selectors_say(filing):
    rows = totals(filing.items.all(), "rule")
    sums = [[row.code, str(row.rows), yuan(row.amount_minor), yuan(row.counted_minor)] for row in [*rows, whole(rows)]]
    sums[-1][0] = "all"
    assert table("Sums by rule") == sums
    assert table("Sums by line") == [[line, yuan(minor)] for line, minor in admitted_by_line(filing).items()]
    assert sum(admitted_by_line(filing).values()) == admitted_total(filing)


def test_the_page_names_every_rule(filing):
    assert {row[0].strip("`") for row in table("The rules")} == set(explain.LABELS)


def test_the_story_has_two_versions_and_a_document(filing):
    before = version_before(filing)
    assert (filing.version, before.state, filing.state, filing.case.outcome) == (2, "returned", "audited", "audited")
    (change,) = compare(before, filing)
    assert (change.kind, change.older.amount_minor - change.newer.amount_minor) == ("changed", 10_000_000)
    assert re.search("审核结论", documents_about(filing).get().title)
