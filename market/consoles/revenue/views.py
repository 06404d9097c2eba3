"""The list of accounts, and the page of one permitted revenue with its account, opinions, figures and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from market.consoles.revenue import shown
from market.consoles.revenue.access import office, operations, visible
from market.consoles.revenue.forms import NoteForm, OpinionForm, ReasonForm, TextForm
from market.consoles.revenue.menu import KINDS
from market.storefront.access import role_required
from pricing.models import PermittedRevenue, RevenueWarning
from pricing.revenue.permitted import BUREAU_ROLES, OPINION_ROLES, REGULATOR_ROLES
from pricing.revenue.permitted_checks import opinions_due
from pricing.revenue.permitted_rules import first_full_year
from pricing.revenue.standing import HOLDING, beginnings
from products.models import Authorisation
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.calendar import load
from settlement.oversight.revenue import account, accounts

PAGE_SIZE = 20


@dataclass(frozen=True)
class Standing:
    """An operation without a permitted revenue today: since when it runs and when one may be determined."""

    authorisation: Authorisation
    since: date | None
    complete_year: int | None
    is_ready: bool


@require_safe
@role_required(kinds=KINDS)
def index(request: HttpRequest) -> HttpResponse:
    today, own = clock.today(), office(request)
    found = visible(request)
    running = found.filter(state__in=HOLDING, period__contains=today).order_by("authorisation__operator__name_key", "id")
    page = Paginator(running, PAGE_SIZE).get_page(request.GET.get("page"))
    working = list(found.filter(state__in=["draft", "opinions"]).order_by("-drafted_at", "-id")[:50])
    calendar = load()
    context = {
        "page": page,
        "accounts": accounts(permitted_revenues=list(page), today=today),
        "working": [(each, each.case and cases.days_left(case=each.case, today=today, calendar=calendar)) for each in working],
        "others": found.filter(Q(state="withdrawn") | Q(state__in=HOLDING) & ~Q(period__contains=today)).order_by(
            "-period", "-id"
        )[:50],
        "without": _without(operations(request)[:200], today),
        "drafts": own.kind == "price_regulator" and has_role(request.user, own, *REGULATOR_ROLES),
        "today": today,
        "ns": request.resolver_match.namespace if request.resolver_match else "",
    }
    return render(request, "market/consoles/revenue/index.html", context)


def _without(found: Any, today: date) -> list[Standing]:
    """Operations that have no determined maximum for today, with how far they are."""
    all_own = list(found)
    holding = PermittedRevenue.objects.filter(authorisation__in=all_own, state__in=HOLDING, period__contains=today)
    have = set(holding.values_list("authorisation_id", flat=True))
    since = beginnings(all_own)
    rows = []
    for own in all_own:
        if own.pk not in have:
            begun = since.get(own.pk)
            year = first_full_year(begun) if begun else None
            rows.append(Standing(own, begun, year, year is not None and today.year > year))
    return rows


@require_safe
@role_required(kinds=KINDS)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    own = get_object_or_404(visible(request), pk=pk)
    return show(request, own)


@require_safe
@role_required(kinds=KINDS)
def warning(request: HttpRequest, pk: int) -> HttpResponse:
    """A warning's case leads here: to the page of its permitted revenue."""
    found = get_object_or_404(RevenueWarning.objects.filter(permitted_revenue__in=visible(request).order_by()), pk=pk)
    namespace = request.resolver_match.namespace if request.resolver_match else ""
    return redirect(f"{namespace}:page", pk=found.permitted_revenue_id)


def show(request: HttpRequest, own: PermittedRevenue, forms: dict[str, Form] | None = None, status: int = 200) -> HttpResponse:
    """The page; ``forms`` are those that were refused, with what was typed, shown open again."""
    today = clock.today()
    seen = account(permitted_revenue=own, today=today) if own.state in HOLDING else None
    given = forms or {}
    context: dict[str, Any] = {
        "own": own,
        "account": seen,
        "chart": shown.account_chart(seen) if seen and seen.revenue_minor else None,
        "figures": shown.figure_rows(own.figures),
        "filings": shown.rows_of_filings(own),
        "opinions": own.opinions.select_related("organisation", "user").order_by("at", "id"),
        "warnings": _warnings(own, today),
        "assessments": shown.assessments_of(own),
        "history": shown.history(own),
        "steps": shown.step_words(),
        "step": shown.step_of(own),
        "left": own.case and cases.days_left(case=own.case, today=today),
        "opinions_due": opinions_due(own),
        "may": _may(request, own, today),
        "forms": {
            "opinion": given.get("opinion") or OpinionForm(),
            "agree": given.get("agree") or TextForm(),
            "send_back": given.get("send-back") or ReasonForm(),
            "withdraw": given.get("withdraw") or ReasonForm(),
            "note": given.get("note") or NoteForm(),
        },
        "refused": set(given),
        "refusals": [str(error) for form in given.values() for error in form.non_field_errors()],
        "today": today,
        "ns": request.resolver_match.namespace if request.resolver_match else "",
    }
    return render(request, "market/consoles/revenue/page.html", context, status=status)


def _warnings(own: PermittedRevenue, today: date) -> Sequence[tuple[RevenueWarning, Any]]:
    """Warnings with their cases."""
    found = list(own.warnings.order_by("percent", "id"))
    by_id = cases.Case.objects.filter(kind="revenue_warning", object_id__in=[str(each.pk) for each in found]).in_bulk()
    return [(each, next((case for case in by_id.values() if case.object_id == str(each.pk)), None)) for each in found]


def _may(request: HttpRequest, own: PermittedRevenue, today: date) -> dict[str, bool]:
    """What this person may do here now; the services decide again."""
    here, person = office(request), request.user
    regulates = here.pk == own.regulator_id and has_role(person, here, *REGULATOR_ROLES)
    agrees = here.pk == own.data_bureau_id and has_role(person, here, *BUREAU_ROLES)
    party = here.pk in (own.authorisation.operator_id, own.authorisation.authorising_body_id, own.data_bureau_id)
    is_open, is_other = own.state == "opinions", person.pk != own.drafted_by_id
    waiting = own.assessments.filter(confirmed_at=None).first()
    return {
        "open": regulates and own.state == "draft",
        "withdraw": regulates and own.state in ("draft", "opinions"),
        "speak": is_open and party and has_role(person, here, *OPINION_ROLES),
        "agree": is_open and agrees and is_other and own.agreed_by_id is None,
        "send_back": is_open and (agrees or regulates) and is_other,
        "determine": is_open and regulates and is_other and own.agreed_by_id not in (None, person.pk),
        "assess": regulates and own.state in HOLDING and own.period.upper <= today and waiting is None,
        "confirm": regulates and waiting is not None and waiting.made_by_id != person.pk,
        "note": regulates,
        "is_regulator": here.pk == own.regulator_id,
        "is_bureau": here.pk == own.data_bureau_id,
    }
