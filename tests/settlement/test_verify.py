"""verify: silent where all is well, and each table's damage is found with its row."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from settlement.billing.services import deposit_receive, invoice_pay
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, TIERS, Books, component, document, make_books, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> Books:
    """Two closed months with all there is: tiers, late use, a flat price, free use, a deposit, a part payment, a quota."""
    books = make_books()
    flat = component("base", "flat", period="month", price="310.00") | {"basis": "periods"}
    books.price(document(component(model="graduated", tiers=TIERS), flat))
    free = books.grant()
    books.stall.limit(free, 1000)
    deposit_receive(
        organisation=books.stall.buyer,
        operator=books.stall.operator,
        amount_minor=10000,
        order_number="O-1",
        channel="bank",
        key="deposit:O-1",
        at=moment("2026-10-01 10:00"),
    )
    books.use("9999", "2026-10-30 10:00", source="/operators/x", event_id="one")
    books.use("12", "2026-10-30 10:00", free)
    books.close()
    invoice_pay(invoice=books.invoice(), amount_minor=100000, channel="stripe", key="pay:1", at=moment("2026-11-10 10:00"))
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.use("1.5", "2026-11-07 10:00", free)
    books.close(NOVEMBER, "2026-12-04 09:00")
    return books


def found():
    return [str(mismatch) for _check, mismatch in mismatches()]


def corrupt(statement):
    """Change a row as a superuser may, past every trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount == 1, statement
        cursor.execute("SET session_replication_role = origin")


def test_verify_says_nothing_where_all_is_well(books):
    assert found() == []


def test_verify_agrees_on_an_empty_market(db):
    assert found() == []


FIRST = "(SELECT min(id) FROM {})"
DAMAGE = [
    ("settlement_usageevent", "units = '{\"calls\": \"9998\"}' WHERE event_id = 'one'", "settlement_charge"),
    ("settlement_usageevent", "purpose = 'welfare' WHERE event_id = 'one'", None),
    ("settlement_usageevent", "book_month = '2027-03-01' WHERE event_id = 'one'", None),
    ("settlement_usageevent", "event_id = 'other' WHERE event_id = 'one'", None),
    ("settlement_usageidentity", "digest = '\\x00' WHERE event_id = 'one'", None),
    ("settlement_quota", "used = used + 1", None),
    ("settlement_charge", "total = total + 1, net = net + 1 WHERE id = {first}", None),
    ("settlement_charge", "usage = jsonb_set(usage, '{{units,calls}}', '\"1\"') WHERE id = {first}", None),
    ("settlement_charge", "quote = jsonb_set(quote, '{{lines,0,payable}}', '\"1.00\"') WHERE id = {first}", None),
    ("settlement_invoiceline", "payable = payable + 1 WHERE id = {first}", None),
    ("settlement_invoiceline", "label = 'x' WHERE id = {first}", "settlement_billingmonth"),
    ("settlement_invoice", "total = total + 1, due = due + 1, net = net + 1 WHERE id = {first}", None),
    ("settlement_invoice", "due_date = due_date + 30 WHERE id = {first}", None),
    ("settlement_invoice", "paid = paid - 1 WHERE id = {first}", None),
    ("settlement_invoice", "state = 'paid' WHERE id = {first}", None),
    ("settlement_deposit", "amount_minor = amount_minor + 1", None),
    ("settlement_deposit", "drawn_minor = drawn_minor - 1", None),
    ("settlement_account", "kind = 'revenue' WHERE path LIKE 'vat:%'", None),
    ("settlement_ledgertransaction", "text = 'x' WHERE id = 2", None),
    ("settlement_ledgertransaction", "at = at + interval '1 second' WHERE id = 2", None),
    (
        "settlement_posting",
        "amount_minor = amount_minor + 1 WHERE transaction_id = 2 AND position = 1",
        "settlement_ledgertransaction 2",
    ),
    (
        "settlement_accountbalance",
        "in_minor = in_minor + 1 WHERE account_id = (SELECT min(account_id) FROM settlement_accountbalance)",
        None,
    ),
    ("settlement_share", "amount_minor = amount_minor + 1 WHERE id = {first}", None),
    ("settlement_share", "payable_minor = 0 WHERE id = {first}", None),
    ("settlement_settlement", "accrued_minor = accrued_minor + 1 WHERE id = {first}", None),
    ("settlement_billingmonth", "digest = repeat('0', 64) WHERE month = '2026-10-01'", None),
    ("products_auditentry", "reason = 'x' WHERE id = 1", None),
]
KEYS = {
    "settlement_usageevent": "SELECT id::text FROM settlement_usageevent WHERE source = '/operators/x'",
    "settlement_usageidentity": "SELECT source || ' ' || event_id FROM settlement_usageidentity",
    "settlement_invoice": "SELECT min(number) FROM settlement_invoice",
    "settlement_account": "SELECT min(id)::text FROM settlement_account WHERE path LIKE 'vat:%'",
    "settlement_accountbalance": "SELECT min(account_id)::text FROM settlement_accountbalance",
    "settlement_ledgertransaction": "SELECT '2'",
    "settlement_billingmonth": "SELECT '2026-10'",
    "products_auditentry": "SELECT '1'",
}


