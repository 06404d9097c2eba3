"""Whose revenue is what no agreement divides: a merchant keeps the whole, anything else is not sold (decision 0042)."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from products.organisations.models import User
from settlement.billing.models import Invoice
from settlement.billing.selectors import statement_lines
from settlement.billing.services import invoice_pay
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_open
from settlement.ledger.models import Account
from settlement.shares.models import DistributionAgreement, Settlement, Share
from settlement.shares.payouts import payout_confirm, payout_propose
from settlement.shares.services import SaleWithoutAgreement, sale_check
from settlement.trace import trace
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, OCTOBER, START, Books, make_books, merchant_right, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(db) -> Books:
    return make_books()


@pytest.fixture
def right(books) -> Entitlement:
    """106 calls of the operator's product, 1 060 of the merchant's, in one closed month."""
    right = merchant_right(books)
    books.use("106")
    books.use("1060", entitlement=right)
    books.close()
    return right


def found() -> list[str]:
    return [str(mismatch) for _check, mismatch in mismatches()]


def test_a_merchants_product_without_an_agreement_does_not_stop_the_close_and_all_is_its_sellers(books, right):
    assert Invoice.objects.count() == 2
    (own,) = Share.objects.filter(agreement=None)
    assert (own.party, own.role, own.of_product, own.label) == (right.operator, "operator", right.product, "own:shipping-risk-7")
    assert (own.base_minor, own.amount_minor, own.payable_minor) == (500_00, 500_00, 0)  # 530.00 with 6 % VAT inside
    assert Share.objects.filter(agreement=books.agreement).count() == 3  # the operator's own product is divided as ever
    assert not Share.objects.filter(invoice__operator=books.stall.operator, agreement=None).exists()
    assert found() == []


def test_the_seller_is_paid_out_as_its_buyer_pays_and_the_trace_says_what_for(books, right):
    (invoice,) = Invoice.objects.filter(operator=right.operator)
    invoice_pay(invoice=invoice, amount_minor=100_00, channel="bank", key="pay:1", at=moment("2026-11-10 10:00"))
    assert Share.objects.get(agreement=None).payable_minor == 94_33  # 500.00 × 100/530, rounded down
    invoice_pay(invoice=invoice, amount_minor=430_00, channel="bank", key="pay:2", at=moment("2026-11-11 10:00"))
    assert Share.objects.get(agreement=None).payable_minor == 500_00 and found() == []
    other = User.objects.create(email="cashier@platform.example", name="Cashier")
    payout = payout_propose(party=right.operator, user=books.stall.user, at=moment("2026-11-12 10:00"))
    payout_confirm(payout=payout, user=other, bank_reference="B-1", at=moment("2026-11-12 11:00"))
    assert payout.amount_minor == 530_00  # with the VAT, which is its own to hand on
    link = trace(payout.number)
    assert [below.kind for below in link.below[0].below] == ["the seller's own", "invoice"]
    assert found() == [] and Account.objects.get(path=f"payable:{right.operator.uscc}")


def test_the_statement_of_a_merchant_names_its_product(right):
    settlement = Settlement.objects.get(party=right.operator)
    assert settlement.accrued_minor == 500_00
    assert [line.of_product for line in statement_lines(settlement=settlement)] == [right.product]


def test_verify_finds_a_sellers_own_share_that_is_not_the_whole(right):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_share SET base_minor = 49999, amount_minor = 49999 WHERE agreement_id IS NULL")
        cursor.execute("SET session_replication_role = origin")
    assert any(line.startswith("settlement_share") for line in found())


def test_a_share_is_by_an_agreement_or_the_whole_and_the_database_holds_to_it(books, right):
    (own,) = Share.objects.filter(agreement=None)
    wrong = {"invoice": own.invoice, "party": own.party, "role": "operator", "position": 2, "base_minor": 10, "amount_minor": 5}
    with pytest.raises(IntegrityError, match="share_by_agreement_or_whole"), transaction.atomic():
        Share.objects.create(product=own.product, **wrong)
    with pytest.raises(IntegrityError, match="share_once"), transaction.atomic():
        Share.objects.create(product=own.product, **wrong | {"position": 1, "base_minor": 5})


def test_a_merchant_may_share_by_an_agreement_and_keeps_the_whole_after_its_end(books):
    right = merchant_right(books)
    DistributionAgreement.objects.create(
        number="M-1",
        product=right.product,
        period=DateRange(date(2026, 1, 1), NOVEMBER),
        parts=[
            {"organisation": books.stall.operator.pk, "role": "licensor", "percent": "10.00"},
            {"organisation": right.operator.pk, "role": "operator", "rest": True},
        ],
        proposed_by=books.stall.user,
        approved_by=books.checker,
        created_at=START,
    )
    books.use("1060", entitlement=right)
    books.close(OCTOBER)
    books.use("106", "2026-11-05 12:00", entitlement=right)
    books.close(NOVEMBER, "2026-12-04 09:00")
    shares = Share.objects.filter(invoice__operator=right.operator).order_by("invoice", "position")
    assert [(share.label, share.amount_minor) for share in shares] == [
        ("M-1", 50_00),
        ("M-1", 450_00),
        ("own:shipping-risk-7", 50_00),
    ]
    assert found() == []


def open_right(books: Books, **changes) -> Entitlement:
    facts = {
        "organisation": books.stall.buyer,
        "product": books.stall.product,
        "plan": books.stall.plan,
        "purposes": ["industry.finance"],
        "scenario": "port",
        "valid_from": START,
        "valid_to": datetime.fromisoformat("2027-10-20T00:00:00+08:00"),
        "at": START,
    }
    return entitlement_open(**facts | changes)


def test_a_guided_product_without_an_agreement_is_not_sold_and_says_so(books):
    DistributionAgreement.objects.all().delete()
    held = Entitlement.objects.count()
    with pytest.raises(SaleWithoutAgreement, match="port-index-1") as refused:
        open_right(books)
    assert refused.value.code == "sale-without-agreement" and "2026-10-20" in str(refused.value)
    assert Entitlement.objects.count() == held


def test_an_agreement_must_hold_for_the_whole_term_without_a_gap(books):
    product = books.stall.product
    DistributionAgreement.objects.all().delete()

    def agree(number: str, start: date, end: date | None) -> None:
        DistributionAgreement.objects.create(
            number=number,
            product=product,
            period=DateRange(start, end),
            parts=books.agreement.parts,
            proposed_by=books.stall.user,
            approved_by=books.checker,
            created_at=START,
        )

    agree("A", date(2026, 1, 1), date(2027, 1, 1))
    with pytest.raises(SaleWithoutAgreement, match="2027-01-01"):
        open_right(books)
    agree("C", date(2027, 2, 1), None)
    with pytest.raises(SaleWithoutAgreement, match="2027-01-01"):
        open_right(books)
    agree("B", date(2027, 1, 1), date(2027, 2, 1))
    assert open_right(books).product == product
    sale_check(product=product, from_date=date(2026, 1, 1), to_date=date(2027, 1, 1))
    with pytest.raises(SaleWithoutAgreement, match="2025-12-31"):
        sale_check(product=product, from_date=date(2025, 12, 31), to_date=date(2026, 1, 1))


def test_a_merchants_product_is_sold_without_an_agreement_and_free_use_needs_none(books):
    right = merchant_right(books)
    assert open_right(books, product=right.product, plan=right.plan).operator == right.operator
    grant = books.grant().grant
    DistributionAgreement.objects.all().delete()
    facts = {"plan": None, "grant": grant, "purposes": ["welfare.education"]}
    Entitlement.objects.filter(grant=grant).delete()
    assert open_right(books, **facts).is_free
