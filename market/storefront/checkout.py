"""Checkout: read and accept the agreement, pay on the provider's page or by transfer, see what came of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.storefront import baskets, purchase
from market.storefront.access import role_required
from market.storefront.forms import CheckoutForm
from market.storefront.models import OrderContext
from market.storefront.transfer import transfer_instructions
from pricing.grants.models import FreeUseGrant
from products.record import clock
from products.record.refusals import Refused
from settlement.entitlements.models import Entitlement
from settlement.payments import services as payments
from settlement.payments.base import CheckoutState
from settlement.payments.models import PaymentIntent

Method = PaymentIntent.Method
buyer_required = role_required(roles=baskets.BUYING_ROLES)


@require_http_methods(["GET", "HEAD", "POST"])
@buyer_required
def checkout(request: HttpRequest, basket: int) -> HttpResponse:
    membership, now = request.membership, clock.now()
    views = baskets.baskets_of(organisation=membership.organisation, at=now, basket=basket)
    if not views:
        raise Http404
    view = views[0]
    if not view.basket.can_be_edited or not view.lines:
        return redirect("basket")
    findings = purchase.joined(membership=membership, view=view, at=now)
    if findings:  # said before anybody reads an agreement or pays
        return render(request, "market/checkout_joins.html", {"view": view, "findings": findings}, status=403)
    accepted = purchase.agreed(membership=membership, view=view)
    methods = [Method.TRANSFER, Method.HOSTED] if view.due_minor else []
    read = {"digest": accepted.digest, "method": Method.TRANSFER}
    form, refusal = CheckoutForm(request.POST or None, methods=methods, initial=read), None
    if form.is_valid():
        try:
            return _order(request, basket, form.cleaned_data, bool(methods))
        except Refused as said:  # what was accepted no longer holds: the page shows what does, to be accepted anew
            form, refusal = CheckoutForm(methods=methods, initial=read), said
    context = {
        "view": view,
        "agreement": accepted,
        "form": form,
        "refusal": refusal,
        "methods": methods,
        "method": form["method"].value(),
    }
    return render(request, "market/checkout.html", context, status=422 if form.errors or refusal else 200)


def _order(request: HttpRequest, basket: int, agreed: dict[str, Any], is_due: bool) -> HttpResponse:
    facts = {"membership": request.membership, "basket": basket, "digest": agreed["digest"]}
    facts |= {"user": request.user, "at": clock.now()}
    if not is_due:
        return redirect("checkout:thank-you", number=purchase.order_without_payment(**facts).number)
    intent = purchase.payment_begin(method=agreed["method"], **facts)
    return redirect("checkout:pay" if intent.method == Method.HOSTED else "checkout:payment", pk=intent.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@buyer_required
def grant(request: HttpRequest, number: str) -> HttpResponse:
    """Take a free-use grant up: one step, price 0."""
    membership, now = request.membership, clock.now()
    held = FreeUseGrant.objects.filter(number=number, organisation=membership.organisation).select_related(
        "product__operator", "product__authorisation"
    )
    found = get_object_or_404(held)
    taken = Entitlement.objects.filter(grant=found).first()
    if taken is not None:
        return redirect("checkout:thank-you", number=taken.order_number) if taken.order_number else redirect("/console/buyer/")
    refusal: Refused | None = None
    try:
        view = purchase.grant_preview(membership=membership, grant=found, at=now)
    except Refused as said:
        return render(request, "market/refused.html", {"refusal": said}, status=403)
    findings = purchase.joined(membership=membership, view=view, at=now)
    if findings:
        return render(request, "market/checkout_joins.html", {"view": view, "findings": findings}, status=403)
    accepted = purchase.agreed(membership=membership, view=view)
    form = CheckoutForm(request.POST or None, methods=[], initial={"digest": accepted.digest})
    if form.is_valid():
        try:
            facts = {"membership": membership, "grant": found, "user": request.user, "at": now}
            order = purchase.grant_take_up(digest=form.cleaned_data["digest"], **facts)
            return redirect("checkout:thank-you", number=order.number)
        except Refused as said:
            refusal = said
    context = {"grant": found, "view": view, "agreement": accepted, "form": form, "refusal": refusal}
    return render(request, "market/checkout_grant.html", context, status=422 if form.errors or refusal else 200)


@require_safe
@buyer_required
def pay(request: HttpRequest, pk: str) -> HttpResponse:
    """Go to the provider's page; the intent is committed, so that its webhook finds it."""
    intent = _own_intent(request, pk)
    if intent.state not in payments.OPEN_STATES:
        return redirect("checkout:payment", pk=intent.pk)
    back = settings.PUBLIC_URL + reverse("checkout:payment", args=[intent.pk])
    what = intent.order_number or (intent.invoice.number if intent.invoice else "")
    try:
        started = payments.hosted_start(
            intent=intent,
            description=_("Gongshu %(number)s, %(operator)s") % {"number": what, "operator": intent.operator.name},
            success_url=back,
            cancel_url=back,
            locale=get_language() or settings.LANGUAGE_CODE,
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("checkout:payment", pk=intent.pk)
    return redirect(started.provider_url)


@require_safe
@role_required()
def payment(request: HttpRequest, pk: str) -> HttpResponse:
    """Where a payment stands. Back from the provider, it asks there and finishes the job as the webhook would."""
    intent = _own_intent(request, pk)
    is_processing = False
    if intent.method == Method.HOSTED and intent.state in payments.OPEN_STATES and intent.provider_ref:
        intent, is_processing = _ask_provider(request, intent)
    if intent.state == PaymentIntent.State.SUCCEEDED:
        if intent.invoice is not None:
            messages.success(request, _("Invoice %(number)s is paid.") % {"number": intent.invoice.number})
            return redirect("buyer-invoice", number=intent.invoice.number)
        if OrderContext.objects.filter(intent=intent).exists():
            return redirect("checkout:thank-you", number=intent.order_number)
    context: dict[str, Any] = {"intent": intent, "is_processing": is_processing}
    if intent.method == Method.TRANSFER:
        context["transfer"] = transfer_instructions(intent)
    return render(request, "market/payment.html", context)


def _ask_provider(request: HttpRequest, intent: PaymentIntent) -> tuple[PaymentIntent, bool]:
    try:
        status = payments.status_of(intent=intent)
        if status.state is CheckoutState.PAID:
            return purchase.payment_settle(intent=intent, at=clock.now()), False
        if status.state in (CheckoutState.FAILED, CheckoutState.EXPIRED):
            return purchase.payment_cancel(intent=intent, actor=None, at=clock.now(), is_failure=True), False
        return intent, status.state is CheckoutState.PROCESSING
    except Refused as refusal:
        messages.error(request, str(refusal))
        return PaymentIntent.objects.select_related("operator", "invoice").get(pk=intent.pk), False


@require_POST
@buyer_required
def cancel(request: HttpRequest, pk: str) -> HttpResponse:
    """Give a payment up: close the provider's page first, so that nobody can pay it any more."""
    intent = _own_intent(request, pk)
    try:
        if intent.provider_ref and intent.state in payments.OPEN_STATES:
            payments.provider().checkout_expire(intent.provider_ref)
        purchase.payment_cancel(intent=intent, actor=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("checkout:payment", pk=intent.pk)
    messages.info(request, _("The payment is given up. Nothing was charged."))
    return redirect(reverse("buyer-invoice", args=[intent.invoice.number]) if intent.invoice else "basket")


@require_safe
@role_required()
def done(request: HttpRequest, number: str) -> HttpResponse:
    """What came of an order, and what comes next: the API key."""
    held = OrderContext.objects.select_related("order", "operator", "intent")
    context = get_object_or_404(held, order__number=number, organisation=request.membership.organisation)
    opened = Entitlement.objects.filter(order_number=number, organisation=context.organisation).select_related(
        "product", "plan", "grant"
    )
    return render(request, "market/order_done.html", {"context": context, "entitlements": list(opened.order_by("id"))})


def _own_intent(request: HttpRequest, pk: str) -> PaymentIntent:
    held = PaymentIntent.objects.select_related("operator", "organisation", "invoice", "created_by")
    return get_object_or_404(held, pk=pk, organisation=request.membership.organisation)
