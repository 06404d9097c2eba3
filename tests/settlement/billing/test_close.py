"""The close: what is charged, billed, drawn, divided and posted, with its amounts; what it refuses; twice the same."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from products.models import AuditEntry, Membership, Notice
from settlement.billing.models import BillingMonth, Charge, Invoice, InvoiceLine
from settlement.billing.services import (
    EarlierMonthOpen,
    MonthChanged,
    MonthInGrace,
    MonthNotOver,
    deposit_receive,
)
from settlement.billing.usage import TariffMissing, UsageNotInTariff
from settlement.ledger.models import LedgerTransaction
from settlement.ledger.selectors import balance_minor, balances
from settlement.metering.reported import MOST_UNITS
from settlement.shares.models import DistributionAgreement, Settlement, Share
from settlement.shares.services import AgreementMissing
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, OCTOBER, TIERS, component, document, moment

pytestmark = pytest.mark.django_db


def check_now():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_largest_use_that_is_taken_stops_nobodys_close(books):
    """Its sum in millionths is more than 64 bits hold."""
    books.price(document(component(unit_price="0.01", counts_over="year")))
    for hour in range(10, 20):
        books.use(str(MOST_UNITS), f"2026-09-30 {hour}:00")
        books.use(str(MOST_UNITS), f"2026-10-02 {hour}:00")
    for month, at in ((date(2026, 9, 1), "2026-10-04 09:00"), (OCTOBER, "2026-11-04 09:00")):
        books.close(month, at)
        assert books.invoice(month).total == MOST_UNITS * 10 / 100
    check_now()
    assert not list(mismatches())


def test_a_month_of_calls_becomes_one_invoice_with_its_tax(books):
    books.price(document(component(model="graduated", tiers=TIERS)))
    books.use("10000", "2026-10-02 09:00")
    books.use("1", "2026-10-31 23:59")
    closed = books.close()
    check_now()
    invoice = books.invoice()
    assert (invoice.total, invoice.net, invoice.vat) == (Decimal("5000.30"), Decimal("4717.26"), Decimal("283.04"))
    assert invoice.number == f"{books.stall.operator.slug}-2026-000001" and invoice.state == "issued"
    assert (invoice.due, invoice.due_date) == (invoice.total, date(2026, 11, 19))
    (line,) = invoice.lines.all()
    assert (line.units, line.payable, line.net, line.vat) == (10001, invoice.total, invoice.net, invoice.vat)
    assert (closed.charges, closed.invoices, closed.month.state, closed.month.is_forced) == (1, 1, "closed", False)
    assert Charge.objects.get().quote["lines"][0]["payable"] == "5000.30"


def test_the_books_follow_the_invoice_to_the_fen(books):
    books.use("200")
    books.close()
    operator, buyer = books.stall.operator.uscc, books.stall.buyer.uscc
    assert balance_minor(path=f"receivable:{buyer}:{operator}") == 10000
    assert balance_minor(path=f"revenue:{operator}") == 0, "all revenue has an owner"
    assert balance_minor(path=f"vat:{operator}") == 566
    assert dict(balances(kind="share")) == {
        f"share:{books.provider.uscc}:{operator}": 1887,
        f"share:{books.platform.uscc}:{operator}": 330,
        f"share:{operator}:{operator}": 7217,
    }
    shares = list(Share.objects.order_by("position").values_list("role", "base_minor", "amount_minor", "payable_minor"))
    assert shares == [("provider", 9434, 1887, 0), ("platform", 9434, 330, 0), ("operator", 9434, 7217, 0)]
    assert {s.party_id: s.accrued_minor for s in Settlement.objects.all()}[books.provider.id] == 1887


def test_deposits_are_drawn_oldest_first_and_make_shares_payable(books):
    for key, amount in (("one", 3000), ("two", 9000)):
        deposit_receive(
            organisation=books.stall.buyer,
            operator=books.stall.operator,
            amount_minor=amount,
            order_number=key,
            channel="bank",
            key=key,
            at=moment("2026-10-01 10:00"),
        )
    books.use("200")
    books.close()
    invoice = books.invoice()
    assert (invoice.drawn_from_deposit, invoice.due, invoice.state) == (Decimal("100.00"), Decimal(0), "paid")
    assert list(books.stall.buyer.deposits.order_by("id").values_list("drawn_minor", flat=True)) == [3000, 7000]
    operator = books.stall.operator.uscc
    assert balance_minor(path=f"deposit:{books.stall.buyer.uscc}:{operator}") == 2000
    assert balance_minor(path=f"receivable:{books.stall.buyer.uscc}:{operator}") == 0
    assert balance_minor(path=f"payable:{books.provider.uscc}") == 1887
    assert balance_minor(path=f"payable:{operator}") == 7217 + 566, "its share and its VAT"
    assert all(share.payable_minor == share.amount_minor for share in Share.objects.all())
    assert balance_minor(path="clearing:bank") == 12000


def test_a_month_is_cut_where_the_tariff_changes_and_counters_go_on(books):
    graduated = [{"up_to": "100", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.30"}]
    cheaper = [{"up_to": "100", "unit_price": "0.40"}, {"up_to": None, "unit_price": "0.20"}]
    books.price(document(component(model="graduated", tiers=graduated)))
    books.price(document(component(model="graduated", tiers=cheaper)), from_date=date(2026, 10, 15))
    books.use("80", "2026-10-14 23:59")
    books.use("50", "2026-10-15 00:00")
    books.close()
    first, second = Charge.objects.order_by("from_date")
    assert (first.total, first.to_date) == (Decimal("40.00"), date(2026, 10, 15))
    assert second.usage["before"] == {"calls": "80"} and second.total == Decimal("14.00"), "20 × 0.40 + 30 × 0.20"
    assert books.invoice().total == Decimal("54.00") and books.invoice().lines.count() == 2


def test_flat_components_are_charged_without_any_call(books):
    flat = component("base", "flat", period="month", price="3000.00") | {"basis": "periods"}
    plan = books.plan("base", document(flat))
    books.sell(plan=plan, valid_from=moment("2026-10-15 08:30"), anchor_date=date(2026, 10, 15))
    books.close()
    line = InvoiceLine.objects.get()
    assert (line.units, line.payable) == (17, Decimal("1645.16")), "17 of 31 days"


def test_a_minimum_holds_for_the_month_even_when_the_tariff_changes_in_it(books):
    books.price(document(component(), minimum="100.00"))
    books.price(document(component(unit_price="0.40"), minimum="100.00"), from_date=date(2026, 10, 15))
    books.use("10", "2026-10-02 12:00")
    books.use("10", "2026-10-20 12:00")
    books.close()
    assert books.invoice().total == Decimal("100.00")


def test_an_idle_postpaid_plan_gets_no_bill(books):
    assert books.close().invoices == 0 and not Invoice.objects.exists()


def test_late_use_is_billed_next_month_with_the_counters_of_its_own(books):
    books.price(document(component(model="graduated", tiers=TIERS)))
    books.use("9999", "2026-10-30 10:00")
    books.close()
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.use("5", "2026-11-06 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    late, current = books.invoice(NOVEMBER).lines.order_by("charge__service_month")
    assert (late.charge.service_month, late.units, late.payable) == (OCTOBER, 2, Decimal("0.80")), "0.50 + 0.30"
    assert late.charge.usage["billed"]["units"] == {"calls": "9999"} and late.charge.usage["all"]["units"] == {"calls": "10001"}
    assert (current.units, current.payable) == (5, Decimal("2.50"))
    assert books.invoice(OCTOBER).total == Decimal("4999.50"), "the closed month is as it was"


def test_late_use_pays_no_flat_price_again(books):
    flat = component("base", "flat", period="month", price="3000.00") | {"basis": "periods"}
    books.price(document(flat, component()))
    books.close()
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    late = Charge.objects.get(month=NOVEMBER, service_month=OCTOBER)
    assert late.total == Decimal("1.00") and [line["component"] for line in late.quote["lines"]] == ["calls"]


def test_a_yearly_counter_goes_on_over_months_and_starts_again_at_the_anniversary(books):
    yearly = component(
        model="graduated",
        counts_over="year",
        tiers=[{"up_to": "10", "unit_price": "1.00"}, {"up_to": None, "unit_price": "0.10"}],
    )
    books.price(document(yearly))
    holder = books.sell(anchor_date=date(2025, 11, 15))
    books.use("8", "2026-10-05 12:00", holder)
    books.use("8", "2026-11-05 12:00", holder)
    books.use("8", "2026-11-20 12:00", holder)
    books.close()
    books.close(NOVEMBER, "2026-12-04 09:00")
    october, before, after = Charge.objects.filter(entitlement=holder).order_by("from_date")
    assert october.total == Decimal("8.00")
    assert before.usage["before"] == {"calls": "8"} and before.total == Decimal("2.60")
    assert (after.from_date, after.usage["before"], after.total) == (date(2026, 11, 15), {}, Decimal("8.00"))


def test_discounts_and_uncollected_components_stand_on_the_invoice(books):
    storage = component("storage", unit_price="1.20", unit="GB", collected=False) | {"basis": "bytes"}
    books.price(document(component(), storage, discounts=[{"reason": "key_scenario", "percent": "30", "components": ["calls"]}]))
    holder = books.sell(discounts=["key_scenario"])
    books.use({"calls": "10", "storage": "2.5"}, "2026-10-05 12:00", holder)
    books.close()
    calls, stored = books.invoice().lines.order_by("position")
    assert (calls.gross, calls.discount, calls.payable) == (Decimal("5.00"), Decimal("1.50"), Decimal("3.50"))
    assert (stored.gross, stored.payable, stored.units) == (Decimal("3.00"), Decimal("0.00"), Decimal("2.5"))


def test_net_and_vat_are_divided_over_lines_without_losing_a_fen(books):
    books.price(
        document(component("a", unit_price="33.33"), component("b", unit_price="33.33"), component("c", unit_price="33.33"))
    )
    books.use({"a": "1", "b": "1", "c": "1"})
    books.close()
    invoice = books.invoice()
    assert (invoice.total, invoice.net, invoice.vat) == (Decimal("99.99"), Decimal("94.33"), Decimal("5.66"))
    lines = list(invoice.lines.all())
    assert sum(line.net for line in lines) == invoice.net and all(line.net + line.vat == line.payable for line in lines)


def test_free_use_is_valued_in_memo_accounts_and_never_billed(books):
    holder = books.grant()
    books.use("40", "2026-10-05 12:00", holder)
    books.close()
    charge = Charge.objects.get()
    assert (charge.total, charge.free_value, charge.invoice) == (Decimal(0), Decimal("20.00"), None)
    assert not Invoice.objects.exists() and balances(kind="revenue") == []
    assert balance_minor(path=f"memo:{books.stall.buyer.uscc}:received:{books.stall.operator.uscc}") == 2000


def test_free_use_is_valued_by_the_dearest_plan_on_sale(books):
    books.plan("dear", document(component(unit_price="0.80")))
    closed_plan = books.plan("closed", document(component(unit_price="9.00")))
    closed_plan.state = "closed"
    closed_plan.save()
    books.use("10", "2026-10-05 12:00", books.grant())
    books.close()
    assert Charge.objects.get().free_value == Decimal("8.00")


def test_free_use_of_a_product_without_a_price_is_counted_at_zero(books):
    books.stall.plan.tariffs.update(state="withdrawn")
    books.use("10", "2026-10-05 12:00", books.grant())
    books.close()
    charge = Charge.objects.get()
    assert (charge.tariff, charge.free_value, charge.quote["lines"][0]["units"]) == (None, 0, "10")


def test_one_invoice_per_buyer_numbered_without_gaps(books):
    other = books.sell(buyer=books.provider)
    books.use("1")
    books.use("3", "2026-10-05 12:00", books.sell())
    books.use("2", "2026-10-05 12:00", other)
    books.close()
    books.use("2", "2026-11-05 12:00", other)
    books.close(NOVEMBER, "2026-12-04 09:00")
    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3]
    assert books.invoice().lines.count() == 2


def test_closing_again_checks_and_changes_nothing(books):
    books.use("7")
    first = books.close()
    again = books.close(at="2026-12-01 09:00", force=True)
    assert (again.month.digest, again.is_new, again.charges) == (first.month.digest, False, 1)
    assert LedgerTransaction.objects.count() == 1 and AuditEntry.objects.filter(action="month.closed").count() == 1


def test_the_same_history_gives_the_same_digest_again(books):
    books.use("7")
    books.use("3", "2026-10-06 12:00", books.grant())
    digests = set()
    for _run in range(2):
        point = transaction.savepoint()
        digests.add(books.close().month.digest)
        transaction.savepoint_rollback(point)  # ids of the second run are others
    assert len(digests) == 1


def test_a_closed_month_that_was_changed_is_told(books):
    books.use("7")
    books.close()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_invoiceline SET payable = payable + 1")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(MonthChanged):
        books.close()


def test_a_month_that_is_not_over_never_closes(books):
    with pytest.raises(MonthNotOver):
        books.close(at="2026-10-31 23:59", force=True)


def test_days_of_grace_are_waited_for_unless_forced(books):
    with pytest.raises(MonthInGrace):
        books.close(at="2026-11-03 23:59")
    assert books.close(at="2026-11-03 23:59", force=True).month.is_forced


def test_force_on_a_day_that_needs_none_is_not_called_forced(books):
    assert not books.close(force=True).month.is_forced


def test_months_close_in_order(books):
    BillingMonth.objects.create(month=date(2026, 9, 1))
    with pytest.raises(EarlierMonthOpen, match="2026-09"):
        books.close()


def test_usage_on_a_day_without_a_tariff_is_named(books):
    books.price(document(component()), from_date=date(2026, 10, 15))
    books.stall.plan.tariffs.filter(version=1).update(state="withdrawn")
    books.use("1", "2026-10-14 12:00")
    with pytest.raises(TariffMissing, match=books.stall.entitlement.code):
        books.close()


def test_calls_are_covered_by_a_plan_that_prices_time_only(books):
    books.price(document(component(code="base", model="flat", basis="periods", period="month", price="100.00")))
    books.use("3")
    books.close()
    check_now()
    assert books.invoice().total == Decimal("100.00")
    assert list(mismatches()) == []


def test_usage_that_the_tariff_does_not_price_is_named(books):
    books.use({"pages": "1"})
    with pytest.raises(UsageNotInTariff, match="pages"):
        books.close()


def test_revenue_that_nobody_owns_is_refused(books):
    DistributionAgreement.objects.all().delete()
    books.use()
    with pytest.raises(AgreementMissing):
        books.close()
    assert not Charge.objects.exists()


def test_buyers_are_told_of_their_invoices(books):
    Membership.objects.create(
        user=books.checker, organisation=books.stall.buyer, roles=["finance"], created_at=moment("2026-01-01 00:00")
    )
    books.use("2")
    books.close()
    notice = Notice.objects.get()
    assert notice.kind == "invoice_issued" and notice.facts["total"] == "1.00" and books.invoice().number in notice.url


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_invoice SET total = total + 1, due = due + 1, net = net + 1",
        "DELETE FROM settlement_invoice",
        "UPDATE settlement_invoiceline SET label = 'x'",
        "UPDATE settlement_charge SET free_value = 1",
        "UPDATE settlement_share SET amount_minor = amount_minor + 1",
        "UPDATE settlement_settlement SET accrued_minor = 0",
        "UPDATE settlement_billingmonth SET state = 'open'",
        'INSERT INTO settlement_charge SELECT (jsonb_populate_record(c, \'{"id": 99999, "from_date": "2026-10-02"}\')).* FROM settlement_charge c',
    ],
)
def test_what_was_closed_cannot_be_changed(books, statement):
    books.use("2")
    books.close()
    check_now()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_command_closes_and_says_so(books, clock, capsys):
    books.use("2")
    clock.move_to(moment("2026-11-04 09:00"))
    call_command("close_period", "2026-10")
    printed = capsys.readouterr().out
    assert "charges 1, invoices 1" in printed and BillingMonth.objects.get().digest in printed
    with pytest.raises(CommandError, match="month-not-over"):
        call_command("close_period", "2026-11")
    with pytest.raises(CommandError, match="a month such as"):
        call_command("close_period", "november")
