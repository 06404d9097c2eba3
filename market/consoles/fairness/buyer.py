"""The refused organisation's side: who refuses it, why, and its complaint to the price regulator."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from market.consoles.acts import attempt
from market.consoles.fairness.forms import ComplaintForm
from market.consoles.fairness.menu import BUYERS
from market.storefront.access import role_required
from market.storefront.acting import has_role
from pricing.tariffs.supply import BUYER_ROLES, refusals_of, supply_complain
from products.models import Organisation
from products.record import cases, clock

PAGE_SIZE = 50


def own(request: HttpRequest) -> Organisation:
    return request.membership.organisation


@require_safe
@role_required(kinds=BUYERS)
def refusals(request: HttpRequest) -> HttpResponse:
    page = Paginator(refusals_of(organisation=own(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/consoles/fairness/my_refusals.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=BUYERS)
def refusal(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(refusals_of(organisation=own(request)), pk=pk)
    form = ComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        named: dict[str, Any] = {"statement": form.cleaned_data["statement"], "user": request.user, "at": clock.now()}
        done = _("Your complaint is before the price regulator. You will be told what it decides.")
        attempt(request, lambda: supply_complain(refusal=shown, **named), done)
        return redirect("buyer-refusal", pk=pk)
    context = {
        "refusal": shown,
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "may_act": shown.lifted_at is None and has_role(request.membership, *BUYER_ROLES),
        "form": form,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "side": "buyer",
    }
    return render(request, "market/consoles/fairness/refusal.html", context, status=422 if form.errors else 200)
