"""Withdrawals of consent: the buyer's page, what people told the buyer, and the public page where they tell it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.core.validators import RegexValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from market.consoles.acts import blame
from market.consoles.consents.menu import BUYERS
from market.gateway.consent import REFERENCE, reference_digest
from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.record import cases, clock
from products.record.models import CaseState
from products.record.refusals import Refused
from settlement.entitlements.consents import (
    MOST_NOTE,
    WITHDRAWERS,
    consent_withdraw,
    told_answer,
    told_to,
    withdrawal_told,
    withdrawals_of,
)

PAGE_SIZE = 50
_FORM = RegexValidator(REFERENCE, gettext_lazy("1 to 120 printable ASCII characters, without quote and backslash."))


class WithdrawForm(forms.Form):
    """What ``POST /v1/consents/withdrawals`` takes, for a person."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of the consent"),
        max_length=120,
        strip=False,
        validators=[_FORM],
        help_text=gettext_lazy("Exactly as your calls name it in the header Consent. Only a keyed digest of it is kept."),
    )
    withdrawn_at = forms.DateTimeField(
        label=gettext_lazy("When the person withdrew"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Left empty: now. Never in the future."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=MOST_NOTE)


class AnswerForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("Answer"),
        choices=[
            ("recorded", gettext_lazy("It is our consent: record the withdrawal now")),
            ("not_ours", gettext_lazy("It is not a consent of ours")),
        ],
        widget=forms.RadioSelect,
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of the consent"),
        max_length=120,
        strip=False,
        required=False,
        validators=[_FORM],
        help_text=gettext_lazy("As your calls name it; people may know another form of it."),
    )
    text = forms.CharField(
        label=gettext_lazy("What you checked and how you answered the person"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("outcome") == "recorded" and not given.get("reference") and "reference" not in self.errors:
            self.add_error("reference", _("Name the reference whose calls should stop."))
        return given


class TellForm(forms.Form):
    uscc = forms.CharField(
        label=gettext_lazy("Unified social credit code of the organisation"),
        max_length=18,
        help_text=gettext_lazy("18 characters"),
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of the consent"),
        max_length=120,
        help_text=gettext_lazy("It stands on the form that you signed or in the message that you got."),
    )
    contact = forms.CharField(
        label=gettext_lazy("How the organisation can reach you"),
        max_length=200,
        help_text=gettext_lazy("A telephone number or an address. Only the organisation reads it."),
    )
    text = forms.CharField(
        label=gettext_lazy("What you want to add"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=BUYERS)
def consents(request: HttpRequest) -> HttpResponse:
    """Record a withdrawal; those recorded; what people told from outside."""
    own = request.membership.organisation
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _withdraw(request, form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            return redirect("consents")
    context = {
        "page": Paginator(withdrawals_of(organisation=own), PAGE_SIZE).get_page(request.GET.get("page")),
        "told": told_to(organisation=own)[:PAGE_SIZE],
        "form": form,
        "may_act": has_role(request.membership, *WITHDRAWERS),
    }
    return render(request, "market/consoles/consents/consents.html", context, status=422 if form.errors else 200)


def _withdraw(request: HttpRequest, given: dict[str, Any]) -> None:
    own, reference = request.membership.organisation, given["reference"]
    moments = {"withdrawn_at": given.get("withdrawn_at"), "at": clock.now()}
    texts = {"note": given.get("note", ""), "reference_digest": reference_digest(own.pk, reference)}
    withdrawn = consent_withdraw(organisation=own, user=request.user, **moments, **texts)
    said = _("Recorded. From now on every call that names it is refused; earlier calls stay lawful.")
    messages.success(request, said if withdrawn.is_new else _("This withdrawal was recorded before; the first one stands."))


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=BUYERS)
def told(request: HttpRequest, pk: int) -> HttpResponse:
    """What a person told from outside: check it, record the withdrawal, or say that the consent is not yours."""
    own = request.membership.organisation
    case = get_object_or_404(told_to(organisation=own), pk=pk)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given, is_ours = form.cleaned_data, form.cleaned_data["outcome"] == "recorded"
        try:
            with transaction.atomic():
                if is_ours:
                    _withdraw(request, {"reference": given["reference"]})
                named = {"organisation": own, "is_recorded": is_ours, "text": given["text"]}
                told_answer(case=case, user=request.user, at=clock.now(), **named)
        except Refused as refused:
            blame(form, refused)
        else:
            if not is_ours:
                messages.success(request, _("Closed. Tell the person what you found."))
            return redirect("consent-told", pk=pk)
    context = {
        "case": case,
        "left": cases.days_left(case=case, today=clock.today()),
        "history": case.events.select_related("actor").order_by("at", "id"),
        "form": form,
        "may_act": case.state != CaseState.CLOSED and has_role(request.membership, *WITHDRAWERS),
    }
    return render(request, "market/consoles/consents/told.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest) -> HttpResponse:
    """Public: a person tells an organisation that a consent is withdrawn. It becomes its case; no call stops by it."""
    form, sent = TellForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            sent = withdrawal_told(**form.cleaned_data, at=clock.now())
        except Refused as refused:
            blame(form, refused)
    context = {"form": form, "sent": sent}
    return render(request, "market/consoles/consents/tell.html", context, status=422 if form.errors else 200)
