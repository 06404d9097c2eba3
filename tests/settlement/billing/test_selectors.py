"""What pages and exports show of a bill."""

import csv
import io
import json
from decimal import Decimal

import pytest
from django.utils import translation

from settlement.billing import exports, selectors
from tests.settlement.books import NOVEMBER, TIERS, component, document

pytestmark = pytest.mark.django_db


@pytest.fixture
def bill(books):
    flat = component("base", "flat", period="month", price="3000.00") | {"basis": "periods"}
    books.price(document(component(model="graduated", tiers=TIERS), flat))
    books.use("9999", "2026-10-30 10:00")
    books.close()
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    return selectors.bill(number=books.invoice(NOVEMBER).number)


def test_a_bill_shows_the_sums_of_each_line(bill):
    with translation.override("en"):
        late = selectors.bill(number=bill.invoice.number).lines[0]
    assert late.is_late and late.service_month == "2026-10" and late.line.payable == Decimal("0.80")
    assert any("10000 × 0.50 = 5000.00" in step for step in late.steps) and any("9999 × 0.50" in step for step in late.steps)
    assert bill.open == bill.invoice.due


def test_a_bill_that_is_not_there_is_none(db):
    assert selectors.bill(number="x") is None


def test_reading_a_bill_takes_a_fixed_number_of_queries(bill, django_assert_num_queries):
    with django_assert_num_queries(2):
        selectors.bill(number=bill.invoice.number)


def test_exports_add_up_to_the_invoice(bill):
    rows = list(csv.DictReader(io.StringIO(exports.as_csv(bill).removeprefix("\ufeff"))))
    for name in ("net", "vat"):
        assert sum(Decimal(row[name]) for row in rows) == getattr(bill.invoice, name)
    told = json.loads(exports.as_json(bill))
    assert told["total"] == str(bill.invoice.total) and len(told["lines"]) == len(rows)
    assert told["buyer"]["uscc"] == bill.invoice.buyer.uscc


def test_lists_show_each_party_its_own(bill, books):
    assert selectors.invoices_of(buyer_ids=[books.stall.buyer.id])[0].number == bill.invoice.number
    assert not selectors.invoices_of(buyer_ids=[books.provider.id]) and not selectors.invoices_of()
    mine = selectors.statements_of(party_ids=[books.provider.id])
    assert len(mine) == 2 and sum(s.amount_minor for s in selectors.statement_lines(settlement=mine[0])) == mine[0].accrued_minor
    assert [m["invoices_count"] for m in selectors.months()] == [1, 1]
