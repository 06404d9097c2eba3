"""The egress allow-list: the operator's hosts with their requests and withdrawals; the reviewer's queue with the decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import blame
from market.consoles.operator.access import operator_of, publisher_page
from market.consoles.operator.forms import ReasonForm
from market.consoles.reviews.menu import KINDS
from market.storefront.access import role_required
from products.catalogue import remote_hosts
from products.catalogue.models import RemoteHost
from products.organisations.models import Role
from products.record import clock
from products.record.refusals import Refused

PAGE_SIZE = 25
MOST_TEXT = 2000
reviewer_page = role_required(kinds=KINDS, roles=(Role.REVIEWER,))
page_methods = require_http_methods(["GET", "HEAD", "POST"])


class RequestForm(forms.Form):
    host = forms.CharField(
        label=gettext_lazy("Host name"), max_length=253, help_text=gettext_lazy("For example api.example.com; no address.")
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"), initial=443, min_value=1, max_value=65535, help_text=gettext_lazy("443, or 1024 and above.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Which service runs there, and for which product"),
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The reviewer reads it."),
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[("allow", gettext_lazy("Allow the gateway to call it")), ("refuse", gettext_lazy("Refuse"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you checked and what decided. The operator reads it."),
    )


@page_methods
@publisher_page
def own_hosts(request: HttpRequest) -> HttpResponse:
    """What the operator asked for, and the form to ask for one more."""
    operator = operator_of(request)
    form = RequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            remote_hosts.remote_host_request(operator=operator, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Asked. A reviewer from outside your organisation decides; you read it here."))
            return redirect("remote-hosts")
    page = Paginator(remote_hosts.remote_hosts_of(operator=operator), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form}
    return render(request, "market/consoles/remote_hosts/own.html", context, status=422 if form.errors else 200)


@page_methods
@publisher_page
def own_host(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the operator's hosts; a POST withdraws it."""
    shown = get_object_or_404(remote_hosts.remote_hosts_of(operator=operator_of(request)), pk=pk)
    return _page(request, shown, "operator") if request.method != "POST" else _withdraw(request, shown, "operator")


@require_safe
@reviewer_page
def queue(request: HttpRequest) -> HttpResponse:
    is_open = request.GET.get("show") != "decided"
    found = remote_hosts.remote_hosts_for(reviewer=request.membership.organisation)
    if is_open:
        found = found.filter(state=RemoteHost.State.REQUESTED).order_by("requested_at", "id")
    else:
        found = found.exclude(state=RemoteHost.State.REQUESTED).order_by("-requested_at", "-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/consoles/remote_hosts/queue.html", {"page": page, "is_open": is_open})


@page_methods
@reviewer_page
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A request before its reviewer; a POST allows or refuses it."""
    shown = _before_reviewer(request, pk)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_allowed = form.cleaned_data["decision"] == "allow"
        reason = form.cleaned_data["reason"]
        try:
            remote_hosts.remote_host_decide(
                remote_host=shown, is_allowed=is_allowed, reason=reason, by=request.user, at=clock.now()
            )
        except Refused as refused:
            blame(form, refused)
        else:
            done = _("Allowed: releases may call it from now on.") if is_allowed else _("Refused. The operator reads why.")
            messages.success(request, done)
            return redirect("remote-host-requests")
    return _page(request, shown, "office", decision=form, status=422 if form.errors else 200)


@require_POST
@reviewer_page
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    return _withdraw(request, _before_reviewer(request, pk), "office")


def _withdraw(request: HttpRequest, shown: RemoteHost, side: str) -> HttpResponse:
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            remote_hosts.remote_host_withdraw(remote_host=shown, reason=reason, by=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Withdrawn: no gateway calls it any more within a second."))
            return redirect("remote-hosts" if side == "operator" else "remote-host-requests")
    return _page(request, shown, side, withdrawal=form, status=422)


def _before_reviewer(request: HttpRequest, pk: int) -> RemoteHost:
    return get_object_or_404(remote_hosts.remote_hosts_for(reviewer=request.membership.organisation), pk=pk)


def _page(request: HttpRequest, shown: RemoteHost, side: str, *, status: int = 200, **forms_: Any) -> HttpResponse:
    is_open = shown.state == RemoteHost.State.REQUESTED
    context = {
        "remote_host": shown,
        "side": side,
        "decision": forms_.get("decision", DecisionForm()),
        "withdrawal": forms_.get("withdrawal", ReasonForm()),
        "may_decide": side == "office" and (is_open or status != 200) and "withdrawal" not in forms_,
        "may_withdraw": shown.state == RemoteHost.State.ALLOWED or "withdrawal" in forms_ or (is_open and side == "operator"),
        "is_maker": shown.requested_by_id == request.user.pk,
    }
    return render(request, "market/consoles/remote_hosts/host.html", context, status=status)
