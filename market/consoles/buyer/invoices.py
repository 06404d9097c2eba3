"""A buyer's invoices: list, page, CSV, JSON, and paying them the same two ways as an order."""

from __future__ import annotations

import csv
import io

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from market.storefront.access import role_required
from products.organisations.models import Role
from products.record import clock
from products.record.refusals import Refused
from settlement.billing.models import Invoice, InvoiceLine
from settlement.payments.models import PaymentIntent
from settlement.payments.services import OPEN_STATES, intent_open

PAGE_SIZE = 25
PAYING_ROLES = (Role.FINANCE, Role.BUYER, Role.OWNER)
COLUMNS = ("position", "entitlement", "product", "service_month", "label", "units", "gross", "discount", "payable", "net", "vat")


class InvoiceSettled(Refused):
    code = "invoice_settled"


@require_safe
@role_required()
def invoices(request: HttpRequest) -> HttpResponse:
    rows = Invoice.objects.filter(buyer=request.membership.organisation).select_related("operator")
    page = Paginator(rows.order_by("-month_id", "-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/buyer/invoices.html", {"page": page})


@require_safe
@role_required()
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    return _page(request, _own(request, number))


def _page(request: HttpRequest, found: Invoice, refusal: Refused | None = None) -> HttpResponse:
    waiting = PaymentIntent.objects.filter(invoice=found, state__in=OPEN_STATES).order_by("-created_at").first()
    context = {
        "invoice": found,
        "lines": lines_of(found),
        "open": found.due - found.paid,
        "waiting": waiting,
        "may_pay": bool(set(PAYING_ROLES) & set(request.membership.roles)),
        "refusal": refusal,
    }
    return render(request, "market/buyer/invoice.html", context, status=409 if refusal else 200)


@require_safe
@role_required()
def invoice_csv(request: HttpRequest, number: str) -> HttpResponse:
    found, text = _own(request, number), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS] for row in as_rows(found))
    # The mark at the start lets Excel read the Chinese.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.number}.csv"'
    return response


@require_safe
@role_required()
def invoice_json(request: HttpRequest, number: str) -> JsonResponse:
    found = _own(request, number)
    amounts = ("total", "net", "vat", "drawn_from_deposit", "due", "paid")
    document = {
        "number": found.number,
        "operator": {"name": found.operator.name, "uscc": found.operator.uscc},
        "buyer": {"name": found.buyer.name, "uscc": found.buyer.uscc},
        "month": f"{found.month_id:%Y-%m}",
        "issued": found.issued_date.isoformat(),
        "due_date": found.due_date.isoformat(),
        "state": found.state,
        "currency": "CNY",
        **{name: str(getattr(found, name)) for name in amounts},
        "lines": as_rows(found),
        "digest": found.digest,
    }
    return JsonResponse(document, json_dumps_params={"ensure_ascii": False, "indent": 2})


@require_POST
@role_required(roles=PAYING_ROLES)
def pay(request: HttpRequest, number: str) -> HttpResponse:
    """Open a payment of what is left; a waiting one is gone on with instead of opening a second."""
    found = _own(request, number)
    waiting = PaymentIntent.objects.filter(invoice=found, state__in=OPEN_STATES).order_by("-created_at").first()
    if waiting is not None:
        return redirect("checkout:payment", pk=waiting.pk)
    left = int((found.due - found.paid) * 100)
    if left <= 0:
        return _page(request, found, InvoiceSettled(_("Nothing is left to pay on this invoice.")))
    hosted = request.POST.get("method") == PaymentIntent.Method.HOSTED
    intent = intent_open(
        kind=PaymentIntent.Kind.INVOICE,
        method=PaymentIntent.Method.HOSTED if hosted else PaymentIntent.Method.TRANSFER,
        organisation=found.buyer,
        operator=found.operator,
        amount_minor=left,
        invoice=found,
        user=request.user,
        at=clock.now(),
    )
    return redirect("checkout:pay" if hosted else "checkout:payment", pk=intent.pk)


def lines_of(found: Invoice) -> list[InvoiceLine]:
    lines = InvoiceLine.objects.filter(invoice=found).select_related("charge__entitlement__product", "charge__tariff")
    return list(lines.order_by("position"))


def as_rows(found: Invoice) -> list[dict[str, str]]:
    """The lines as flat rows of text: money in yuan, units as decimals, in the order of COLUMNS."""
    rows = []
    for line in lines_of(found):
        charge = line.charge
        named = {
            "position": str(line.position),
            "entitlement": charge.entitlement.code,
            "product": charge.entitlement.product.code,
            "service_month": f"{charge.service_month:%Y-%m}",
            "label": line.label,
        }
        amounts = {name: str(getattr(line, name)) for name in ("units", "gross", "discount", "payable", "net", "vat")}
        rows.append(named | amounts)
    return rows


def _own(request: HttpRequest, number: str) -> Invoice:
    held = Invoice.objects.select_related("operator", "buyer")
    return get_object_or_404(held, number=number, buyer=request.membership.organisation)
