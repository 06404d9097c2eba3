"""The steps that people take on a permitted revenue: one domain call each, its refusal beside the words that were typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from market.consoles.acts import blame
from market.consoles.revenue.access import office, visible
from market.consoles.revenue.forms import NoteForm, OpinionForm, ReasonForm, TextForm
from market.consoles.revenue.menu import KINDS
from market.consoles.revenue.views import show
from market.storefront.access import role_required
from pricing.models import PermittedRevenue
from pricing.revenue.assessments import assessment_confirm
from pricing.revenue.permitted import (
    opinion_add,
    permitted_revenue_agree,
    permitted_revenue_determine,
    permitted_revenue_open,
    permitted_revenue_send_back,
    permitted_revenue_withdraw,
)
from products.models import User
from products.organisations.models import Organisation
from products.record import clock
from products.record.refusals import Refused
from settlement.oversight.assessing import assess
from settlement.oversight.warnings import warning_note

Act = Callable[[PermittedRevenue, Organisation, User, datetime, dict[str, Any], str], Any]


def _open(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return permitted_revenue_open(permitted_revenue=own, user=user, at=at)


def _opinion(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return opinion_add(permitted_revenue=own, organisation=here, stance=data["stance"], text=data["text"], user=user, at=at)


def _agree(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return permitted_revenue_agree(permitted_revenue=own, user=user, at=at, text=data["text"])


def _send_back(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return permitted_revenue_send_back(permitted_revenue=own, organisation=here, reason=data["reason"], user=user, at=at)


def _determine(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return permitted_revenue_determine(permitted_revenue=own, user=user, at=at)


def _withdraw(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return permitted_revenue_withdraw(permitted_revenue=own, reason=data["reason"], user=user, at=at)


def _assess(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return assess(permitted_revenue=own, user=user, at=at)


def _confirm(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    return assessment_confirm(assessment=get_object_or_404(own.assessments, confirmed_at=None), user=user, at=at)


def _note(own: PermittedRevenue, here: Organisation, user: User, at: datetime, data: dict[str, Any], item: str) -> Any:
    warning = get_object_or_404(own.warnings, pk=int(item) if item.isdecimal() else 0)
    return warning_note(warning=warning, note=data["note"], user=user, at=at)


STEPS: dict[str, tuple[Act, type[forms.Form], Callable[[], str]]] = {
    "open": (_open, forms.Form, lambda: _("Opened: operator, authorising body and data bureau have been asked.")),
    "opinion": (_opinion, OpinionForm, lambda: _("Your opinion is on file for both bodies to read.")),
    "agree": (_agree, TextForm, lambda: _("Agreed. Another person of the price regulator determines now.")),
    "send-back": (_send_back, ReasonForm, lambda: _("Sent back with your reason; it is a draft again.")),
    "determine": (_determine, forms.Form, lambda: _("Determined and in force by its period; the numbered document is public.")),
    "withdraw": (_withdraw, ReasonForm, lambda: _("Withdrawn. A new draft can be made.")),
    "assess": (_assess, forms.Form, lambda: _("Assessed. Another person of the price regulator confirms it.")),
    "confirm": (_confirm, forms.Form, lambda: _("Confirmed. The next draft deducts what is carried.")),
    "note": (_note, NoteForm, lambda: _("Noted; the case of this warning is closed.")),
}


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    if step not in STEPS:
        raise Http404
    own = get_object_or_404(visible(request), pk=pk)
    act, form_class, done = STEPS[step]
    form = form_class(request.POST)
    if form.is_valid():
        try:
            act(own, office(request), request.user, clock.now(), form.cleaned_data, request.POST.get("item", ""))
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, done())
            assert request.resolver_match is not None
            return redirect(f"{request.resolver_match.namespace}:page", pk=pk)
    return show(request, get_object_or_404(visible(request), pk=pk), {step: form}, status=422)
