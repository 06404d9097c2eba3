"""Free-use claims before the authorising body: read, ask, decide, check, revoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import attempt
from market.consoles.authority.forms import DecisionForm, NoteForm, ReasonForm
from market.consoles.authority.menu import KINDS
from market.consoles.authority.services import revoke_grant
from market.storefront.access import role_required
from market.storefront.evidence import attachment
from pricing.grants.decisions import DECIDE_ROLES
from pricing.grants.refusals import DecisionIncomplete
from pricing.grants.rules import last_day
from pricing.grants.selectors import claims_before, history
from pricing.grants.services import grant_ask_corrections, grant_check, grant_decide
from pricing.models import FreeUseGrant
from products.models import Purpose, Scenario
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.calendar import load

PAGE_SIZE = 50


def own(request: HttpRequest) -> QuerySet[FreeUseGrant]:
    return claims_before(authorising_body_ids=[request.membership.organisation.pk])


@require_safe
@role_required(kinds=KINDS)
def claim_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(own(request), PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    rows = [(grant, cases.days_left(case=grant.case, today=today, calendar=calendar)) for grant in page if grant.case]
    return render(request, "market/consoles/authority/claims.html", {"page": page, "rows": rows})


@require_safe
@role_required(kinds=KINDS)
def claim(request: HttpRequest, number: str) -> HttpResponse:
    grant = get_object_or_404(own(request), number=number)
    return render(request, "market/consoles/authority/claim.html", page_of(request, grant))


def page_of(request: HttpRequest, grant: FreeUseGrant, refused_step: str = "") -> dict[str, Any]:
    """The claim's page; after a refusal the form of that step holds what was typed."""
    today = clock.today()
    initial = {
        "quota": grant.quota_asked,
        "from_date": today,
        "to_date": last_day(asked=grant.asked_until, authorised=grant.product.authorisation.to_date),
    }

    def typed(*steps: str) -> Any:
        return request.POST if refused_step in steps else None

    return {
        "grant": grant,
        "left": cases.days_left(case=grant.case, today=today),
        "purpose": Purpose.objects.filter(code=grant.purpose).first(),
        "scenario": Scenario.objects.filter(code=grant.scenario).first(),
        "evidence": grant.evidence.defer("content").order_by("uploaded_at", "id"),
        "history": history(grant=grant),
        "others": own(request).filter(organisation=grant.organisation).exclude(pk=grant.pk)[:5],
        "decision_form": DecisionForm(typed("decide"), initial=initial),
        "note_form": NoteForm(typed("ask")),
        "reason_form": ReasonForm(typed("send-back", "revoke")),
        "may_act": has_role(request.user, request.membership.organisation, *DECIDE_ROLES),
        "is_decider": grant.decided_by_id == request.user.pk,
    }


@require_safe
@role_required(kinds=KINDS)
def evidence(request: HttpRequest, number: str, pk: UUID) -> HttpResponse:
    grant = get_object_or_404(own(request), number=number)
    return attachment(get_object_or_404(grant.evidence, pk=pk))


def ask(request: HttpRequest, named: dict[str, Any]) -> None:
    grant_ask_corrections(**named, note=request.POST.get("note", ""))


def decide(request: HttpRequest, named: dict[str, Any]) -> None:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise DecisionIncomplete(
            _("Not decided: %(fields)s.") % {"fields": _(", ").join(str(form[n].label) for n in form.errors)}
        )
    grant_decide(**named, **form.cleaned_data)


def confirm(request: HttpRequest, named: dict[str, Any]) -> None:
    grant_check(**named, approves=True)


def send_back(request: HttpRequest, named: dict[str, Any]) -> None:
    grant_check(**named, approves=False, reason=request.POST.get("reason", ""))


def revoke(request: HttpRequest, named: dict[str, Any]) -> None:
    revoke_grant(**named, reason=request.POST.get("reason", ""))


STEPS: dict[str, tuple[Callable[[HttpRequest, dict[str, Any]], None], object]] = {
    "ask": (ask, gettext_lazy("The claimant was asked. The clock stands until the claim comes back.")),
    "decide": (decide, gettext_lazy("Decided. Next: another person of your body checks it.")),
    "confirm": (confirm, gettext_lazy("Checked. The claimant has been told.")),
    "send-back": (send_back, gettext_lazy("Sent back. The claim is to be decided anew.")),
    "revoke": (revoke, gettext_lazy("Revoked. Calls under this grant are refused from now on, and the holder has been told.")),
}


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    grant = get_object_or_404(own(request), number=number)
    if step not in STEPS:
        raise Http404
    act, done = STEPS[step]
    if attempt(request, lambda: act(request, {"grant": grant, "user": request.user, "at": clock.now()}), done):
        return redirect("authority-claim", number=number)
    as_it_is = get_object_or_404(own(request), number=number)
    return render(request, "market/consoles/authority/claim.html", page_of(request, as_it_is, step), status=422)
