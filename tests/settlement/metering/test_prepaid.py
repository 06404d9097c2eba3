"""A prepaid balance as a hard limit: used to its last fen and never beyond, exactly as the close then draws it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from settlement.billing.models import Deposit
from settlement.billing.services import deposit_receive
from settlement.metering.models import UsageEvent
from settlement.metering.record import Status, event_of, record_events
from tests.settlement.books import NOVEMBER, OCTOBER, TIERS, component, document, make_books, moment
from tests.settlement.stall import digest_of

pytestmark = pytest.mark.django_db
HALF = component(unit_price="0.50")
STORM = [
    pytest.param(document(HALF), id="per unit"),
    pytest.param(document(component(model="graduated", tiers=TIERS, included="3")), id="graduated with some included"),
    pytest.param(
        document(
            component(
                model="volume",
                tiers=[{"up_to": "5", "unit_price": "0.50", "flat_fee": "1.00"}, {"up_to": None, "unit_price": "0.33"}],
            )
        ),
        id="volume, which becomes cheaper on the way",
    ),
    pytest.param(document(component(model="package", package_size="4", package_price="1.99")), id="packages"),
    pytest.param(
        document(HALF, component("base", "flat", basis="periods", period="month", price="4.44"), minimum="6.00"),
        id="flat price and minimum",
    ),
    pytest.param(
        document(
            component(unit_price="0.3333"),
            discounts=[{"reason": "key_scenario", "percent": "30", "components": ["calls"]}],
            tax={"rate": "0.06", "inclusive": False},
        ),
        id="discount, and tax on top",
    ),
    pytest.param(
        document(component(model="graduated", counts_over="year", tiers=[{"up_to": "9", "unit_price": "0.90"}, {"up_to": None, "unit_price": "0.10"}])),
        id="counter over a year",
    ),
]  # fmt: skip


@pytest.fixture
def books():
    books = make_books()
    books.stall.entitlement.is_prepaid = True
    books.stall.entitlement.discounts = ["key_scenario"]
    books.stall.entitlement.save()
    return books


def pay(books, minor: int, at: str = "2026-10-01 08:00") -> None:
    deposit_receive(
        organisation=books.stall.buyer,
        operator=books.stall.operator,
        amount_minor=minor,
        order_number="O-1",
        channel="bank",
        key=f"deposit:{Deposit.objects.count()}",
        at=moment(at),
    )


def call(books, number: int, when: str = "2026-10-20 10:00", entitlement=None, **more):
    entitlement = entitlement or books.stall.entitlement
    event = event_of(
        entitlement,
        units=more.pop("units", {"calls": "1"}),
        time=moment(when),
        request_digest=digest_of(f"{number}"),
        source="/operators/x",
        event_id=f"{entitlement.code}-{when}-{number}",
        **more,
    )
    (outcome,) = record_events([event], at=moment(when))
    return outcome.status


def until_refused(books, when: str = "2026-10-20 10:00", most: int = 200) -> int:
    for number in range(most):
        if call(books, number, when) is not Status.ACCEPTED:
            return number
    raise AssertionError("it is never refused")


@pytest.mark.parametrize("tariff", STORM)
def test_balance_is_used_until_the_next_call_is_not_covered_and_the_close_draws_it_to_the_fen(books, tariff):
    books.price(tariff)
    pay(books, 1000)
    served = until_refused(books)
    assert served == UsageEvent.objects.count() > 0
    books.close()
    invoice = books.invoice()
    assert invoice.due == 0 and invoice.total == invoice.drawn_from_deposit <= Decimal("10.00")
    one_more = books.stall.entitlement
    assert one_more.code in {charge.entitlement.code for charge in invoice.charges.all()}


@pytest.mark.parametrize("tariff", STORM)
def test_call_that_was_refused_would_not_have_been_covered(books, tariff):
    """The limit is not stricter than it must be: with the refused call written all the same, the invoice is not covered."""
    books.price(tariff)
    pay(books, 1000)
    served = until_refused(books)
    assert call(books, served, is_prepaid=False) is Status.ACCEPTED
    books.close()
    assert books.invoice().due > 0


def test_batch_is_covered_call_by_call_in_its_order(books):
    pay(books, 275)  # five calls and a half
    events = [
        event_of(
            books.stall.entitlement,
            units={"calls": str(units)},
            time=moment("2026-10-20 10:00"),
            request_digest=digest_of("x"),
            source="/operators/x",
            event_id=str(number),
        )
        for number, units in enumerate([2, 2, 2, 1, 1, 1])
    ]
    found = [outcome.status.value for outcome in record_events(events, at=moment("2026-10-20 10:00"))]
    assert found == ["accepted", "accepted", "over_balance", "accepted", "over_balance", "over_balance"]
    again = [outcome.status.value for outcome in record_events(events, at=moment("2026-10-20 10:00"))]
    assert again == ["duplicate", "duplicate", "over_balance", "duplicate", "over_balance", "over_balance"]


def test_top_up_raises_the_limit_at_once_and_a_correction_gives_back(books):
    pay(books, 100)
    assert [call(books, n) for n in range(3)] == [Status.ACCEPTED, Status.ACCEPTED, Status.OVER_BALANCE]
    pay(books, 50, "2026-10-20 10:00")
    assert [call(books, n) for n in (2, 3)] == [Status.ACCEPTED, Status.OVER_BALANCE]
    first = UsageEvent.objects.order_by("id")[0]
    assert call(books, 9, units={"calls": "-1"}, corrects=first.id) is Status.ACCEPTED
    assert [call(books, n) for n in (3, 4)] == [Status.ACCEPTED, Status.OVER_BALANCE]


def test_two_open_months_and_late_use_share_one_balance(books):
    pay(books, 500)
    assert [call(books, n, "2026-10-31 23:59") for n in range(4)] == [Status.ACCEPTED] * 4
    assert [call(books, n, "2026-11-01 00:00") for n in range(7)] == [Status.ACCEPTED] * 6 + [Status.OVER_BALANCE]
    books.close()
    assert (books.invoice().total, books.invoice().due) == (Decimal("2.00"), 0)
    assert call(books, 8, "2026-11-04 10:00") is Status.OVER_BALANCE
    late = {"units": {"calls": "1"}}
    assert call(books, 9, "2026-10-30 10:00", **late) is Status.OVER_BALANCE, "late use of a closed month counts too"
    pay(books, 50)
    assert call(books, 9, "2026-10-30 10:00", **late) is Status.ACCEPTED
    books.close(NOVEMBER, "2026-12-04 09:00")
    assert (books.invoice(NOVEMBER).total, books.invoice(NOVEMBER).due) == (Decimal("3.50"), 0)
    assert sum(deposit.amount_minor - deposit.drawn_minor for deposit in Deposit.objects.all()) == 0


def test_what_the_two_have_open_besides_is_set_against_the_balance_since_the_close_draws_it_too(books):
    postpaid = books.sell(books.stall.buyer, code="E-postpaid")
    pay(books, 300)
    assert call(books, 1, entitlement=postpaid, units={"calls": "4"}) is Status.ACCEPTED
    assert until_refused(books) == 2
    assert call(books, 2, entitlement=postpaid, units={"calls": "100"}) is Status.ACCEPTED, "billed afterwards, never refused"
    books.close(OCTOBER)
    assert books.invoice().drawn_from_deposit == Decimal("3.00")


def test_deposits_of_another_buyer_cover_nothing(books):
    other = make_books(2)
    pay(other, 10_000)
    assert call(books, 1) is Status.OVER_BALANCE


def test_use_that_is_not_prepaid_pays_nothing_for_it(books, django_assert_num_queries):
    uses = {
        is_prepaid: event_of(
            books.stall.entitlement,
            units={"calls": "1"},
            time=moment("2026-10-20 10:00"),
            request_digest=digest_of("x"),
            has_quota=False,
            is_prepaid=is_prepaid,
        )
        for is_prepaid in (False, True)
    }
    record_events([uses[False]], at=moment("2026-10-20 10:00"))  # opens the month
    pay(books, 200)
    with django_assert_num_queries(3):  # a savepoint around one statement
        record_events([uses[False]], at=moment("2026-10-20 10:00"))
    with django_assert_num_queries(6):  # lock, look, month, write
        record_events([uses[True]] * 2, at=moment("2026-10-20 10:00"))


def many(books, *asked):
    """What became of one batch; each asked is (number, units, what the event has besides)."""
    events = [
        event_of(
            books.stall.entitlement,
            units={"calls": units},
            time=moment("2026-10-20 10:00"),
            request_digest=digest_of(f"{number}"),
            source="/operators/x",
            event_id=f"{books.stall.entitlement.code}-2026-10-20 10:00-{number}",
            **more,
        )
        for number, units, more in asked
    ]
    return [outcome.status for outcome in record_events(events, at=moment("2026-10-20 10:00"))]


def test_repeat_of_a_correction_pays_for_nothing_new(books):
    pay(books, 500)
    assert many(books, (1, "10", {})) == [Status.ACCEPTED]
    first = UsageEvent.objects.get().id
    refund = (2, "-10", {"corrects": first})
    assert many(books, refund) == [Status.ACCEPTED] and many(books, (3, "10", {})) == [Status.ACCEPTED]
    assert many(books, refund, (4, "10", {})) == [Status.DUPLICATE, Status.OVER_BALANCE]


def test_correction_pays_for_nothing_in_its_own_batch_refused_or_not(books):
    pay(books, 500)
    assert many(books, (1, "10", {})) == [Status.ACCEPTED]
    first = UsageEvent.objects.get().id
    too_much = (2, "-11", {"corrects": first})
    assert many(books, too_much, (3, "10", {})) == [Status.NOT_CORRECTABLE, Status.OVER_BALANCE]
    assert many(books, (4, "-10", {"corrects": first}), (5, "10", {})) == [Status.ACCEPTED, Status.OVER_BALANCE]
    assert many(books, (5, "10", {})) == [Status.ACCEPTED], "the next batch finds what was given back"


def test_repeat_of_use_makes_nothing_new_cheaper(books):
    tiers = [{"up_to": "5", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.10"}]
    books.price(document(component(model="volume", tiers=tiers)))
    pay(books, 200)
    assert many(books, (1, "4", {})) == [Status.ACCEPTED]
    assert many(books, (1, "4", {}), (2, "1", {})) == [Status.DUPLICATE, Status.OVER_BALANCE]
