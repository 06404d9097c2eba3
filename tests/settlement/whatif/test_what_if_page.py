"""The worked table of docs/pricing/what-if.md, run row by row."""

import json
from datetime import date
from pathlib import Path

import pytest

from pricing.rules.exact import yuan
from settlement.whatif import drafts
from settlement.whatif.history import load
from settlement.whatif.replay import replay
from tests.settlement.books import NOVEMBER, OCTOBER, TIERS, component, document
from tests.settlement.whatif.past import AT, buyer, scope

PAGE = Path(__file__).parents[3] / "docs" / "pricing" / "what-if.md"
HEAD = "| draft | bank | firm | billed | net | free value |"


def rows():
    lines = PAGE.read_text(encoding="utf-8").split(HEAD)[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        draft, *amounts = (cell.strip() for cell in line.strip("|").split("|"))
        yield json.loads(draft.strip("`")), amounts


@pytest.mark.django_db
@pytest.mark.parametrize(("draft", "amounts"), list(rows()))
def test_each_row_of_the_worked_table_is_what_the_bench_gives(books, draft, amounts):
    firm = buyer(books, 1, "small")
    books.price(document(component(model="graduated", tiers=TIERS)))
    books.use("12000", "2026-10-05 12:00")
    books.use("407.5", "2026-10-05 12:00", books.sell(firm))
    books.close(OCTOBER, "2026-11-04 09:00")
    where = scope(books, to_month=NOVEMBER)
    for cap in draft.get("caps", []):
        cap |= {"product": books.stall.product.code, "purpose_class": "industry", "period": ""}
    past = load(scope=where, at=AT)
    done = replay(history=past, draft=drafts.read(draft, where.products()), on=date(2026, 12, 10))
    of_firm = past.buyer == firm.pk
    total = done.ratings.total
    found = [total[~of_firm].sum(), total[of_firm].sum(), total.sum(), done.ratings.net.sum(), done.free_value.sum()]
    assert [yuan(int(amount)) for amount in found] == amounts


def test_the_page_has_its_rows():
    assert len(list(rows())) == 5
