"""The rules of the acting body's place: its versions, proposals, and the two people that a new version takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.authority.forms import ReasonForm
from market.consoles.rules.forms import PREFIX, RulesForm
from market.consoles.rules.menu import KINDS
from market.disclosure.rule_rows import pairs_of_diff, places
from market.storefront.access import role_required
from products.models import Organisation
from products.organisations.selectors import has_role
from products.record import clock
from products.record.jurisdictions import LEVELS, NATIONAL, chain, jurisdiction_of, level_of, place_name
from products.record.models import Proposal, RuleSet
from products.record.refusals import Refused
from products.record.rule_proposals import (
    PROPOSERS,
    rule_proposals_of,
    rule_set_approve,
    rule_set_propose,
    rule_set_reject,
    rule_set_withdraw,
)
from products.record.rule_sets import diff, rules_on, versions

PAGE_SIZE = 20


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def _place(request: HttpRequest) -> dict[str, Any]:
    code = jurisdiction_of(office(request).region)
    return {"code": code, "place": place_name(code), "level": LEVELS[level_of(code)]}


def may_act(request: HttpRequest) -> bool:
    return has_role(request.user, office(request), *PROPOSERS)


@require_safe
@role_required(kinds=KINDS)
def rules(request: HttpRequest) -> HttpResponse:
    """The versions of one's own place and the levels above it, and what was proposed."""
    here = _place(request)
    shown = places(RuleSet.objects.filter(jurisdiction__in=chain(here["code"])), clock.today())
    page = Paginator(rule_proposals_of(office(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    context = here | {"places": shown[::-1], "page": page, "may_act": may_act(request)}
    return render(request, "market/consoles/rules/rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS)
def new(request: HttpRequest) -> HttpResponse:
    """Propose the next version: the form begins with the values of the one before."""
    here = _place(request)
    before = versions(here["code"]).last()
    above = chain(here["code"])[1:]
    named: dict[str, Any] = {
        "jurisdiction": here["code"],
        "values": before.parameters if before else {},
        "above": rules_on(on=clock.today(), jurisdiction=above[0]) if above else {},
    }
    begin = {"name": before.name, "name_en": before.name_en, "source": before.source} if before else {}
    form = RulesForm(request.POST or None, initial=begin, **named)
    if request.method == "POST" and form.is_valid():
        fields = {key: form.cleaned_data[key] for key in ("name", "name_en", "source", "from_date", "reason", "parameters")}
        try:
            proposed = rule_set_propose(organisation=office(request), user=request.user, at=clock.now(), **fields)
        except Refused as refused:
            refused.field = f"{PREFIX}{refused.field}" if f"{PREFIX}{refused.field}" in form.fields else refused.field
            blame(form, refused)
        else:
            messages.success(request, _("Proposed. A colleague compares it with the version before and approves or rejects it."))
            return redirect("rules-proposal", pk=proposed.pk)
    context = here | {"form": form, "before": before, "is_national": here["code"] == NATIONAL, "may_act": may_act(request)}
    return render(request, "market/consoles/rules/new.html", context, status=422 if form.errors else 200)


@require_safe
@role_required(kinds=KINDS)
def proposal(request: HttpRequest, pk: int) -> HttpResponse:
    return _proposal_page(request, get_object_or_404(rule_proposals_of(office(request)), pk=pk), ReasonForm())


def _proposal_page(request: HttpRequest, shown: Proposal, form: ReasonForm, status: int = 200) -> HttpResponse:
    before = RuleSet.objects.filter(pk=shown.content["before"]).first()
    context = _place(request) | {
        "proposal": shown,
        "before": before,
        "pairs": pairs_of_diff(diff(before or {}, shown.content["parameters"])),
        "is_mine": shown.proposed_by_id == request.user.pk,
        "may_act": may_act(request),
        "reason_form": form,
    }
    return render(request, "market/consoles/rules/proposal.html", context, status=status)


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = get_object_or_404(rule_proposals_of(office(request)), pk=pk)
    named: dict[str, Any] = {"proposal": shown, "user": request.user, "at": clock.now()}
    steps: dict[str, tuple[Callable[..., Any], str]] = {
        "approve": (
            rule_set_approve,
            _("Approved. The rules come into force on their date; what began before keeps the old ones."),
        ),
        "withdraw": (rule_set_withdraw, _("Taken back. Nothing changes.")),
    }
    if step in steps:
        attempt(request, lambda: steps[step][0](**named), steps[step][1])
        return redirect("rules-proposal", pk=pk)
    if step == "reject":
        return _reject(request, shown, named)
    raise Http404


def _reject(request: HttpRequest, shown: Proposal, named: dict[str, Any]) -> HttpResponse:
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            rule_set_reject(**named, reason=form.cleaned_data["reason"])
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Rejected with your reason. The rules stay as they are."))
            return redirect("rules-proposal", pk=shown.pk)
    return _proposal_page(request, shown, form, status=422)
