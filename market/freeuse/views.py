"""Free use for claimants: explain, start, save and return, submit, follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.freeuse.forms import DetailsForm, EvidenceForm, StartForm
from market.storefront.access import role_required
from market.storefront.acting import acting_membership
from market.storefront.evidence import attachment
from pricing.grants.claims import CLAIM_ROLES, DETAILS, missing_of
from pricing.grants.refusals import ClaimIncomplete
from pricing.grants.rules import GOVERNANCE_KINDS, WELFARE_KINDS
from pricing.grants.selectors import claims_of, history
from pricing.grants.services import grant_add_evidence, grant_claim, grant_edit, grant_submit, grant_withdraw
from pricing.models import FreeUseGrant
from products.models import DataProduct, Purpose, Scenario
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.refusals import Refused

KINDS = GOVERNANCE_KINDS | WELFARE_KINDS
LONG_LIST = 200


def own(request: HttpRequest) -> QuerySet[FreeUseGrant]:
    return claims_of(organisation=request.membership.organisation)


def claimable() -> QuerySet[DataProduct]:
    """Listed products that serve a free purpose."""
    free = Q(
        purposes__overlap=list(Purpose.objects.filter(purpose_class__in=["governance", "welfare"]).values_list("code", flat=True))
    )
    return (
        DataProduct.objects.filter(free, state="listed")
        .select_related("operator")
        .order_by("name_key", "id")
        .defer("search_terms")
    )


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    membership = acting_membership(request)
    may_claim = membership is not None and membership.organisation.kind in KINDS
    claims = claims_of(organisation=membership.organisation)[:LONG_LIST] if membership and may_claim else []
    context = {"may_claim": may_claim, "membership": membership, "claims": claims, "products": claimable()[:LONG_LIST]}
    return render(request, "market/freeuse/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS, roles=CLAIM_ROLES)
def new(request: HttpRequest) -> HttpResponse:
    product = get_object_or_404(claimable(), code=request.GET.get("product") or request.POST.get("product", ""))
    organisation = request.membership.organisation
    form = StartForm(request.POST or None, product=product, organisation=organisation)
    if request.method == "POST" and form.is_valid():
        named = {"organisation": organisation, "product": product, "user": request.user, "at": clock.now()}
        try:
            grant = grant_claim(**named, **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(
                request, _("Your draft is saved as %(number)s. You can leave and return.") % {"number": grant.number}
            )
            return redirect("free-use-claim", number=grant.number)
    context = {"form": form, "product": product, "has_choice": bool(form.fields["purpose"].choices)}
    return render(request, "market/freeuse/new.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@role_required(kinds=KINDS)
def claim(request: HttpRequest, number: str) -> HttpResponse:
    grant = get_object_or_404(own(request).select_related("decided_by", "checked_by", "submitted_by"), number=number)
    return render(request, "market/freeuse/claim.html", page_of(request, grant))


def page_of(request: HttpRequest, grant: FreeUseGrant, form: DetailsForm | None = None) -> dict[str, Any]:
    today = clock.today()
    is_open = grant.state in ("draft", "corrections")
    may_edit = is_open and has_role(request.user, grant.organisation, *CLAIM_ROLES)
    return {
        "grant": grant,
        "left": cases.days_left(case=grant.case, today=today) if grant.case else None,
        "purpose": Purpose.objects.filter(code=grant.purpose).first(),
        "scenario": Scenario.objects.filter(code=grant.scenario).first(),
        "evidence": grant.evidence.defer("content").order_by("uploaded_at", "id"),
        "history": history(grant=grant),
        "may_edit": may_edit,
        "form": form or DetailsForm(product=grant.product, initial={name: getattr(grant, name) for name in DETAILS}),
        "evidence_form": EvidenceForm(),
        "missing": missing_of(grant, today) if may_edit else [],
        "hide_decision": grant.state == "decided",
        "step": {"draft": 1, "corrections": 1, "submitted": 2, "decided": 3}.get(grant.state, 4),
        "authority": grant.product.authorisation.authorising_body if grant.product.authorisation else None,
    }


@require_safe
@role_required(kinds=KINDS)
def evidence(request: HttpRequest, number: str, pk: UUID) -> HttpResponse:
    grant = get_object_or_404(own(request), number=number)
    return attachment(get_object_or_404(grant.evidence, pk=pk))


def save(request: HttpRequest, named: dict[str, Any]) -> None:
    form = DetailsForm(request.POST, product=named["grant"].product, is_draft=True)
    if not form.is_valid():
        raise ClaimIncomplete(_("Not saved: %(fields)s.") % {"fields": _(", ").join(str(form[n].label) for n in form.errors)})
    grant_edit(**named, **form.cleaned_data)


def add(request: HttpRequest, named: dict[str, Any]) -> None:
    file = request.FILES.get("file")
    if file is None:
        raise ClaimIncomplete(_("Choose a file first."), field="file")
    grant_add_evidence(**named, file_name=file.name or "", content=file.read(), content_type=file.content_type or "")


def submit(request: HttpRequest, named: dict[str, Any]) -> None:
    if "statement" in request.POST:
        save(request, named)
    grant_submit(**named)


def withdraw(request: HttpRequest, named: dict[str, Any]) -> None:
    grant_withdraw(**named)


STEPS: dict[str, tuple[Callable[[HttpRequest, dict[str, Any]], None], object]] = {
    "save": (save, gettext_lazy("Saved. You can leave and return.")),
    "add-evidence": (add, gettext_lazy("The file is kept with your claim.")),
    "submit": (
        submit,
        gettext_lazy("Submitted. The authorising body decides within the days shown; you are told here and by e-mail."),
    ),
    "withdraw": (withdraw, gettext_lazy("The claim is withdrawn.")),
}


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    grant = get_object_or_404(own(request), number=number)
    if step not in STEPS:
        raise Http404
    act, done = STEPS[step]
    if attempt(request, lambda: act(request, {"grant": grant, "user": request.user, "at": clock.now()}), done):
        return redirect("free-use-claim", number=number)
    typed = (
        DetailsForm(request.POST, product=grant.product, is_draft=True) if "statement" in request.POST else None
    )  # nothing typed is lost
    as_it_is = get_object_or_404(own(request).select_related("decided_by", "checked_by", "submitted_by"), number=number)
    return render(request, "market/freeuse/claim.html", page_of(request, as_it_is, typed), status=422)
