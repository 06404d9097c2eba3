"""Equal treatment before the price regulator; the data bureau reads it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import attempt
from market.consoles.fairness import selectors
from market.consoles.fairness.forms import ReasonForm
from market.consoles.fairness.menu import REGULATORS
from market.consoles.fairness.sheets import sheet_response
from market.storefront.access import role_required
from pricing.tariffs.supply import statistics, supply_let_stand, supply_order_lifted
from products.models import Organisation
from products.organisations.models import OrganisationKind
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.calendar import load
from products.record.refusals import Refused
from settlement.billing.models import BillingMonth
from settlement.oversight.concentration import exclusive_resources
from settlement.oversight.equal_treatment import REGULATOR_ROLES, findings, flag_decide

PAGE_SIZE = 50
TABS = ("flags", "refusals", "concentration", "running")


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


@require_safe
@role_required(kinds=REGULATORS)
def fairness(request: HttpRequest) -> HttpResponse:
    """Findings with their clocks, refusals, concentration, or a look at the running month: one tab a request."""
    tab = request.GET.get("show", "flags")
    tab = tab if tab in TABS else "flags"
    context = {"tab": tab, "today": clock.today()} | _TABS[tab](request)
    return render(request, f"market/consoles/fairness/{tab}.html", context)


def _flags(request: HttpRequest) -> dict[str, Any]:
    page = Paginator(selectors.flags_before(office(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    left = {flag.pk: cases.days_left(case=flag.case, today=today, calendar=calendar) for flag in page if flag.case}
    return {"page": page, "rows": [(flag, left.get(flag.pk)) for flag in page]}


def _refusals(request: HttpRequest) -> dict[str, Any]:
    found = selectors.refusals_before(office(request))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    left = {each.pk: cases.days_left(case=each.case, today=today, calendar=calendar) for each in page if each.case}
    return {"page": page, "rows": [(each, left.get(each.pk)) for each in page], "statistics": statistics(refusals=found)}


def _concentration(request: HttpRequest) -> dict[str, Any]:
    span = selectors.span_asked(request.GET.dict())
    operators = selectors.operators_before(office(request))
    rows = selectors.concentration_rows(span, operators)
    exclusive = exclusive_resources(on=clock.today(), operators=operators)
    return {"span": span, "pairs": [(row, True) for row in rows], "chart": selectors.chart_of(rows), "exclusive": exclusive}


def _running(request: HttpRequest) -> dict[str, Any]:
    """What a close now would flag in the earliest month that is open; nothing is kept."""
    open_month = BillingMonth.objects.filter(state=BillingMonth.State.OPEN).order_by("month").first()
    month = open_month.month if open_month else clock.today().replace(day=1)
    operators = set(selectors.operators_before(office(request)))
    try:
        found = [(p, a, b) for p, a, b in findings(month=month) if a.entitlement.operator_id in operators]
    except Refused as refusal:
        return {"month": month, "refusal": refusal}
    return {
        "month": month,
        "rows": [(pair, first.entitlement.product, first.facts, second.facts) for pair, first, second in found],
    }


_TABS = {"flags": _flags, "refusals": _refusals, "concentration": _concentration, "running": _running}


@require_safe
@role_required(kinds=REGULATORS)
def file(request: HttpRequest, name: str, ending: str) -> HttpResponse:
    """A tab's list as CSV or XLSX."""
    if name == "flags":
        header, rows = selectors.flag_rows(selectors.flags_before(office(request)))
    elif name == "refusals":
        header, rows = selectors.refusal_rows(selectors.refusals_before(office(request)))
    else:
        span = selectors.span_asked(request.GET.dict())
        found = selectors.concentration_rows(span, selectors.operators_before(office(request)))
        header, rows = selectors.concentration_table(found)
    return sheet_response(name=f"{name}-{clock.today().isoformat()}", ending=ending, header=header, rows=rows)


@require_safe
@role_required(kinds=REGULATORS)
def flag(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(selectors.flags_before(office(request)), pk=pk)
    return _flag_page(request, shown, ReasonForm())


def _flag_page(request: HttpRequest, shown: Any, form: ReasonForm, status: int = 200) -> HttpResponse:
    left = cases.days_left(case=shown.case, today=clock.today()) if shown.case else None
    decides = office(request).kind == OrganisationKind.PRICE_REGULATOR and has_role(
        request.user, office(request), *REGULATOR_ROLES
    )
    context = {
        "flag": shown,
        "left": left,
        "may_act": decides and (shown.state == "explained" or (shown.state == "open" and left is not None and left.is_late)),
        "form": form,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "side": "regulator",
    }
    return render(request, "market/consoles/fairness/flag.html", context, status=status)


@require_POST
@role_required(kinds={"price_regulator"})
def decide(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = get_object_or_404(selectors.flags_before(office(request)), pk=pk)
    if step not in ("uphold", "dismiss"):
        raise Http404
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _flag_page(request, shown, form, status=422)
    named: dict[str, Any] = {"user": request.user, "at": clock.now(), "reason": form.cleaned_data["reason"]}
    done = _("Upheld. The operator and the buyer that paid more have been told.") if step == "uphold" else _("Dismissed.")
    attempt(request, lambda: flag_decide(flag=shown, is_upheld=step == "uphold", **named), done)
    return redirect("regulator-fairness-flag", pk=pk)


@require_safe
@role_required(kinds=REGULATORS)
def refusal(request: HttpRequest, pk: int) -> HttpResponse:
    return _refusal_page(request, get_object_or_404(selectors.refusals_before(office(request)), pk=pk), ReasonForm())


def _refusal_page(request: HttpRequest, shown: Any, form: ReasonForm, status: int = 200) -> HttpResponse:
    is_regulator = office(request).kind == OrganisationKind.PRICE_REGULATOR
    context = {
        "refusal": shown,
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "may_act": is_regulator and shown.lifted_at is None and has_role(request.user, office(request), *REGULATOR_ROLES),
        "has_complaint": shown.case is not None and shown.case.state != "closed",
        "form": form,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "side": "regulator",
    }
    return render(request, "market/consoles/fairness/refusal.html", context, status=status)


@require_POST
@role_required(kinds={"price_regulator"})
def refusal_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = get_object_or_404(selectors.refusals_before(office(request)), pk=pk)
    steps = {
        "lift": (supply_order_lifted, _("Ordered lifted. Both sides have been told; the organisation can buy again.")),
        "stand": (supply_let_stand, _("The refusal stands. Both sides have been told.")),
    }
    if step not in steps:
        raise Http404
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _refusal_page(request, shown, form, status=422)
    act, done = steps[step]
    reason = form.cleaned_data["reason"]
    attempt(request, lambda: act(refusal=shown, reason=reason, user=request.user, at=clock.now()), done)
    return redirect("regulator-fairness-refusal", pk=pk)
