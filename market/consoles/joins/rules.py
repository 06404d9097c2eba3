"""Join rules: the list, a proposal by one person of a data bureau or the platform, the agreement of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.authority.forms import ReasonForm
from market.consoles.joins.menu import OFFICES
from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.catalogue import joins
from products.catalogue.concepts import LISTED, STATISTICS, named
from products.catalogue.models import JoinRule
from products.record import clock, proposals
from products.record.models import Proposal
from products.record.refusals import Refused

PAGE_SIZE = 50
TOO_LONG = 2000


class RuleForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=64)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=100, required=False)
    concepts = forms.MultipleChoiceField(
        label=gettext_lazy("What nobody holds together without a review"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("At least two. A buyer who has products that tell all of them meets the rule."),
    )
    explanation = forms.CharField(
        label=gettext_lazy("Why together they point to somebody, in Chinese"),
        max_length=TOO_LONG,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    explanation_en = forms.CharField(
        label=gettext_lazy("The same in English"), max_length=TOO_LONG, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    from_date = forms.DateField(
        label=gettext_lazy("In force from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["concepts"].choices = [(each.code, str(each)) for each in LISTED if each.code != STATISTICS]


class EndForm(forms.Form):
    to_date = forms.DateField(label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=TOO_LONG, widget=forms.Textarea(attrs={"rows": 3}))


def may_act(request: HttpRequest) -> bool:
    own = request.membership
    return joins.may_make_join_rules(own.organisation) and has_role(own, *joins.MAKER_ROLES)


@require_safe
@role_required(kinds=OFFICES)
def rules(request: HttpRequest) -> HttpResponse:
    """All rules with what they join, and the proposals of one's own body."""
    found = [(rule, named(rule.concepts)) for rule in JoinRule.objects.order_by("-from_date", "id")]
    own = joins.join_proposals().filter(organisation=request.membership.organisation)
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"rules": found, "page": page, "may_act": may_act(request), "today": clock.today()}
    return render(request, "market/consoles/joins/rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OFFICES)
def new(request: HttpRequest) -> HttpResponse:
    form = RuleForm(request.POST or None)

    def propose() -> Proposal:
        own = request.membership.organisation
        return joins.join_rule_propose(organisation=own, user=request.user, at=clock.now(), **form.cleaned_data)

    return _propose(request, form, propose, {"title": _("Propose a join rule")})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OFFICES)
def end(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(JoinRule, pk=pk, to_date=None)
    form = EndForm(request.POST or None)

    def propose() -> Proposal:
        named_: dict[str, Any] = {"rule": rule, "organisation": request.membership.organisation, "user": request.user}
        return joins.join_rule_end_propose(**named_, at=clock.now(), **form.cleaned_data)

    return _propose(request, form, propose, {"title": _("Propose to end a join rule"), "rule": rule})


def _propose(request: HttpRequest, form: forms.Form, act: Callable[[], Proposal], context: dict[str, Any]) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            proposed = act()
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Proposed. A colleague reads it and agrees or rejects it."))
            return redirect("join-proposal", pk=proposed.pk)
    context |= {"form": form, "may_act": may_act(request)}
    return render(request, "market/consoles/joins/rule_form.html", context, status=422 if form.errors else 200)


@require_safe
@role_required(kinds=OFFICES)
def proposal(request: HttpRequest, pk: int) -> HttpResponse:
    return _proposal_page(request, _own(request, pk), ReasonForm())


@require_POST
@role_required(kinds=OFFICES)
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = _own(request, pk)
    named_: dict[str, Any] = {"proposal": shown, "user": request.user, "at": clock.now()}
    if step == "agree":
        attempt(request, lambda: joins.join_rule_agree(**named_), _("Agreed. It holds from its date for every purchase."))
    elif step == "withdraw":
        attempt(request, lambda: proposals.withdraw(**named_), _("Taken back. Nothing changes."))
    elif step == "reject":
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return _proposal_page(request, shown, form, status=422)
        reason = form.cleaned_data["reason"]
        attempt(request, lambda: joins.join_rule_reject(reason=reason, **named_), _("Rejected with your reason."))
    else:
        raise Http404
    return redirect("join-proposal", pk=pk)


def _own(request: HttpRequest, pk: int) -> Proposal:
    return get_object_or_404(joins.join_proposals().filter(organisation=request.membership.organisation), pk=pk)


def _proposal_page(request: HttpRequest, shown: Proposal, form: ReasonForm, status: int = 200) -> HttpResponse:
    context = {
        "proposal": shown,
        "is_end": shown.act == joins.END,
        "concepts": named(shown.content.get("concepts", ())),
        "is_mine": shown.proposed_by_id == request.user.pk,
        "may_act": may_act(request),
        "reason_form": form,
    }
    return render(request, "market/consoles/joins/proposal.html", context, status=status)
