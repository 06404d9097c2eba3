"""Draft a permitted revenue: choose the operation, type, watch the arithmetic, save."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import blame
from market.consoles.revenue.access import office, operations, visible
from market.consoles.revenue.forms import DraftForm, initial_of, plain
from market.consoles.revenue.shown import figure_rows
from market.consoles.revenue.views import _without
from market.storefront.access import role_required
from pricing.models import PermittedRevenue
from pricing.revenue.permitted import REGULATOR_ROLES, permitted_revenue_draft, permitted_revenue_revise
from pricing.revenue.permitted_work import problems, rules_for, work_out
from pricing.revenue.standing import first_complete_year
from products.models import Authorisation
from products.record import clock
from products.record.refusals import Refused

REGULATOR = {"kinds": {"price_regulator"}, "roles": REGULATOR_ROLES}


@require_safe
@role_required(**REGULATOR)
def choose(request: HttpRequest) -> HttpResponse:
    """Which operation: those of the region that have no maximum for today come first."""
    found = operations(request)
    context = {"operations": found[:200], "standing": {row.authorisation.pk: row for row in _without(found[:200], clock.today())}}
    return render(request, "market/consoles/revenue/choose.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(**REGULATOR)
def draft(request: HttpRequest, authorisation: int) -> HttpResponse:
    own = get_object_or_404(operations(request), pk=authorisation)
    form = DraftForm(request.POST or None, authorisation=own, initial=_suggested(own))
    worked = _try(request, own, form) if request.method == "POST" else None
    if worked and worked["ok"] and "save" in request.POST:
        try:
            made = permitted_revenue_draft(
                authorisation=own, regulator=office(request), inputs=form.inputs(), user=request.user, at=clock.now()
            )
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Draft saved. Next: open it for opinions."))
            return redirect("regulator-revenue:page", pk=made.pk)
    return _form_page(request, own, form, worked)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(**REGULATOR)
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Work a draft out anew, after it was sent back or before it is opened."""
    shown = get_object_or_404(visible(request).filter(regulator=office(request), state="draft"), pk=pk)
    form = DraftForm(request.POST or None, authorisation=shown.authorisation, initial=initial_of(shown))
    worked = _try(request, shown.authorisation, form) if request.method == "POST" else None
    if worked and worked["ok"] and "save" in request.POST:
        try:
            permitted_revenue_revise(permitted_revenue=shown, inputs=form.inputs(), user=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Worked out anew and saved."))
            return redirect("regulator-revenue:page", pk=pk)
    return _form_page(request, shown.authorisation, form, worked, shown)


@require_POST
@role_required(**REGULATOR)
def work(request: HttpRequest, authorisation: int) -> HttpResponse:
    """The arithmetic beside the form, while someone types."""
    own = get_object_or_404(operations(request), pk=authorisation)
    form = DraftForm(request.POST, authorisation=own)
    return render(request, "market/consoles/revenue/worked.html", {"worked": _try(request, own, form), "form": form})


def _try(request: HttpRequest, own: Authorisation, form: DraftForm) -> dict[str, Any]:
    """The figures of what was typed, or every problem beside its field."""
    if not form.is_valid():
        return {"ok": False}
    on, inputs = clock.today(), form.inputs()
    found = list(problems(authorisation=own, regulator=office(request), inputs=inputs, on=on, rules=rules_for(own, on)))
    for refused in found:
        blame(form, refused)
    if found:
        return {"ok": False}
    worked = work_out(authorisation=own, regulator=office(request), inputs=inputs, on=on)
    return {"ok": True, "figures": figure_rows(worked.figures), "amount_minor": worked.amounts.amount_minor}


def _form_page(
    request: HttpRequest,
    own: Authorisation,
    form: DraftForm,
    worked: dict[str, Any] | None,
    shown: PermittedRevenue | None = None,
) -> HttpResponse:
    is_bad = request.method == "POST" and not (worked and worked["ok"] and not form.errors)
    on = clock.today()
    context = {
        "authorisation": own,
        "form": form,
        "worked": worked,
        "own": shown,
        "rules": rules_for(own, on),
        "complete": first_complete_year(authorisation=own),
        "today": on,
    }
    return render(request, "market/consoles/revenue/draft.html", context, status=422 if is_bad else 200)


def _suggested(own: Authorisation) -> dict[str, Any]:
    """A first guess: this calendar year, or what is left of the authorisation in it."""
    today = clock.today()
    audited = own.cost_filings.filter(state="audited", year__lt=today.year).order_by("-year", "-version").first()
    rules = rules_for(own, today)
    return {
        "from_date": date(today.year, 1, 1),
        "to_date": min(date(today.year, 12, 31), own.to_date),
        "filings": [audited.pk] if audited else [],
        "income_tax_rate": plain(Decimal(rules["income_tax_rate"]["value"]) * 100),
    }