def one(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("table", "change", "shows"), DAMAGE, ids=[f"{t.split('_')[1]}-{c.split()[0]}" for t, c, _ in DAMAGE])
def test_a_damaged_row_is_named(books, table, change, shows):
    key = one(KEYS.get(table, f"SELECT min(id)::text FROM {table}"))
    first = FIRST.format(table)
    corrupt(f"UPDATE {table} SET {change.replace('{first}', first).replace('{{', '{').replace('}}', '}')}")
    assert any(line.startswith(shows or f"{table} {key}:") for line in found()), found()


@pytest.mark.parametrize(
    ("statement", "shows"),
    [
        ("DELETE FROM settlement_usageevent WHERE event_id = 'one'", "settlement_usageidentity /operators/x one:"),
        (
            "DELETE FROM settlement_ledgertransaction WHERE id = 2",
            "settlement_ledgertransaction 2: transactions 2 to 2 are missing",
        ),
        ("DELETE FROM settlement_posting WHERE transaction_id = 2 AND position = 1", "settlement_ledgertransaction 2: has"),
        (
            "DELETE FROM settlement_share WHERE id = (SELECT min(id) FROM settlement_share)",
            "settlement_share port-data-1-2026-000001 DA-1 1:",
        ),
        ("DELETE FROM settlement_settlement WHERE id = (SELECT min(id) FROM settlement_settlement)", "settlement_share "),
        ("DELETE FROM settlement_invoice WHERE sequence = 1", "settlement_invoice port-data-1-2026-000002: comes after a gap"),
        ("DELETE FROM settlement_charge WHERE free_value > 1 AND month_id = '2026-10-01'", "settlement_entitlement "),
        ("DELETE FROM settlement_usageidentity", "settlement_usageevent "),
        ("DELETE FROM products_auditentry WHERE id = 1", "products_auditentry 1:"),
    ],
)
def test_a_removed_row_is_missed(books, statement, shows):
    corrupt(statement)
    assert any(line.startswith(shows) for line in found()), found()


def test_the_command_exits_with_one_and_prints_the_row(books):
    out = StringIO()
    call_command("verify", stdout=out)
    assert out.getvalue().endswith("nothing wrong\n")
    corrupt("UPDATE settlement_settlement SET accrued_minor = 1 WHERE id = (SELECT min(id) FROM settlement_settlement)")
    with pytest.raises(SystemExit) as ended:
        call_command("verify", stdout=out)
    assert ended.value.code == 1 and "statements: settlement_settlement" in out.getvalue()


def test_verify_shares_no_code_with_the_close():
    from pathlib import Path

    for path in Path("settlement/verify").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for package in ("billing", "ledger", "shares", "metering", "sql"):
            assert f"settlement.{package} " not in text and f"from settlement.{package}." not in text, path
