"""The operator's side: whom it refuses and why, and the findings it explains."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.fairness.forms import ExplanationForm, ReasonForm, RefusalForm
from market.storefront.access import role_required
from market.storefront.acting import has_role
from market.storefront.templatetags.gongshu import local
from pricing.tariffs.supply import OPERATOR_ROLES, refusals_of, supply_lift, supply_refuse
from products.catalogue.models import DataProduct, ProductState
from products.models import Organisation
from products.record import cases, clock
from products.record.calendar import load
from products.record.refusals import Refused
from settlement.oversight.equal_treatment import OPERATOR_ROLES as EXPLAINERS
from settlement.oversight.equal_treatment import flag_explain, flags_of

MOST = 100
KINDS = ("operator",)


def own(request: HttpRequest) -> Organisation:
    return request.membership.organisation


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS)
def supply(request: HttpRequest) -> HttpResponse:
    """Refusals and findings; a refusal is made here, with ground and reason."""
    products = DataProduct.objects.filter(operator=own(request), state__in=[ProductState.LISTED, ProductState.SUSPENDED])
    named = [(product.code, local(product)) for product in products.order_by("name_key", "id").only("code", "name", "name_en")]
    may_refuse = has_role(request.membership, *OPERATOR_ROLES)
    form = RefusalForm(request.POST or None, products=named)
    if request.method == "POST" and may_refuse and form.is_valid() and _refuse(request, form):
        return redirect("operator-supply")
    today, calendar = clock.today(), load()
    flags = list(flags_of(operator=own(request))[:MOST])
    context = {
        "refusals": list(refusals_of(operator=own(request))[:MOST]),
        "flags": [(f, cases.days_left(case=f.case, today=today, calendar=calendar) if f.case else None) for f in flags],
        "form": form,
        "may_refuse": may_refuse,
    }
    return render(request, "market/consoles/fairness/supply.html", context, status=422 if form.errors else 200)


def _refuse(request: HttpRequest, form: RefusalForm) -> bool:
    given = form.cleaned_data
    product = DataProduct.objects.select_related("operator").get(code=given["product"], operator=own(request))
    try:
        supply_refuse(
            product=product,
            organisation=given["uscc"],
            ground=given["ground"],
            reason=given["reason"],
            user=request.user,
            at=clock.now(),
        )
    except Refused as refusal:
        if refusal.field == "organisation":
            form.add_error("uscc", str(refusal))
        else:
            blame(form, refusal)
        return False
    done = _("%(name)s is refused %(product)s from now on. It has been told why, and how to complain.")
    messages.success(request, done % {"name": given["uscc"].name, "product": product.name})
    return True


@require_safe
@role_required(kinds=KINDS)
def refusal(request: HttpRequest, pk: int) -> HttpResponse:
    return _refusal_page(request, get_object_or_404(refusals_of(operator=own(request)), pk=pk), ReasonForm())


def _refusal_page(request: HttpRequest, shown: Any, form: ReasonForm, status: int = 200) -> HttpResponse:
    context = {
        "refusal": shown,
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "may_act": shown.lifted_at is None and has_role(request.membership, *OPERATOR_ROLES),
        "form": form,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "side": "operator",
    }
    return render(request, "market/consoles/fairness/refusal.html", context, status=status)


@require_POST
@role_required(kinds=KINDS)
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(refusals_of(operator=own(request)), pk=pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _refusal_page(request, shown, form, status=422)
    named: dict[str, Any] = {"reason": form.cleaned_data["reason"], "user": request.user, "at": clock.now()}
    attempt(request, lambda: supply_lift(refusal=shown, **named), _("Lifted. The organisation has been told and can buy again."))
    return redirect("operator-supply-refusal", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS)
def flag(request: HttpRequest, pk: int) -> HttpResponse:
    """A finding about the operator's own product; people who set prices explain it."""
    shown = get_object_or_404(flags_of(operator=own(request)), pk=pk)
    form = ExplanationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        named: dict[str, Any] = {"explanation": form.cleaned_data["explanation"], "user": request.user, "at": clock.now()}
        attempt(request, lambda: flag_explain(flag=shown, **named), _("Explained. The price regulator decides now."))
        return redirect("operator-supply-flag", pk=pk)
    context = {
        "flag": shown,
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "may_act": shown.state == "open" and has_role(request.membership, *EXPLAINERS),
        "form": form,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "side": "operator",
    }
    return render(request, "market/consoles/fairness/flag.html", context, status=422 if form.errors else 200)
