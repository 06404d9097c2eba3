"""Tariffs and caps before the price regulator. The data bureau sees the same and changes nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.authority.forms import ReasonForm
from market.consoles.regulator.menu import KINDS
from market.consoles.tariffs.comparison import comparison, siblings
from market.storefront.access import role_required
from pricing.bodies import of_region, stem
from pricing.models import Tariff
from pricing.tariffs.services import REGULATOR_ROLES, tariff_note, tariff_return
from products.models import Organisation
from products.organisations.models import OrganisationKind
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.calendar import load
from products.record.refusals import Refused

PAGE_SIZE = 50


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def tariffs_before(request: HttpRequest) -> QuerySet[Tariff]:
    """For the regulator what is before it; for the data bureau what is filed in its region."""
    found = Tariff.objects.exclude(case=None)
    if office(request).kind == OrganisationKind.PRICE_REGULATOR:
        found = found.filter(case__handler=office(request))
    else:
        found = found.filter(of_region(stem(office(request).region), "plan__product__authorisation"))
    return found.select_related("plan__product__operator", "plan__bundle", "case", "filed_by", "decided_by").order_by(
        "-filed_at", "-id"
    )


@require_safe
@role_required(kinds=KINDS)
def tariffs(request: HttpRequest) -> HttpResponse:
    found = tariffs_before(request)
    is_all = request.GET.get("show") == "all"
    page = Paginator(found if is_all else found.filter(state="filed"), PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    rows = [(tariff, cases.days_left(case=tariff.case, today=today, calendar=calendar)) for tariff in page]
    context = {"page": page, "rows": rows, "is_all": is_all, "today": today}
    return render(request, "market/consoles/regulator/tariffs.html", context)


@require_safe
@role_required(kinds=KINDS)
def tariff(request: HttpRequest, pk: int) -> HttpResponse:
    return _tariff_page(request, get_object_or_404(tariffs_before(request), pk=pk), ReasonForm())


def _tariff_page(request: HttpRequest, shown: Tariff, form: ReasonForm, status: int = 200) -> HttpResponse:
    today = clock.today()
    left = cases.days_left(case=shown.case, today=today)
    decides = office(request).kind == OrganisationKind.PRICE_REGULATOR
    context = {
        "tariff": shown,
        "left": left,
        "comparison": comparison(shown),
        "siblings": siblings(shown),
        "history": shown.case.events.select_related("actor").order_by("at", "id"),
        "decides": decides,
        "may_act": decides and has_role(request.user, office(request), *REGULATOR_ROLES),
        "reason_form": form,
        "today": today,
    }
    return render(request, "market/consoles/regulator/tariff.html", context, status=status)


@require_POST
@role_required(kinds={"price_regulator"})
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = get_object_or_404(tariffs_before(request), pk=pk)
    if step == "note":
        named: dict[str, Any] = {"tariff": shown, "user": request.user, "at": clock.now()}
        attempt(request, lambda: tariff_note(**named), _("Noted. The operator has been told."))
        return redirect("regulator-tariff", pk=pk)
    if step == "return":
        return _return(request, shown)
    raise Http404


def _return(request: HttpRequest, shown: Tariff) -> HttpResponse:
    """Send it back with a reason; where that is refused, what was typed stays in the form."""
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            tariff_return(tariff=shown, user=request.user, at=clock.now(), reason=form.cleaned_data["reason"])
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Returned with your reason. The price before it goes on."))
            return redirect("regulator-tariff", pk=shown.pk)
    return _tariff_page(request, shown, form, status=422)
