"""The basket's pages."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.storefront import baskets, pages, product_page
from market.storefront.access import role_required
from market.storefront.models import LineChoice
from products.record import clock
from products.record.refusals import Refused
from settlement.payments.models import PaymentIntent


@require_safe
@role_required()
def basket(request: HttpRequest) -> HttpResponse:
    views = baskets.baskets_of(organisation=request.membership.organisation, at=clock.now())
    waiting = PaymentIntent.objects.filter(
        organisation=request.membership.organisation,
        kind=PaymentIntent.Kind.ORDER,
        state__in=(PaymentIntent.State.CREATED, PaymentIntent.State.PENDING),
    )
    pending = {intent.context.get("basket"): intent for intent in waiting.order_by("created_at", "id")}
    return render(request, "market/basket.html", {"views": views, "pending": pending})


@require_POST
@role_required()
def add(request: HttpRequest) -> HttpResponse:
    """Put a plan into the basket; a refusal or a wrong field shows the product's page again."""
    shown, now = product_page.product_shown(request.POST.get("product", "")), clock.now()
    purposes = product_page.purposes_of(shown)
    offers = product_page.offers_of(shown, purposes, now.date())
    form = pages.buy_form(shown, offers, purposes, request.POST)
    if form is None:
        raise Http404
    if form.is_valid():
        offer = next(each for each in offers if each.plan.code == form.cleaned_data["plan"])
        units, _wrong = product_page.units_asked(offer, request.POST.dict())
        try:
            baskets.basket_add(
                membership=request.membership,
                product=shown,
                plan=offer.plan,
                purpose=form.cleaned_data["purpose"],
                scenario=form.cleaned_data["scenario"],
                expected_units=units,
                top_up_minor=form.top_up_minor(),
                user=request.user,
                at=now,
            )
        except Refused as refusal:
            seen = [name for name, field in form.fields.items() if not field.widget.is_hidden]
            form.add_error(refusal.field if refusal.field in seen else None, str(refusal))
        else:
            messages.success(request, _("%(product)s is in the basket. Look it over, then check out.") % {"product": shown.name})
            return redirect("basket")
    return pages.product_with(request, shown, form, status=422)


@require_POST
@role_required(roles=baskets.BUYING_ROLES)
def change(request: HttpRequest, line: int) -> HttpResponse:
    """Another expected usage or top-up of a line, or take it out."""
    organisation = request.membership.organisation
    try:
        if "remove" in request.POST:
            baskets.line_remove(organisation=organisation, line=line)
        else:
            units, top_up_minor = _asked(request)
            baskets.line_change(organisation=organisation, line=line, expected_units=units, top_up_minor=top_up_minor)
    except LineChoice.DoesNotExist as missing:
        raise Http404 from missing
    except InvalidOperation:
        messages.error(request, _("Enter numbers, for example 12000 or 500.00."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(reverse("basket"))


def _asked(request: HttpRequest) -> tuple[dict[str, str], int]:
    units = {}
    for name, text in request.POST.items():
        if name.startswith("units-"):
            units[name.removeprefix("units-")] = f"{_number(str(text), product_page.MAX_UNITS):f}"
    top_up = _number(request.POST.get("top_up", "") or "0", Decimal(baskets.MAX_TOP_UP_MINOR) / 100)
    return units, int((top_up * 100).to_integral_value())


def _number(text: str, largest: Decimal) -> Decimal:
    value = Decimal(text.strip().replace(",", "").replace("，", "") or "0")
    if not value.is_finite() or not 0 <= value <= largest:
        raise InvalidOperation
    return value
