"""Bank transfers that wait; the cashier compares reference and amount with the bank statement and confirms."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.storefront import purchase
from market.storefront.access import role_required
from products.organisations.models import OrganisationKind, Role
from products.record import clock
from products.record.refusals import Refused
from settlement.payments.models import PaymentIntent

PAGE_SIZE = 25
cashier_required = role_required(kinds={OrganisationKind.PLATFORM}, roles={Role.FINANCE})
STATES = {"waiting": PaymentIntent.State.PENDING, "arrived": PaymentIntent.State.SUCCEEDED}


@require_safe
@cashier_required
def transfers(request: HttpRequest) -> HttpResponse:
    tab = request.GET.get("state") if request.GET.get("state") in STATES else "waiting"
    rows = PaymentIntent.objects.filter(method=PaymentIntent.Method.TRANSFER, state=STATES[tab])
    asked = request.GET.get("reference", "").strip()
    if asked:
        rows = rows.filter(transfer_reference__icontains=asked)
    rows = rows.select_related("organisation", "operator", "invoice", "confirmed_by").order_by("-created_at", "id")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/cashier/transfers.html", {"page": page, "tab": tab, "asked": asked})


@require_POST
@cashier_required
def confirm(request: HttpRequest, pk: str) -> HttpResponse:
    """The amount that arrived has to be typed: it must be the amount asked."""
    intent = get_object_or_404(PaymentIntent, pk=pk, method=PaymentIntent.Method.TRANSFER)
    try:
        arrived = int(Decimal(request.POST.get("amount", "").replace(",", "").strip()) * 100)
    except (InvalidOperation, ValueError):
        arrived = -1
    if arrived != intent.amount_minor:
        asked = f"{Decimal(intent.amount_minor) / 100:,.2f}"
        messages.error(
            request,
            _("%(reference)s asks for ¥%(asked)s. Another amount is not confirmed here: send it back or ask the buyer.")
            % {"reference": intent.transfer_reference, "asked": asked},
        )
        return redirect("transfers")
    try:
        purchase.payment_settle(intent=intent, at=clock.now(), confirmed_by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("Transfer %(reference)s is confirmed; the buyer has been told.") % {"reference": intent.transfer_reference}
        )
    return redirect("transfers")
