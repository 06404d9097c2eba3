"""The steps of a close, inside the one transaction that `services.close_month` opens: draft, number, draw, split, post."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import F, Max

from pricing.rules import Line
from pricing.rules.exact import quantity, yuan
from products.organisations.models import Organisation
from products.record.clock import business_date
from settlement.billing import rules
from settlement.billing.models import BillingMonth, Charge, Deposit, Invoice, InvoiceLine
from settlement.billing.rating import Draft, drafts
from settlement.billing.usage import gather
from settlement.ledger.services import Entry, post_many
from settlement.shares import services as shares
from settlement.shares.services import Accrual

BATCH = 2000


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of a bill to be: a component of a charge with its part of net and VAT, in fen."""

    draft: Draft
    line: Line
    net_minor: int
    vat_minor: int

    @property
    def label(self) -> str:
        return self.draft.version.labels.get(self.line.component, "") if self.draft.version else ""


@dataclass(slots=True)
class Bill:
    """What one buyer owes one operator for the month."""

    operator: Organisation
    buyer: Organisation
    drafts: list[Draft]
    lines: list[DraftLine] = field(default_factory=list)
    drawn_minor: int = 0
    accruals: list[Accrual] = field(default_factory=list)
    invoice: Invoice | None = None

    def total(self, name: str) -> int:
        return sum(getattr(draft.rating.rated, name) for draft in self.drafts)


def run(*, month: BillingMonth, at: datetime) -> list[Invoice]:
    """Charges, invoices, draws, shares, statements and postings of the month; returns the invoices, in order."""
    works, book = gather(month.month)
    all_drafts = list(drafts(works, book, month.month))
    bills = _bills([draft for draft in all_drafts if draft.holder.plan_id is not None])
    divider = shares.Divider()
    for bill in bills:
        bill.lines = list(_lines(bill.drafts))
        bill.accruals = divider.accruals(_nets_by_product(bill))
    _draw_deposits(bills)
    _write_invoices(bills, month, at)
    _write_charges(all_drafts, bills, month)
    entries = [*_entries(bills, at), *_memos(all_drafts, month.month, at)]  # also says what is payable of each share
    shares.record_accruals(month=month, accrued={bill.invoice: bill.accruals for bill in bills if bill.invoice})
    post_many(entries=entries)
    return [bill.invoice for bill in bills if bill.invoice]


def _bills(paid: Sequence[Draft]) -> list[Bill]:
    """One bill per operator and buyer, in the order of their codes (not of database ids), charges by entitlement and time."""
    parties = Organisation.objects.in_bulk({d.holder.operator_id for d in paid} | {d.holder.organisation_id for d in paid})

    def pair(draft: Draft) -> tuple[str, str]:
        return parties[draft.holder.operator_id].uscc, parties[draft.holder.organisation_id].uscc

    ordered = sorted(paid, key=lambda draft: (pair(draft), draft.order))
    return [
        Bill(parties[group[0].holder.operator_id], parties[group[0].holder.organisation_id], group)
        for group in (list(members) for _pair, members in groupby(ordered, key=pair))
    ]


def _lines(group: Sequence[Draft]) -> Iterator[DraftLine]:
    """The lines of a bill; components without use and without price are left out."""
    for draft in group:
        rated = draft.rating.rated
        divided = rules.divide_tax(rated.lines, rated.net_minor, rated.vat_minor)
        for line, (net, vat) in zip(rated.lines, divided, strict=True):
            if line.units_micro or line.gross_minor or line.payable_minor:
                yield DraftLine(draft, line, net, vat)


def _nets_by_product(bill: Bill) -> dict[tuple[int, date], int]:
    """Fen net of VAT by (product, last day of the rated time), which is what the agreements of that day divide."""
    nets: dict[tuple[int, date], int] = defaultdict(int)
    for row in bill.lines:
        nets[row.draft.holder.product_id, row.draft.rating.segment.end - timedelta(days=1)] += row.net_minor
    return nets


def _draw_deposits(bills: Sequence[Bill]) -> None:
    """Draw what buyers paid before use, oldest first, up to each bill's total."""
    open_deposits: dict[tuple[int, int], list[Deposit]] = defaultdict(list)
    rows = Deposit.objects.select_for_update().filter(drawn_minor__lt=F("amount_minor")).order_by("paid_at", "id")
    for deposit in rows:
        open_deposits[deposit.operator_id, deposit.organisation_id].append(deposit)
    changed = []
    for bill in bills:
        left = bill.total("total_minor")
        for deposit in open_deposits[bill.operator.id, bill.buyer.id]:
            part = min(max(left, 0), deposit.amount_minor - deposit.drawn_minor)
            if part:
                deposit.drawn_minor += part
                changed.append(deposit)
            left -= part
            bill.drawn_minor += part
    Deposit.objects.bulk_update(changed, ["drawn_minor"], batch_size=BATCH)


