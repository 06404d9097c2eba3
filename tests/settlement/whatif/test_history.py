"""History as arrays: replaying the tariffs in force gives the charges of the closed months, and what does not is named."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from settlement.billing.models import Charge
from settlement.whatif.history import MonthNotClosed, TooMuchHistory, load
from settlement.whatif.scope import NothingToReplay
from tests.settlement.books import NOVEMBER, OCTOBER, component, document, make_books
from tests.settlement.whatif.past import AT, DECEMBER, live_through, scope

pytestmark = pytest.mark.django_db


def charged(name):
    return sum(int(getattr(charge, name) * 100) for charge in Charge.objects.all())


def test_replaying_the_tariffs_in_force_gives_every_charge_of_the_closed_months(books):
    live_through(books)
    past = load(scope=scope(books), at=AT)
    assert past.mismatches() == []
    for name in ("total", "net", "vat", "free_value"):
        assert int(getattr(past.ratings, name).sum()) == charged(name)
    assert len(past) < Charge.objects.count(), "late use is one row with what it belongs to"
    assert past.rows.rank.max() == 1, "a month is cut where its tariff changes"
    assert {month for month in past.months} == {OCTOBER, NOVEMBER}


def test_every_single_charge_of_a_month_without_late_use_is_a_row(books):
    live_through(books)
    past = load(scope=scope(books, from_month=NOVEMBER), at=AT)
    stored = Charge.objects.filter(service_month=NOVEMBER).order_by("entitlement", "service_month", "from_date", "tariff")
    assert past.ratings.total.tolist() == [int(charge.total * 100) for charge in stored]


def test_a_charge_that_the_replay_does_not_give_is_named(books):
    live_through(books)
    past = load(scope=scope(books), at=AT)
    past.charged["total"] = past.charged["total"].copy()
    past.charged["total"][0] += 1
    (found,) = past.mismatches()
    assert (found.entitlement, found.name) == (past.codes[0], "total")
    assert Decimal(found.charged) - Decimal(found.replayed) == Decimal("0.01")


def test_a_month_that_is_not_closed_is_refused_by_name_and_counts_as_it_stands_where_asked(books):
    books.use("200", "2026-12-05 09:00")
    books.close(OCTOBER, "2026-11-04 09:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    with pytest.raises(MonthNotClosed, match="2026-12"):
        load(scope=scope(books, to_month=date(2027, 1, 1)), at=AT)
    past = load(scope=scope(books, from_month=DECEMBER, to_month=date(2027, 1, 1), with_running=True), at=AT)
    assert past.is_running.tolist() == [True]
    assert past.ratings.total.tolist() == [10000]
    with pytest.raises(MonthNotClosed, match="2027-01"):
        load(scope=scope(books, to_month=date(2027, 2, 1), with_running=True), at=AT)


def test_too_much_history_is_refused_with_both_numbers(books):
    live_through(books)
    with pytest.raises(TooMuchHistory, match=rf"{Charge.objects.count()} charges; the bench takes at most 3"):
        load(scope=scope(books), at=AT, most=3)


def test_a_scope_without_products_or_without_use_is_refused(books):
    with pytest.raises(MonthNotClosed):
        load(scope=scope(books), at=AT)
    books.close(OCTOBER, "2026-11-04 09:00")
    with pytest.raises(NothingToReplay):
        load(scope=scope(books, to_month=NOVEMBER), at=AT)
    with pytest.raises(NothingToReplay):
        load(scope=scope(books, operator_id=books.stall.buyer.pk), at=AT)


def test_another_operators_use_is_not_in_it(books):
    live_through(books)
    other = make_books(2)
    past = load(scope=scope(books), at=AT)
    assert set(past.operator.tolist()) == {books.stall.operator.pk}
    with pytest.raises(NothingToReplay):
        load(scope=scope(other), at=AT)


def test_the_same_history_has_the_same_digest_and_another_one_another(books):
    live_through(books)
    one, two = load(scope=scope(books), at=AT), load(scope=scope(books), at=AT)
    assert one.digest() == two.digest()
    two.rows = replace(two.rows, units=np.where(np.arange(len(two.rows.units)) == 0, 1, two.rows.units))
    assert one.digest() != two.digest()
    assert one.digest() != load(scope=scope(books, to_month=NOVEMBER), at=AT).digest()


def test_a_product_without_a_price_is_counted_and_worth_nothing(books):
    books.price(document(component()))
    grant = books.grant()
    books.use("300", "2026-10-05 09:00", grant)
    books.stall.plan.state = "closed"
    books.stall.plan.save()
    books.close(OCTOBER, "2026-11-04 09:00")
    past = load(scope=scope(books, to_month=NOVEMBER), at=AT)
    assert (len(past), int(past.ratings.free_value.sum()), past.mismatches()) == (1, 0, [])
