"""Writes of billing: close a month, receive a deposit, receive a payment, mark what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from pricing.rules.exact import yuan
from products.organisations.models import Organisation, User
from products.record import audit, notices
from products.record.clock import business_date, day_start
from products.record.refusals import Refused
from settlement.billing import close, rules
from settlement.billing.models import BillingMonth, Deposit, Invoice
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_mark_overdue, entitlement_resume
from settlement.ledger.models import LedgerTransaction
from settlement.ledger.services import Entry, KeyUsedDifferently, post, post_many
from settlement.shares import services as shares
from settlement.shares.models import Share
from settlement.sql import query

CHANNELS = ("stripe", "bank")
READERS = ("owner", "buyer", "finance")

notices.define(
    "invoice_issued",
    subject=_("Invoice %(number)s"),
    text=_(
        "%(operator)s has issued invoice %(number)s for %(month)s: %(total)s yuan, of which %(due)s yuan are due by %(due_date)s."
    ),
)
notices.define(
    "invoice_overdue",
    subject=_("Invoice %(number)s is overdue"),
    text=_("Invoice %(number)s was due on %(due_date)s; %(open)s yuan are open. Calls are answered with 402 until it is paid."),
)


class MonthNotOver(Refused):
    code = "month-not-over"


class MonthInGrace(Refused):
    """The month is over, but late usage may still come; force closes it all the same."""

    code = "month-in-grace"


class EarlierMonthOpen(Refused):
    code = "earlier-month-open"


class CloseNotConfirmed(Refused):
    """A person asked for a close and did not confirm it."""

    code = "close-not-confirmed"


class MonthChanged(Refused):
    """A closed month no longer has the content that was closed."""

    code = "month-changed"


class NegativeInvoice(Refused):
    code = "negative-invoice"


class AmountInvalid(Refused):
    code = "amount-invalid"


class InvoiceOverpaid(Refused):
    code = "invoice-overpaid"


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed month with its counts; ``is_new`` is False where it had been closed before."""

    month: BillingMonth
    charges: int
    invoices: int
    is_new: bool


@transaction.atomic
def close_month(*, month: date, at: datetime, force: bool = False, actor: User | None = None) -> Closed:
    """Rate, bill, draw, split and post a month, all in one transaction: after a kill there is nothing, or all of it.

    Closing a closed month checks its digest and changes nothing. ``force`` skips the days of grace, and the month says so.
    Raises MonthNotOver, EarlierMonthOpen, MonthInGrace, MonthChanged; TariffMissing, UsageNotInTariff, AgreementMissing name
    what keeps the month from closing.
    """
    row = _take(month.replace(day=1))
    if row.state == BillingMonth.State.CLOSED:
        return _check_closed(row)
    _check_may_close(row, at, force)
    is_forced = at < day_start(rules.graceful_from(row.month))
    invoices = close.run(month=row, at=at)
    digest, charges, bills = month_digest(row.month)
    BillingMonth.objects.filter(month=row.month).update(
        state=BillingMonth.State.CLOSED, closed_at=at, is_forced=is_forced, digest=digest
    )
    row.refresh_from_db()
    facts = {"charges": charges, "invoices": bills, "digest": digest, "forced": is_forced}
    audit.record(action="month.closed", obj=("month", f"{row.month:%Y-%m}"), actor=actor, at=at, facts=facts)
    for invoice in invoices:
        _tell_issued(invoice, at)
    return Closed(row, charges, bills, is_new=True)


def month_digest(month: date) -> tuple[str, int, int]:
    """(digest, charges, invoices) of a month as the tables hold it now."""
    with connection.cursor() as cursor:
        cursor.execute(query("month_digest"), {"month": month})
        return cursor.fetchone()