def _write_invoices(bills: Sequence[Bill], month: BillingMonth, at: datetime) -> None:
    """Number the bills of each operator without gaps and write them with their lines' digest."""
    last = dict(Invoice.objects.values_list("operator").annotate(last=Max("sequence")))
    issued = business_date(at)
    for bill in bills:
        sequence = last[bill.operator.id] = last.get(bill.operator.id, 0) + 1
        total, net, vat = (bill.total(name) for name in ("total_minor", "net_minor", "vat_minor"))
        due = total - bill.drawn_minor
        bill.invoice = Invoice(
            number=rules.invoice_number(bill.operator.slug, month.month, sequence),
            sequence=sequence,
            operator=bill.operator,
            buyer=bill.buyer,
            month=month,
            total=money(total),
            net=money(net),
            vat=money(vat),
            drawn_from_deposit=money(bill.drawn_minor),
            due=money(due),
            issued_date=issued,
            due_date=issued + timedelta(days=rules.DUE_DAYS),
            state=Invoice.State.ISSUED if due else Invoice.State.PAID,
        )
        bill.invoice.digest = _invoice_digest(bill, bill.invoice)
    Invoice.objects.bulk_create([bill.invoice for bill in bills if bill.invoice], batch_size=BATCH)


def _invoice_digest(bill: Bill, invoice: Invoice) -> str:
    """SHA-256 over what the invoice says, by codes and numbers that people see."""
    lines = [
        [row.draft.inputs_digest, row.line.component, quantity(row.line.units_micro)]
        + [yuan(n) for n in (row.line.gross_minor, row.line.discount_minor, row.line.payable_minor, row.net_minor, row.vat_minor)]
        for row in bill.lines
    ]
    head = [invoice.number, bill.operator.uscc, bill.buyer.uscc, invoice.month_id.isoformat()]
    dates = [invoice.issued_date.isoformat(), invoice.due_date.isoformat()]
    amounts = [str(a) for a in (invoice.total, invoice.net, invoice.vat, invoice.drawn_from_deposit, invoice.due)]
    return rules.digest([head, dates, amounts, lines])


def _write_charges(all_drafts: Sequence[Draft], bills: Sequence[Bill], month: BillingMonth) -> None:
    invoices = {id(draft): bill.invoice for bill in bills for draft in bill.drafts}
    charges = {id(draft): _charge(draft, month, invoices.get(id(draft))) for draft in all_drafts}
    Charge.objects.bulk_create(charges.values(), batch_size=BATCH)
    InvoiceLine.objects.bulk_create(
        (
            InvoiceLine(
                invoice=bill.invoice,
                position=position,
                charge=charges[id(row.draft)],
                component=row.line.component,
                label=row.label,
                units=Decimal(row.line.units_micro).scaleb(-6),
                gross=money(row.line.gross_minor),
                discount=money(row.line.discount_minor),
                payable=money(row.line.payable_minor),
                net=money(row.net_minor),
                vat=money(row.vat_minor),
            )
            for bill in bills
            for position, row in enumerate(bill.lines, 1)
        ),
        batch_size=BATCH,
    )


def _charge(draft: Draft, month: BillingMonth, invoice: Invoice | None) -> Charge:
    rated, segment = draft.rating.rated, draft.rating.segment
    return Charge(
        month=month,
        entitlement_id=draft.holder.id,
        service_month=draft.service_month,
        from_date=segment.start,
        to_date=segment.end,
        tariff_id=draft.version.id if draft.version else None,
        invoice=invoice,
        usage=draft.rating.usage,
        quote=rules.quote_document(rated),
        total=money(rated.total_minor),
        net=money(rated.net_minor),
        vat=money(rated.vat_minor),
        free_value=money(rated.free_value_minor),
        inputs_digest=draft.inputs_digest,
    )


def _entries(bills: Sequence[Bill], at: datetime) -> Iterator[Entry]:
    """One transaction per invoice: owed, drawn from deposits, divided, and payable as far as it was drawn."""
    for bill in bills:
        assert bill.invoice is not None
        operator, buyer = bill.operator.uscc, bill.buyer.uscc
        receivable = f"receivable:{buyer}:{operator}"
        total, net, vat = (bill.total(name) for name in ("total_minor", "net_minor", "vat_minor"))
        postings = [(receivable, f"revenue:{operator}", net), (receivable, f"vat:{operator}", vat)]
        postings.append((f"deposit:{buyer}:{operator}", receivable, bill.drawn_minor))
        postings += shares.accrual_postings(operator, bill.accruals)
        postings += shares.payable_postings(
            operator, bill.accruals, vat_minor=vat, was_paid=0, is_paid=bill.drawn_minor, total=total
        )
        moved = [posting for posting in postings if posting[2]]
        if moved:
            number = bill.invoice.number
            yield Entry(f"invoice:{number}", ("invoice", number), f"Invoice {number}", moved, at)


def _memos(all_drafts: Sequence[Draft], month: date, at: datetime) -> Iterator[Entry]:
    """The value of free use, from its operator to its user: memo accounts only, never revenue."""
    free = [draft for draft in all_drafts if draft.rating.rated.free_value_minor]
    codes = dict(
        Organisation.objects.filter(
            id__in={d.holder.operator_id for d in free} | {d.holder.organisation_id for d in free}
        ).values_list("id", "uscc")
    )
    for draft in free:
        holder, value = draft.holder, draft.rating.rated.free_value_minor
        operator, user = codes[holder.operator_id], codes[holder.organisation_id]
        given, received = f"memo:{operator}:given", f"memo:{user}:received:{operator}"
        posting = (given, received, value) if value > 0 else (received, given, -value)
        key = f"free:{month:%Y-%m}:{holder.code}:{draft.service_month:%Y-%m}"
        yield Entry(key, ("entitlement", holder.code), f"Free use {draft.service_month:%Y-%m}", [posting], at)


def money(minor: int) -> Decimal:
    """Fen as yuan."""
    return Decimal(minor).scaleb(-2)
