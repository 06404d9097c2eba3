"""A reviewer's queue and one review: what the operator states, the resources, the release with its sample, the decision."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles import trying
from market.consoles.pretty import pretty
from market.consoles.reviews.menu import KINDS
from market.consoles.reviews.selectors import queue_of, reviews_for
from market.storefront.access import role_required
from products.catalogue.concepts import named
from products.catalogue.models import Release, ReviewRecord
from products.catalogue.services import review_decide
from products.organisations.models import Role
from products.record import clock
from products.record.refusals import Refused

reviewer_page = role_required(kinds=KINDS, roles=(Role.REVIEWER,))


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[("passed", gettext_lazy("Pass")), ("failed", gettext_lazy("Do not pass"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you checked and what decided. The operator reads it."),
    )
    insists_on_consent = forms.BooleanField(
        label=gettext_lazy("Each call must name the consent of the person asked about"),
        required=False,
        help_text=gettext_lazy("From now on, whatever the operator files. Calls without it are refused."),
    )


@require_safe
@reviewer_page
def queue(request: HttpRequest) -> HttpResponse:
    is_open = request.GET.get("show") != "decided"
    found = queue_of(organisation=request.membership.organisation, is_open=is_open)
    page = Paginator(found, 25).get_page(request.GET.get("page"))
    return render(request, "market/consoles/reviews/queue.html", {"page": page, "is_open": is_open})


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def review(request: HttpRequest, pk: int) -> HttpResponse:
    record = _review(request, pk)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_passed = form.cleaned_data["decision"] == "passed"
        try:
            review_decide(
                review=record,
                is_passed=is_passed,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=clock.now(),
                insists_on_consent=form.cleaned_data["insists_on_consent"],
            )
        except Refused as refusal:
            return _show(request, record, form, refusal=refusal, status=409)
        done = (
            _("Passed. The operator sees your reason.")
            if is_passed
            else _("Not passed. The operator sees your reason and may ask again.")
        )
        messages.success(request, done)
        return redirect("reviews")
    return _show(request, record, form, status=422 if form.errors else 200)


@require_POST
@reviewer_page
def run_sample(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the sample of the release under review now; nothing is metered."""
    record = _review(request, pk)
    release = Release.objects.filter(product=record.product).select_related("product").order_by("-version").first()
    if release is None:
        raise Http404
    tried = trying.run(release=release, body=release.sample_input, at=clock.now())
    return _show(request, record, DecisionForm(), tried=tried)


def _review(request: HttpRequest, pk: int) -> ReviewRecord:
    record = reviews_for(organisation=request.membership.organisation).filter(pk=pk).first()
    if record is None:
        raise Http404
    return record


def _show(
    request: HttpRequest,
    record: ReviewRecord,
    form: DecisionForm,
    *,
    refusal: Refused | None = None,
    tried: trying.Tried | None = None,
    status: int = 200,
) -> HttpResponse:
    product = record.product
    release = product.releases.defer("artifact").select_related("created_by").order_by("-version").first()
    others = product.reviews.exclude(pk=record.pk).select_related("requested_by", "reviewed_by")
    context = {
        "review": record,
        "product": product,
        "release": release,
        "schemas": [(label, pretty(value)) for label, value in _documents(release)],
        "concepts": named(product.concepts),
        "resources": product.resources.select_related("provider").order_by("code"),
        "others": others.order_by("-requested_at", "-id"),
        "form": form,
        "is_open": record.state == ReviewRecord.State.REQUESTED,
        "is_maker": record.requested_by_id == request.user.pk,
        "refusal": refusal,
        "tried": tried,
    }
    return render(request, "market/consoles/reviews/review.html", context, status=status)


def _documents(release: Release | None) -> list[tuple[str, object]]:
    if release is None:
        return []
    return [
        (_("Sample input"), release.sample_input),
        (_("Sample output"), release.sample_output),
        (_("Configuration"), release.config),
        (_("Input schema"), release.input_schema),
        (_("Output schema"), release.output_schema),
    ]
