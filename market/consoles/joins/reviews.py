"""Reviews of products held together: the buyer asks and reads, a reviewer of the handling body decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from market.consoles.acts import blame
from market.consoles.joins.menu import BUYERS, OFFICES
from market.storefront import baskets
from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.catalogue.concepts import named
from products.catalogue.models import DataProduct
from products.record import cases, clock
from products.record.refusals import Refused
from settlement.entitlements import joint
from settlement.entitlements.models import JoinReview

PAGE_SIZE = 50
REVIEWERS = ("reviewer", "decider")


class RequestForm(forms.Form):
    statement = forms.CharField(
        label=gettext_lazy("Why you need them together, and how you keep them apart"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("For example: who sees which answers, where they are kept, when they are deleted."),
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[("allow", gettext_lazy("Allow under conditions")), ("refuse", gettext_lazy("Refuse"))],
        widget=forms.RadioSelect,
    )
    valid_to = forms.DateField(
        label=gettext_lazy("Allowed until (last day)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    conditions = forms.CharField(
        label=gettext_lazy("Conditions of the allowance"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The buyer reads it."),
    )


@require_safe
@role_required(kinds=BUYERS)
def own_reviews(request: HttpRequest) -> HttpResponse:
    found = joint.reviews_of(organisation=request.membership.organisation)
    return _list(request, found, "buyer-join")


@require_safe
@role_required(kinds=OFFICES, roles=REVIEWERS)
def queue(request: HttpRequest) -> HttpResponse:
    return _list(request, joint.reviews_before(office=request.membership.organisation), "join-review")


def _list(request: HttpRequest, found: Any, address: str) -> HttpResponse:
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/consoles/joins/reviews.html", {"page": page, "address": address})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=BUYERS)
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a review of one product and rule; both come with the address."""
    own, now = request.membership.organisation, clock.now()
    product = get_object_or_404(
        DataProduct.objects.select_related("authorisation__authorising_body"), code=request.GET.get("product")
    )
    beside = _in_baskets(own, now)
    found = joint.join_check(organisation=own, product=product, at=now, beside=beside)
    finding = next((each for each in found if str(each.rule.pk) == request.GET.get("rule")), None)
    if finding is None:
        raise Http404
    if finding.review is not None:
        return redirect("buyer-join", pk=finding.review.pk)
    form = RequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            about: dict[str, Any] = {"organisation": own, "product": product, "rule": finding.rule, "beside": beside}
            review = joint.join_review_request(**about, statement=form.cleaned_data["statement"], user=request.user, at=now)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Asked. The authorising body decides; your basket stays as it is until then."))
            return redirect("buyer-join", pk=review.pk)
    context = {
        "finding": finding,
        "form": form,
        "handler": joint.handler_of(product),
        "may_act": has_role(request.membership, *joint.BUYER_ROLES),
    }
    return render(request, "market/consoles/joins/new.html", context, status=422 if form.errors else 200)


def _in_baskets(organisation: Any, at: Any) -> list[DataProduct]:
    """What stands in the organisation's open baskets: it would be held together too."""
    return [line.product for view in baskets.baskets_of(organisation=organisation, at=at) for line in view.lines]


@require_safe
@role_required(kinds=BUYERS)
def own_review(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(joint.reviews_of(organisation=request.membership.organisation), pk=pk)
    return _page(request, shown, "buyer", None)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OFFICES, roles=REVIEWERS)
def review(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(joint.reviews_before(office=request.membership.organisation), pk=pk)
    form = DecisionForm(request.POST or None, initial={"valid_to": clock.today() + timedelta(days=365)})
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        is_allowed = given.pop("decision") == "allow"
        try:
            joint.join_review_decide(review=shown, is_allowed=is_allowed, user=request.user, at=clock.now(), **given)
        except Refused as refused:
            blame(form, refused)
        else:
            done = (
                _("Allowed. The buyer is told and can order.") if is_allowed else _("Refused. The buyer is told and reads why.")
            )
            messages.success(request, done)
            return redirect("join-review", pk=pk)
    return _page(request, shown, "office", form, status=422 if form.errors else 200)


def _page(request: HttpRequest, shown: JoinReview, side: str, form: forms.Form | None, status: int = 200) -> HttpResponse:
    codes = [each["product"] for each in shown.held]
    products = {product.code: product for product in DataProduct.objects.filter(code__in=codes)}
    context = {
        "review": shown,
        "side": side,
        "adds": named(set(shown.rule.concepts) & set(shown.product.concepts)),
        "held": [(products.get(each["product"]), named(each["concepts"])) for each in shown.held],
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "history": shown.case.events.select_related("actor").order_by("at", "id") if shown.case else [],
        "form": form,
        "may_act": side == "office"
        and shown.state == JoinReview.State.REQUESTED
        and joint.may_decide_join(user=request.user, review=shown),
    }
    return render(request, "market/consoles/joins/review.html", context, status=status)