def _take(month: date) -> BillingMonth:
    """The month's row, taken from recorders and other closes until the commit; no month is opened meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE settlement_billingmonth IN SHARE ROW EXCLUSIVE MODE")
    BillingMonth.objects.get_or_create(month=month)
    return BillingMonth.objects.select_for_update().get(month=month)


def _check_may_close(row: BillingMonth, at: datetime, force: bool) -> None:
    if at < day_start(rules.next_month(row.month)):
        raise MonthNotOver(_("%(month)s is not over.") % {"month": f"{row.month:%Y-%m}"})
    earlier = BillingMonth.objects.filter(month__lt=row.month, state=BillingMonth.State.OPEN).order_by("month").first()
    if earlier is not None:
        raise EarlierMonthOpen(_("%(month)s comes first: it is still open.") % {"month": f"{earlier.month:%Y-%m}"})
    if at < day_start(rules.graceful_from(row.month)) and not force:
        raise MonthInGrace(
            _("Usage of %(month)s may still come in until %(day)s; close it from then on, or by force.")
            % {"month": f"{row.month:%Y-%m}", "day": rules.graceful_from(row.month).isoformat()}
        )


def _check_closed(row: BillingMonth) -> Closed:
    digest, charges, invoices = month_digest(row.month)
    if digest != row.digest:
        raise MonthChanged(
            _("%(month)s was closed with another content; run verify to see which rows differ.")
            % {"month": f"{row.month:%Y-%m}"},
            closed=row.digest,
            found=digest,
        )
    return Closed(row, charges, invoices, is_new=False)


def _tell_issued(invoice: Invoice, at: datetime) -> None:
    notices.notify(
        kind="invoice_issued",
        organisation=invoice.buyer,
        roles=READERS,
        facts={
            "number": invoice.number,
            "operator": invoice.operator.name,
            "month": f"{invoice.month_id:%Y-%m}",
            "total": invoice.total,
            "due": invoice.due,
            "due_date": invoice.due_date,
        },
        url=f"/console/buyer/invoices/{invoice.number}/",
        at=at,
    )


@transaction.atomic
def deposit_receive(
    *,
    organisation: Organisation,
    operator: Organisation,
    amount_minor: int,
    order_number: str,
    channel: str,
    key: str,
    at: datetime,
) -> Deposit:
    """Money that arrived before use: from custody (``clearing:stripe`` or ``clearing:bank``) to the buyer's deposit (fen).

    ``key`` makes a repeat harmless; another amount under it raises KeyUsedDifferently.
    """
    _check_money(amount_minor, channel)
    post(
        key=key,
        cause=("order", order_number),
        text=f"Deposit for order {order_number}",
        postings=[(f"clearing:{channel}", f"deposit:{organisation.uscc}:{operator.uscc}", amount_minor)],
        at=at,
    )
    deposit, is_new = Deposit.objects.get_or_create(
        key=key,
        defaults={
            "organisation": organisation,
            "operator": operator,
            "order_number": order_number,
            "amount_minor": amount_minor,
            "paid_at": at,
        },
    )
    if is_new:
        facts = {"amount": yuan(amount_minor), "operator": operator.slug, "channel": channel, "order": order_number}
        audit.record(action="deposit.received", obj=deposit, organisation=organisation, at=at, facts=facts)
    return deposit


@transaction.atomic
def invoice_pay(*, invoice: Invoice, amount_minor: int, channel: str, key: str, at: datetime) -> Invoice:
    """A payment for an invoice (fen): shares and VAT become payable in proportion; paid in full, overdue use goes on.

    ``key`` makes a repeat harmless. Raises InvoiceOverpaid, AmountInvalid, KeyUsedDifferently.
    """
    _check_money(amount_minor, channel)
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("operator", "buyer").get(pk=invoice.pk)
    receivable = f"receivable:{invoice.buyer.uscc}:{invoice.operator.uscc}"
    payment = Entry(
        key, ("invoice", invoice.number), f"Payment for {invoice.number}", [(f"clearing:{channel}", receivable, amount_minor)], at
    )
    known = LedgerTransaction.objects.filter(key=key).values_list("input_digest", flat=True).first()
    if known is not None:
        if known != payment.digest:
            raise KeyUsedDifferently(_("This key was used for another transaction."), key=key)
        return invoice
    due, paid = minor(invoice.due), minor(invoice.paid) + amount_minor
    if paid > due:
        raise InvoiceOverpaid(
            _("Only %(open)s yuan of invoice %(number)s are open.")
            % {"open": yuan(due - paid + amount_minor), "number": invoice.number},
            invoice=invoice.number,
        )
    accruals = list(
        invoice.shares.select_for_update(of=("self",))
        .select_related("party")
        .order_by("agreement__number", "product__code", "position")
    )
    drawn = minor(invoice.drawn_from_deposit)
    moved = shares.payable_postings(
        invoice.operator.uscc,
        accruals,
        vat_minor=minor(invoice.vat),
        was_paid=drawn + paid - amount_minor,
        is_paid=drawn + paid,
        total=minor(invoice.total),
    )
    entries = [payment]
    moved = [posting for posting in moved if posting[2]]
    if moved:
        text = f"Payable from payment of {invoice.number}"
        entries.append(Entry(f"{key}:payable", ("invoice", invoice.number), text, moved, at))
    Share.objects.bulk_update(accruals, ["payable_minor"])
    invoice.paid = close.money(paid)
    if paid == due:
        invoice.state = Invoice.State.PAID
    invoice.save(update_fields=["paid", "state"])
    post_many(entries=entries)
    if paid == due:
        _resume(invoice, at)
    facts = {"amount": yuan(amount_minor), "channel": channel, "open": yuan(due - paid)}
    audit.record(action="invoice.paid", obj=invoice, organisation=invoice.buyer, at=at, facts=facts)
    return invoice


def _check_money(amount_minor: Any, channel: str) -> None:
    if type(amount_minor) is not int or amount_minor <= 0:
        raise AmountInvalid(_("An amount is a positive number of fen."), field="amount_minor")
    if channel not in CHANNELS:
        raise AmountInvalid(_("Money arrives by Stripe or by bank."), field="channel")


def _resume(invoice: Invoice, at: datetime) -> None:
    """Once nothing is overdue between the two, what was stopped for it goes on."""
    between = {"operator_id": invoice.operator_id, "buyer_id": invoice.buyer_id}
    if Invoice.objects.filter(**between, state=Invoice.State.OVERDUE).exists():
        return
    stopped = Entitlement.objects.filter(
        operator_id=invoice.operator_id, organisation_id=invoice.buyer_id, state=Entitlement.State.OVERDUE
    )
    for entitlement in stopped.order_by("id"):
        entitlement_resume(entitlement=entitlement, reason=f"{invoice.number} paid", at=at)


@transaction.atomic
def mark_overdue(*, at: datetime) -> list[Invoice]:
    """Mark invoices that are past their due date and stop the paid entitlements between the two parties; a daily job."""
    late = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("operator", "buyer")
        .filter(state=Invoice.State.ISSUED, due_date__lt=business_date(at))
        .order_by("id")
    )
    marked = []
    for invoice in late:
        Invoice.objects.filter(pk=invoice.pk).update(state=Invoice.State.OVERDUE)
        invoice.state = Invoice.State.OVERDUE
        running = Entitlement.objects.filter(
            operator=invoice.operator, organisation=invoice.buyer, plan__isnull=False, state=Entitlement.State.ACTIVE
        )
        for entitlement in running.order_by("id"):
            entitlement_mark_overdue(entitlement=entitlement, reason=f"{invoice.number} overdue", at=at)
        left = invoice.due - invoice.paid
        facts = {"number": invoice.number, "due_date": invoice.due_date, "open": left}
        url = f"/console/buyer/invoices/{invoice.number}/"
        notices.notify(kind="invoice_overdue", organisation=invoice.buyer, roles=READERS, facts=facts, url=url, at=at)
        audit.record(action="invoice.overdue", obj=invoice, organisation=invoice.buyer, at=at, facts={"open": left})
        marked.append(invoice)
    return marked


def minor(amount: Decimal) -> int:
    """Yuan as fen."""
    return int(amount.scaleb(2))
