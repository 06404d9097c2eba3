"""Posting, refusals, balances, the chain: on PostgreSQL, deferred checks included."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from settlement.ledger import rules
from settlement.ledger.models import Account, AccountBalance, LedgerTransaction, Posting
from settlement.ledger.selectors import balance_minor, balances, postings_of
from settlement.ledger.services import (
    AccountOverdrawn,
    AlreadyReversed,
    Entry,
    FlowForbidden,
    KeyUsedDifferently,
    PostingInvalid,
    post,
    post_many,
    reverse,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 4, 2, 0, tzinfo=UTC)
BANK, DEPOSIT, RECEIVABLE, REVENUE, VAT = "clearing:bank", "deposit:b:o", "receivable:b:o", "revenue:o", "vat:o"


def receive(amount=1000, key="deposit:1", **changes):
    wanted = {"key": key, "cause": ("deposit", "1"), "text": "Deposit", "postings": [(BANK, DEPOSIT, amount)], "at": AT}
    return post(**(wanted | changes))


def check_now():
    """Run what waits for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_posting_moves_money_and_shows_on_both_accounts():
    booked = receive(1000)
    check_now()
    assert booked.id == 1 and booked.posting_count == 1
    assert balance_minor(path=BANK) == 1000, "custody shows what it holds"
    assert balance_minor(path=DEPOSIT) == 1000
    assert balance_minor(path="deposit:nobody:o") == 0
    assert dict(balances(kind="deposit")) == {DEPOSIT: 1000}
    assert [p.amount_minor for p in postings_of(path=DEPOSIT)] == [1000]


def test_the_same_key_with_the_same_content_posts_once():
    assert receive().id == receive(at=datetime(2026, 12, 1, tzinfo=UTC)).id
    assert LedgerTransaction.objects.count() == 1 and balance_minor(path=DEPOSIT) == 1000


@pytest.mark.parametrize(
    "change",
    [{"amount": 999}, {"cause": ("deposit", "2")}, {"text": "Other"}, {"postings": [(BANK, "deposit:c:o", 1000)]}],
)
def test_the_same_key_with_other_content_is_refused(change):
    receive()
    with pytest.raises(KeyUsedDifferently):
        receive(**change)


@pytest.mark.parametrize("amount", [0, -1, True, 1.5])
def test_a_posting_needs_a_positive_whole_amount(amount):
    with pytest.raises(PostingInvalid):
        receive(postings=[(BANK, DEPOSIT, amount)])


def test_an_empty_transaction_and_a_circle_are_refused():
    with pytest.raises(PostingInvalid):
        receive(postings=[])
    with pytest.raises(PostingInvalid):
        receive(postings=[("memo:a", "memo:a", 1)])


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        (DEPOSIT, REVENUE),
        (BANK, REVENUE),
        (REVENUE, "payable:o"),
        ("memo:given:o", REVENUE),
        (DEPOSIT, BANK),
        ("gold:o", BANK),
        (BANK, "gold:o"),
    ],
)
def test_money_flows_only_where_the_rules_say(source, destination):
    with pytest.raises(FlowForbidden):
        receive(postings=[(source, destination, 5)])
    assert not Account.objects.exists()


def test_every_kind_of_the_rules_is_a_kind_of_the_table():
    assert set(rules.KINDS) == set(Account.Kind.values) == set(rules.MAY_PAY)


def test_an_account_is_never_overdrawn():
    receive(1000)
    with pytest.raises(AccountOverdrawn) as refused:
        post(key="draw", cause=("invoice", "1"), text="Draw", postings=[(DEPOSIT, RECEIVABLE, 1001)], at=AT)
    assert refused.value.facts["reason"] == "account deposit:b:o would be overdrawn"
    assert balance_minor(path=DEPOSIT) == 1000


