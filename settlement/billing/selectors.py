"""Reads of bills: invoices of a buyer or an operator, one invoice with the arithmetic of each line, months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from pricing.documents import parse_tariff, parse_usage
from pricing.explain import step_text
from pricing.quote import quote_terms
from pricing.rules import Flat
from settlement.billing.models import BillingMonth, Charge, Invoice, InvoiceLine
from settlement.billing.rules import STOPPED, with_stops
from settlement.billing.stopped import why_not_charged
from settlement.shares.models import Settlement, Share


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line with its sums in words of the active language; late usage shows what was billed before it, too."""

    line: InvoiceLine
    product_name: str
    product_code: str
    entitlement: str
    tariff: str
    service_month: str
    is_late: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bill:
    invoice: Invoice
    lines: tuple[BillLine, ...]

    @property
    def open(self) -> Decimal:
        """Yuan still to pay."""
        return self.invoice.due - self.invoice.paid


def invoices_of(*, buyer_ids: Sequence[int] = (), operator_ids: Sequence[int] = ()) -> QuerySet[Invoice]:
    """Invoices of buyers or of operators, newest first, with both parties."""
    found = Invoice.objects.select_related("operator", "buyer", "month")
    if buyer_ids:
        found = found.filter(buyer__in=buyer_ids)
    if operator_ids:
        found = found.filter(operator__in=operator_ids)
    return found.order_by("-month", "number") if buyer_ids or operator_ids else found.none()


def bill(*, number: str) -> Bill | None:
    """One invoice with its lines and their arithmetic, rebuilt from the charges' stored inputs."""
    invoice = Invoice.objects.select_related("operator", "buyer", "month").filter(number=number).first()
    if invoice is None:
        return None
    lines = invoice.lines.select_related("charge__tariff__plan", "charge__entitlement__product").order_by("position")
    explained: dict[int, dict[str, tuple[str, ...]]] = {}
    for line in lines:
        if line.charge_id not in explained:
            explained[line.charge_id] = steps_of(line.charge)
    return Bill(invoice, tuple(_bill_line(line, explained[line.charge_id]) for line in lines))


def _bill_line(line: InvoiceLine, steps: dict[str, tuple[str, ...]]) -> BillLine:
    charge, product = line.charge, line.charge.entitlement.product
    tariff = f"{charge.tariff.plan.code} v{charge.tariff.version}" if charge.tariff else ""
    return BillLine(
        line=line,
        product_name=product.name,
        product_code=product.code,
        entitlement=charge.entitlement.code,
        tariff=tariff,
        service_month=f"{charge.service_month:%Y-%m}",
        is_late=charge.service_month < charge.month_id,
        steps=steps.get(line.component, ()),
    )


def steps_of(charge: Charge) -> dict[str, tuple[str, ...]]:
    """The sums of each component of a charge, as sentences in the active language."""
    if charge.tariff is None:
        return {}
    terms = with_stops(parse_tariff(charge.tariff.document))
    documents = [charge.usage["all"], charge.usage["billed"]] if "all" in charge.usage else [charge.usage]
    found: dict[str, tuple[str, ...]] = {}
    if STOPPED in documents[0]["discounts"]:
        found = {c.code: (why_not_charged(charge),) for c in terms.components if isinstance(c.price, Flat)}
    for document in documents:
        quote = quote_terms(tariff=terms, usage=parse_usage(without_gaps(document), terms))
        for line in quote.rated.lines:
            found[line.component] = (*found.get(line.component, ()), *(step_text(step) for step in quote.steps(line)))
    return found


def without_gaps(document: dict[str, Any]) -> dict[str, Any]:
    """A usage document as `quote` takes it: keys without a value left out."""
    return {name: value for name, value in document.items() if value is not None}


def months() -> list[dict[str, Any]]:
    """Billing months, newest first, with the number and sums of their invoices."""
    rows = BillingMonth.objects.annotate(
        invoices_count=Count("invoices"),
        total=Sum("invoices__total"),
        drawn=Sum("invoices__drawn_from_deposit"),
        paid=Sum("invoices__paid"),
    )
    return list(rows.order_by("-month").values())


def statements_of(*, party_ids: Sequence[int] | None = None) -> QuerySet[Settlement]:
    """Settlements of parties (all where None is given), newest first."""
    found = Settlement.objects.select_related("party", "month")
    return (found if party_ids is None else found.filter(party__in=party_ids)).order_by("-month", "party__uscc")


def statement_lines(*, settlement: Settlement) -> QuerySet[Share]:
    """The shares that a settlement sums up, each with its invoice and agreement (or the product that is its own)."""
    shares = Share.objects.filter(party=settlement.party, invoice__month=settlement.month_id)
    shares = shares.select_related("invoice__operator", "invoice__buyer", "agreement__product", "product")
    return shares.order_by("invoice__number", "agreement__number", "product__code", "position")
