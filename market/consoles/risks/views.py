"""Risk cases: the queue and a case for the body that decides, and the same for the buyer, who may explain."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import blame
from market.consoles.authority.forms import ReasonForm
from market.consoles.case_kinds import kind_label
from market.consoles.risks.menu import BUYERS, OFFICES
from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.record import cases, clock
from products.record.calendar import load
from products.record.models import Case, CaseState
from products.record.refusals import Refused
from settlement.entitlements import risk
from settlement.entitlements.models import Entitlement

PAGE_SIZE = 50
OUTCOMES = [
    (risk.DISMISSED, gettext_lazy("Dismiss: nothing wrong was done")),
    (risk.WARNED, gettext_lazy("Warn: calls go on")),
    (risk.SUSPENDED, gettext_lazy("Suspend the entitlement: its calls stop")),
]


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(label=gettext_lazy("Decision"), choices=OUTCOMES, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The buyer reads it."),
    )


class ExplanationForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What happened, and what you changed"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


@require_safe
@role_required(kinds=OFFICES)
def office_risks(request: HttpRequest) -> HttpResponse:
    return _list(request, risk.risks_before(office=request.membership.organisation), "office-risk")


@require_safe
@role_required(kinds=BUYERS)
def buyer_risks(request: HttpRequest) -> HttpResponse:
    return _list(request, risk.risks_of(organisation=request.membership.organisation), "buyer-risk")


def _list(request: HttpRequest, found: QuerySet[Case], address: str) -> HttpResponse:
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    held = Entitlement.objects.filter(pk__in=[int(case.object_id) for case in page]).select_related("organisation", "product")
    entitlements, today, calendar = {str(each.pk): each for each in held}, clock.today(), load()
    rows = [
        {
            "case": case,
            "kind": kind_label(case.kind),
            "entitlement": entitlements[case.object_id],
            "left": cases.days_left(case=case, today=today, calendar=calendar),
        }
        for case in page
    ]
    return render(request, "market/consoles/risks/risks.html", {"page": page, "rows": rows, "address": address})


@require_safe
@role_required(kinds=OFFICES)
def office_risk(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(risk.risks_before(office=request.membership.organisation), pk=pk)
    return _page(request, case, "office", form=DecisionForm())


@require_POST
@role_required(kinds=OFFICES)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(risk.risks_before(office=request.membership.organisation), pk=pk)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            risk.risk_close(case=case, user=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Decided. The buyer is told and reads your reason."))
            return redirect("office-risk", pk=pk)
    return _page(request, case, "office", form=form, status=422)


@require_POST
@role_required(kinds=OFFICES)
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the calls go on that the case suspended."""
    case = get_object_or_404(risk.risks_before(office=request.membership.organisation), pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            risk.risk_resume(case=case, reason=form.cleaned_data["reason"], user=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("The entitlement is active again; its calls go on within a second."))
            return redirect("office-risk", pk=pk)
    return _page(request, case, "office", form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=BUYERS)
def buyer_risk(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(risk.risks_of(organisation=request.membership.organisation), pk=pk)
    form = ExplanationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            risk.risk_explain(case=case, text=form.cleaned_data["text"], user=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Your explanation is on the file; the authorising body reads it before it decides."))
            return redirect("buyer-risk", pk=pk)
    return _page(request, case, "buyer", form=form, status=422 if form.errors else 200)


def _page(request: HttpRequest, case: Case, side: str, *, form: forms.Form, status: int = 200) -> HttpResponse:
    entitlement = risk.entitlement_of(case)
    roles = risk.DECIDERS if side == "office" else risk.BUYERS
    may_resume = case.outcome == risk.SUSPENDED and entitlement.state == Entitlement.State.SUSPENDED and side == "office"
    context: dict[str, Any] = {
        "case": case,
        "kind": kind_label(case.kind),
        "side": side,
        "entitlement": entitlement,
        "left": cases.days_left(case=case, today=clock.today()),
        "history": case.events.select_related("actor").order_by("at", "id"),
        "refusals": risk.refusals_behind(case=case),
        "outcome": dict(OUTCOMES).get(case.outcome, ""),
        "may_act": case.state != CaseState.CLOSED and has_role(request.membership, *roles),
        "may_resume": may_resume and has_role(request.membership, *roles),
        "form": ReasonForm() if may_resume and not form.errors else form,
    }
    return render(request, "market/consoles/risks/risk.html", context, status=status)