def test_custody_never_pays_out_more_than_it_holds():
    receive(1000)
    sold = [(RECEIVABLE, REVENUE, 900), (DEPOSIT, RECEIVABLE, 900), (REVENUE, "share:o:o", 900), ("share:o:o", "payable:o", 900)]
    post(key="invoice", cause=("invoice", "1"), text="Invoice", postings=sold, at=AT)
    post(key="payout", cause=("payout", "1"), text="Payout", postings=[("payable:o", BANK, 900)], at=AT)
    assert balance_minor(path=BANK) == 100 and balance_minor(path="payable:o") == 0
    with pytest.raises(AccountOverdrawn):
        post(key="again", cause=("payout", "1"), text="Payout", postings=[("payable:o", BANK, 1)], at=AT)


def test_a_reversal_turns_the_postings_round_once():
    booked = receive(700)
    back = reverse(key="back", of=booked, cause=("deposit", "1"), text="Returned", at=AT)
    assert back.reverses_id == booked.id and balance_minor(path=DEPOSIT) == balance_minor(path=BANK) == 0
    assert reverse(key="back", of=booked, cause=("deposit", "1"), text="Returned", at=AT).id == back.id
    with pytest.raises(AlreadyReversed):
        reverse(key="back again", of=booked, cause=("deposit", "1"), text="Returned", at=AT)


def test_transactions_are_numbered_without_gaps_and_chained():
    receive(key="a")
    with pytest.raises(AccountOverdrawn):
        post(key="bad", cause=("x", "1"), text="", postings=[(DEPOSIT, RECEIVABLE, 10**6)], at=AT)
    receive(key="b")
    first, second = LedgerTransaction.objects.order_by("id")
    assert (first.id, second.id) == (1, 2)
    assert first.previous_hash == rules.GENESIS and second.previous_hash == first.hash
    assert second.hash == rules.chain_hash(first.hash, 2, "b", second.input_digest, AT)


def test_a_batch_is_posted_whole_or_not_at_all():
    entries = [Entry(f"k{n}", ("deposit", str(n)), "Deposit", [(BANK, f"deposit:{n}:o", n + 1)], AT) for n in range(50)]
    numbers = post_many(entries=[*entries, entries[3]])
    assert numbers == [*range(1, 51), 4]
    bad = Entry("last", ("deposit", "x"), "", [("deposit:0:o", RECEIVABLE, 99)], AT)
    with pytest.raises(AccountOverdrawn):
        post_many(entries=[Entry("more", ("deposit", "y"), "", [(BANK, DEPOSIT, 5)], AT), bad])
    assert LedgerTransaction.objects.count() == 50 and balance_minor(path=DEPOSIT) == 0


def test_the_database_refuses_a_transaction_without_its_postings():
    with pytest.raises(IntegrityError, match="does not have its 1 postings"), transaction.atomic():
        LedgerTransaction.objects.create(
            id=1,
            key="x",
            input_digest="",
            at=AT,
            cause_type="x",
            cause_id="x",
            text="",
            posting_count=1,
            previous_hash="",
            hash="x",
        )
        check_now()


def test_the_database_refuses_to_add_a_posting_later():
    booked = receive()
    source, destination = Account.objects.get(path=BANK), Account.objects.get(path=DEPOSIT)
    with pytest.raises(IntegrityError, match="has all its postings"), transaction.atomic():
        Posting.objects.create(transaction=booked, position=2, source=source, destination=destination, amount_minor=1)


def test_the_database_refuses_two_currencies_in_one_transaction():
    receive()
    Account.objects.filter(path=DEPOSIT).update(currency="USD")
    with pytest.raises(IntegrityError, match="mixes currencies"), transaction.atomic():
        receive(key="other")


@pytest.mark.parametrize("table", [LedgerTransaction, Posting])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = 9", "TRUNCATE {} CASCADE"])
def test_rows_of_the_books_are_never_changed_or_removed(table, statement):
    receive()
    check_now()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table._meta.db_table))


def test_reading_a_balance_reads_one_row(django_assert_num_queries):
    receive()
    with django_assert_num_queries(1):
        balance_minor(path=DEPOSIT)
    assert AccountBalance.objects.count() == 2
