"""Deposits, payments, what they make payable, overdue, payouts, and the chain from a payout down."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from products.models import DataResource, User
from settlement.billing.services import AmountInvalid, InvoiceOverpaid, deposit_receive, invoice_pay, mark_overdue
from settlement.ledger.selectors import balance_minor
from settlement.ledger.services import KeyUsedDifferently
from settlement.metering.models import UsageEvent
from settlement.shares.models import Payout, PayoutLine, Share
from settlement.shares.payouts import (
    NothingPayable,
    PayoutNotProposed,
    PayoutOpen,
    SamePerson,
    payout_confirm,
    payout_propose,
    payout_reject,
)
from settlement.verify.run import mismatches
from tests.settlement.books import moment

pytestmark = pytest.mark.django_db
PAID_AT = moment("2026-11-10 10:00")


@pytest.fixture
def invoice(books):
    books.use("200")
    books.close()
    return books.invoice()


def pay(invoice, amount, key="pay:1", **changes):
    return invoice_pay(**{"invoice": invoice, "amount_minor": amount, "channel": "bank", "key": key, "at": PAID_AT} | changes)


def test_a_part_payment_makes_shares_payable_in_proportion_and_the_rest_the_rest(books, invoice):
    paid = pay(invoice, 3333)
    assert (paid.paid, paid.state) == (Decimal("33.33"), "issued")
    assert [s.payable_minor for s in Share.objects.order_by("position")] == [628, 109, 2405]
    pay(invoice, 6667, "pay:2")
    invoice.refresh_from_db()
    assert invoice.state == "paid" and all(s.payable_minor == s.amount_minor for s in Share.objects.all())
    assert balance_minor(path=f"vat:{books.stall.operator.uscc}") == 0
    assert balance_minor(path=f"payable:{books.stall.operator.uscc}") == 7217 + 566
    assert list(mismatches()) == []


def test_a_payment_counts_once_by_its_key(books, invoice):
    pay(invoice, 3000)
    assert pay(invoice, 3000).paid == Decimal("30.00")
    with pytest.raises(KeyUsedDifferently):
        pay(invoice, 3001)
    assert balance_minor(path="clearing:bank") == 3000


def test_nobody_pays_more_than_is_open(invoice):
    with pytest.raises(InvoiceOverpaid, match=r"100\.00"):
        pay(invoice, 10001)
    for amount, channel in ((0, "bank"), (-5, "bank"), (1.5, "bank"), (10, "cash")):
        with pytest.raises(AmountInvalid):
            pay(invoice, amount, channel=channel)


def test_a_deposit_counts_once_by_its_key(books):
    given = {
        "organisation": books.stall.buyer,
        "operator": books.stall.operator,
        "amount_minor": 500,
        "order_number": "O-1",
        "channel": "stripe",
        "key": "deposit:O-1",
        "at": PAID_AT,
    }
    assert deposit_receive(**given).pk == deposit_receive(**given).pk
    assert balance_minor(path="clearing:stripe") == 500
    with pytest.raises(KeyUsedDifferently):
        deposit_receive(**given | {"amount_minor": 501})


def test_an_overdue_invoice_stops_use_and_its_payment_lets_it_go_on(books, invoice):
    assert mark_overdue(at=moment("2026-11-19 23:00")) == []
    assert mark_overdue(at=moment("2026-11-20 01:00")) == [invoice]
    books.stall.entitlement.refresh_from_db()
    assert books.stall.entitlement.state == "overdue"
    assert pay(invoice, 10000).state == "paid"
    books.stall.entitlement.refresh_from_db()
    assert books.stall.entitlement.state == "active"


def test_a_payout_takes_two_people_and_pays_what_is_payable_once(books, invoice):
    with pytest.raises(NothingPayable):
        payout_propose(party=books.provider, user=books.checker, at=PAID_AT)
    pay(invoice, 10000)
    payout = payout_propose(party=books.stall.operator, user=books.checker, at=PAID_AT)
    assert payout.amount_minor == 7217 + 566
    assert sorted(PayoutLine.objects.values_list("amount_minor", flat=True)) == [566, 7217]
    with pytest.raises(PayoutOpen):
        payout_propose(party=books.stall.operator, user=books.checker, at=PAID_AT)
    with pytest.raises(SamePerson):
        payout_confirm(payout=payout, user=books.checker, bank_reference="B1", at=PAID_AT)
    assert payout_confirm(payout=payout, user=books.stall.user, bank_reference="B1", at=PAID_AT).state == "paid"
    assert balance_minor(path="clearing:bank") == 10000 - 7783 and balance_minor(path=f"payable:{books.stall.operator.uscc}") == 0
    with pytest.raises(PayoutNotProposed):
        payout_confirm(payout=payout, user=books.stall.user, bank_reference="B1", at=PAID_AT)
    with pytest.raises(NothingPayable):
        payout_propose(party=books.stall.operator, user=books.checker, at=PAID_AT)
    assert list(mismatches()) == []


def test_a_rejected_payout_leaves_everything_payable(books, invoice):
    pay(invoice, 10000)
    payout = payout_propose(party=books.provider, user=books.checker, at=PAID_AT)
    payout_reject(payout=payout, user=books.stall.user, reason="wrong account", at=PAID_AT)
    again = payout_propose(party=books.provider, user=books.checker, at=PAID_AT)
    assert again.amount_minor == payout.amount_minor == 1887 and again.number != payout.number
    assert list(mismatches()) == []


def test_trace_leads_from_a_payout_to_the_resource_and_from_a_receipt_to_the_line(books, invoice, capsys):
    resource = DataResource.objects.create(
        code="R-1",
        name="港口吞吐",
        provider=books.provider,
        data_class="traffic",
        grade=1,
        open_type="conditional",
        has_personal_data=False,
        has_security_impact=False,
        update_frequency="daily",
        created_at=PAID_AT,
    )
    books.stall.product.resources.add(resource)
    pay(invoice, 10000)
    payout = payout_propose(party=books.provider, user=books.checker, at=PAID_AT)
    call_command("trace", payout.number)
    printed = capsys.readouterr().out
    chain = [
        "payout",
        "share",
        "agreement",
        "invoice",
        "invoice line",
        "charge",
        "tariff",
        "usage events",
        "entitlement",
        "product",
    ]
    chain += ["release", "authorisation", "resource"]
    lines = [line.strip() for line in printed.splitlines()]
    assert len(lines) == len(chain) and all(line.startswith(f"{kind} ") for line, kind in zip(lines, chain, strict=True)), printed
    call_command("trace", str(UsageEvent.objects.get().id))
    assert f"invoice line {invoice.number}/1" in capsys.readouterr().out
    for identifier in (invoice.number, f"{invoice.number}/1", str(invoice.lines.get().id)):
        call_command("trace", identifier)
        assert "resource R-1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="nothing"):
        call_command("trace", "nothing")
    assert Payout.objects.count() == 1 and User.objects.exists()
