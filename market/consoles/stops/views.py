"""Emergency stops on a phone: start in two steps, see what holds, ask to lift, decide as another person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import blame
from market.consoles.stops.forms import AskForm, LiftForm, StopForm
from market.consoles.stops.menu import KINDS
from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from products.catalogue.models import DataProduct, ProductState
from products.organisations.models import Organisation, OrganisationKind
from products.record import cases, clock
from products.record.models import CaseEvent
from products.record.refusals import Refused
from settlement.entitlements import stops
from settlement.entitlements.models import EmergencyStop
from settlement.entitlements.stop_rights import RIGHTS
from settlement.entitlements.stop_selectors import entitlements_under, reach_of, stops_seen_by

PAGE_SIZE = 25
MOST_SUGGESTED = 200
ROLES = frozenset(role for right in RIGHTS.values() for role in right.roles)
stops_page = role_required(kinds=KINDS)
starter_page = role_required(kinds=KINDS, roles=ROLES)


@require_safe
@stops_page
def index(request: HttpRequest) -> HttpResponse:
    acting_for = request.membership.organisation
    found = stops_seen_by(organisation=acting_for)
    is_holding = request.GET.get("show") != "ended"
    page = Paginator(found.filter(lifted_at__isnull=is_holding), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "is_holding": is_holding, "may_start": _may_start_something(request)}
    return render(request, "market/consoles/stops/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@starter_page
def new(request: HttpRequest) -> HttpResponse:
    """First what and why; then, with the number of buyers and entitlements that it touches, the confirmation that starts it."""
    acting_for = request.membership.organisation
    if not _may_start_something(request):
        return render(request, "market/forbidden.html", {"membership": request.membership}, status=403)
    if request.method != "POST":
        initial = {"kind": request.GET.get("kind", ""), "target": request.GET.get("target", "")}
        form = StopForm(initial=initial, acting_for=acting_for)
        return render(request, "market/consoles/stops/new.html", {"form": form, "targets": _suggested(acting_for)})
    form = StopForm(request.POST, request.FILES, acting_for=acting_for, is_confirming="confirm" in request.POST)
    if form.is_valid():
        try:
            return _check_or_start(request, form, acting_for)
        except Refused as refused:
            form = StopForm(request.POST, acting_for=acting_for)
            form.is_valid()
            blame(form, refused)
    elif "confirm" in request.POST:
        form = StopForm(request.POST, acting_for=acting_for)
    return render(request, "market/consoles/stops/new.html", {"form": form, "targets": _suggested(acting_for)}, status=422)


def _check_or_start(request: HttpRequest, form: StopForm, acting_for: Organisation) -> HttpResponse:
    given, at = form.cleaned_data, clock.now()
    target = {name: given[name] for name in ("kind", "product", "organisation")}
    stops.require_may_start(**target, user=request.user, acting_for=acting_for)
    if "confirm" not in request.POST:
        confirming = StopForm(request.POST, acting_for=acting_for, is_confirming=True)
        context = {"form": confirming, "given": given, "reach": reach_of(**target, at=at)}
        return render(request, "market/consoles/stops/confirm.html", context)
    upload = keep_upload(given["evidence"], organisation=acting_for, user=request.user, purpose="emergency_stop", at=at)
    started = stops.stop_start(
        **target,
        user=request.user,
        acting_for=acting_for,
        reason=given["reason"],
        public_reason=given["public_reason"],
        evidence=[upload] if upload else [],
        at=at,
    )
    messages.success(request, _("Stopped. Every gateway refuses these calls within two seconds, and the buyers have been told."))
    return redirect("stop", pk=started.pk)


@require_safe
@stops_page
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _stop(request, pk))


@require_POST
@starter_page
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = _stop(request, pk), AskForm(request.POST)
    if form.is_valid():
        try:
            stops.stop_ask_lift(
                stop=shown,
                user=request.user,
                acting_for=request.membership.organisation,
                outcome=form.cleaned_data["outcome"],
                reason=form.cleaned_data["reason"],
                at=clock.now(),
            )
        except Refused as refused:
            return _page(request, shown, ask_form=form, refusal=refused, status=409)
        messages.success(request, _("Asked. Another person must now decide."))
        return redirect("stop", pk=pk)
    return _page(request, shown, ask_form=form, status=422)


@require_POST
@starter_page
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = _stop(request, pk), LiftForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, lift_form=form, status=422)
    try:
        stops.stop_lift(
            stop=shown,
            user=request.user,
            acting_for=request.membership.organisation,
            outcome=form.cleaned_data["outcome"],
            note=form.cleaned_data["note"],
            at=clock.now(),
        )
    except Refused as refused:
        return _page(request, shown, lift_form=form, refusal=refused, status=409)
    done = _("The stop is lifted: calls are answered again within two seconds, and the buyers have been told.")
    if shown.outcome == EmergencyStop.Outcome.TERMINATION:
        done = _("It has ended for good, with all its entitlements. The buyers have been told.")
    messages.success(request, done)
    return redirect("stop", pk=pk)


def _page(request: HttpRequest, shown: EmergencyStop, status: int = 200, **context: Any) -> HttpResponse:
    user, acting_for = request.user, request.membership.organisation
    may_start = _allows(
        lambda: stops.require_may_start(
            kind=shown.kind, product=shown.product, organisation=shown.organisation, user=user, acting_for=acting_for
        )
    )
    may_lift = shown.lift_asked_by_id is not None and shown.lift_asked_by_id != user.pk
    may_lift = may_lift and _allows(lambda: stops.require_may_lift(stop=shown, user=user, acting_for=acting_for))
    held = entitlements_under(stop=shown, at=clock.now())
    facts = {
        "stop": shown,
        "target": shown.product or shown.organisation,
        "may_ask": may_start and shown.lifted_at is None,
        "may_lift": may_lift and shown.lifted_at is None,
        "may_read": may_start,
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "entitlements": held.count(),
        "events": _events(shown),
        "ask_form": AskForm(),
        "lift_form": LiftForm(initial={"outcome": shown.outcome}),
    }
    return render(request, "market/consoles/stops/stop.html", facts | context, status=status)


def _events(shown: EmergencyStop) -> list[CaseEvent]:
    if shown.case is None:
        return []
    return list(shown.case.events.select_related("actor").prefetch_related("evidence").order_by("id"))


def _stop(request: HttpRequest, pk: int) -> EmergencyStop:
    found = stops_seen_by(organisation=request.membership.organisation)
    return get_object_or_404(found.select_related("product__authorisation"), pk=pk)


def _allows(check: Any) -> bool:
    try:
        check()
    except Refused:
        return False
    return True


def _may_start_something(request: HttpRequest) -> bool:
    right = RIGHTS.get(OrganisationKind(request.membership.organisation.kind))
    return right is not None and bool(right.roles & set(request.membership.roles))


def _suggested(acting_for: Organisation) -> list[DataProduct]:
    """What is the organisation's own, to choose from; the platform and data bureaus type."""
    on_sale = DataProduct.objects.filter(state__in=(ProductState.LISTED, ProductState.SUSPENDED))
    if acting_for.kind == OrganisationKind.OPERATOR:
        own = on_sale.filter(operator=acting_for)
    elif acting_for.kind == OrganisationKind.AUTHORISING_BODY:
        own = on_sale.filter(authorisation__authorising_body=acting_for)
    else:
        own = on_sale
    return list(own.order_by("name_key", "id")[:MOST_SUGGESTED])
