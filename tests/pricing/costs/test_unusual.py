"""What stands out in a filing is marked with its reason, and nothing is decided by it."""

import pytest

from pricing.costs.models import CostNature
from pricing.costs.selectors import admitted_total
from pricing.costs.unusual import reason_text, unusual_rows
from tests.pricing.costs.ledgers import OWN, make_filing, make_operation, row

pytestmark = pytest.mark.django_db
ITEMS = [f"成本项目{number}" for number in range(12)]


def ledger(year, factor=1.0, **changed):
    return [
        row(OWN, item=item, year=year, amount=round((1000 + 100 * place) * factor * changed.get(item, 1.0), 2))
        for place, item in enumerate(ITEMS)
    ]


def test_a_jump_against_the_own_past_is_marked_with_its_size(cast, clock):
    operation = make_operation(cast, clock.now)
    make_filing(cast, operation, clock.now, *ledger(2024), year=2024)
    filing = make_filing(cast, operation, clock.now, *ledger(2025, 1.03, **{ITEMS[3]: 12.0}))
    found = unusual_rows(filing)
    assert (found.past_years, found.peers) == (1, 0)
    items = {item.pk: item for item in filing.items.all()}
    assert {items[pk].item: [reason.code for reason in reasons] for pk, reasons in found.marks.items()} == {ITEMS[3]: ["jump"]}
    (reasons,) = found.marks.values()
    assert "12.0" in reason_text(reasons[0])
    assert items[next(iter(found.marks))].is_admitted and admitted_total(filing) == sum(i.amount_minor for i in items.values())


def test_a_first_filing_without_peers_says_that_there_is_nothing_to_hold_it_against(cast, clock):
    found = unusual_rows(make_filing(cast, make_operation(cast, clock.now), clock.now, *ledger(2025)))
    assert (found.marks, found.past_years, found.peers) == ({}, 0, 0)


def test_every_reason_has_words():
    from pricing.estimation.outliers import Reason

    for code in ("jump", "drop", "high_share", "low_share", "other_nature", "twice"):
        assert reason_text(Reason(code, ratio=2.5, usual=CostNature.STAFF))
