"""Entitlements, keys, orders and receipts of the acting organisation. Another organisation's objects are not there (404)."""

from __future__ import annotations

import contextlib
import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from market.consoles.buyer.usage import month_so_far, unit_labels
from market.gateway import signing
from market.storefront.access import role_required
from market.storefront.expected import next_month
from market.storefront.models import OrderContext
from products.organisations.models import Role
from products.record import clock
from products.record.clock import day_start
from products.record.refusals import Refused
from settlement.entitlements import selectors
from settlement.entitlements.models import ApiKey, Entitlement
from settlement.entitlements.services import key_issue, key_revoke
from settlement.entitlements.stop_selectors import stop_of, stop_of_buyer, stops_of
from settlement.metering.receipts import ReceiptArchived, identifier_of, receipt_of
from settlement.metering.selectors import calls_in_month, refusals_by_reason, usage_event

PAGE_SIZE = 25
BUYER_MODES = (ApiKey.Mode.LIVE, ApiKey.Mode.TEST)
KEY_ROLES = (Role.DEVELOPER, Role.BUYER, Role.OWNER)


@require_safe
@role_required()
def entitlements(request: HttpRequest) -> HttpResponse:
    rows = selectors.entitlements_of(organisation=request.membership.organisation)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    calls = calls_in_month(entitlement_ids=[each.pk for each in shown], month=clock.today().replace(day=1))
    stops = stops_of(each.product for each in shown)
    context = {"page": page, "entitlements": shown, "calls": calls, "stops": stops}
    context["own_stop"] = stop_of_buyer(request.membership.organisation)
    return render(request, "market/buyer/entitlements.html", context)


@require_safe
@role_required()
def entitlement(request: HttpRequest, code: str) -> HttpResponse:
    return _entitlement_page(request, _own_entitlement(request, code))


def _entitlement_page(request: HttpRequest, held: Entitlement, secret: str = "", refusal: Refused | None = None) -> HttpResponse:
    now = clock.now()
    first = now.date().replace(day=1)
    context = {
        "entitlement": held,
        "stop": stop_of_buyer(held.organisation) or stop_of(held.product),
        "quota": held.quotas.order_by("-span_start").first(),
        "keys": list(selectors.keys_alive(organisation=held.organisation, at=now, entitlement=held)),
        "month": month_so_far(entitlement=held, today=now.date()),
        "refusals": refusals_by_reason(since=day_start(first), until=day_start(next_month(first)), entitlement_ids=[held.pk]),
        "days_left": max((held.valid_to - now).days, 0),
        "may_issue": bool(set(KEY_ROLES) & set(request.membership.roles)),
        "secret": secret,
        "refusal": refusal,
    }
    return render(request, "market/buyer/entitlement.html", context, status=409 if refusal else 200)


@never_cache
@require_POST
@role_required(roles=KEY_ROLES)
def issue_key(request: HttpRequest, code: str) -> HttpResponse:
    """A new key of the entitlement; the answer shows its secret, this once."""
    held = _own_entitlement(request, code)
    try:
        name = request.POST.get("name", "").strip()[:60]
        _key, secret = key_issue(entitlement=held, mode=ApiKey.Mode.LIVE, name=name, user=request.user, at=clock.now())
    except Refused as refusal:
        return _entitlement_page(request, held, refusal=refusal)
    return _entitlement_page(request, held, secret=secret)


@require_safe
@role_required()
def sandbox_keys(request: HttpRequest) -> HttpResponse:
    return _sandbox_page(request)


def _sandbox_page(request: HttpRequest, secret: str = "", refusal: Refused | None = None) -> HttpResponse:
    own = selectors.keys_of(organisation=request.membership.organisation, modes=BUYER_MODES)
    is_alive_only = request.GET.get("show") != "all"
    if is_alive_only:
        own = own.filter(revoked_at=None, expires_at__gt=clock.now())
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    may_issue = bool(set(KEY_ROLES) & set(request.membership.roles))
    context = {"page": page, "is_alive_only": is_alive_only, "secret": secret, "refusal": refusal, "may_issue": may_issue}
    return render(request, "market/buyer/keys.html", context, status=409 if refusal else 200)


@never_cache
@require_POST
@role_required(roles=KEY_ROLES)
def issue_sandbox_key(request: HttpRequest) -> HttpResponse:
    try:
        _key, secret = key_issue(
            organisation=request.membership.organisation,
            mode=ApiKey.Mode.TEST,
            name=request.POST.get("name", "").strip()[:60],
            user=request.user,
            at=clock.now(),
        )
    except Refused as refusal:
        return _sandbox_page(request, refusal=refusal)
    return _sandbox_page(request, secret=secret)


@require_POST
@role_required(roles=KEY_ROLES)
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    own = ApiKey.objects.filter(organisation=request.membership.organisation, mode__in=(ApiKey.Mode.LIVE, ApiKey.Mode.TEST))
    key = get_object_or_404(own.select_related("organisation", "entitlement"), pk=pk)
    key_revoke(key=key, user=request.user, at=clock.now())
    messages.success(request, _("Key %(hint)s… is revoked: calls with it are refused from now on.") % {"hint": key.hint})
    return redirect("buyer-entitlement", code=key.entitlement.code) if key.entitlement else redirect("buyer-keys")


@require_safe
@role_required()
def orders(request: HttpRequest) -> HttpResponse:
    rows = OrderContext.objects.filter(organisation=request.membership.organisation)
    page = Paginator(rows.select_related("order", "operator").order_by("-created_at", "-id"), PAGE_SIZE)
    return render(request, "market/buyer/orders.html", {"page": page.get_page(request.GET.get("page"))})


@require_safe
@role_required()
def order(request: HttpRequest, number: str) -> HttpResponse:
    held = OrderContext.objects.select_related("order", "operator", "intent", "accepted_by")
    found = get_object_or_404(held, order__number=number, organisation=request.membership.organisation)
    opened = Entitlement.objects.filter(order_number=number, organisation=found.organisation).select_related("product")
    context = {"context": found, "lines": list(found.order.lines.order_by("id")), "entitlements": list(opened.order_by("id"))}
    return render(request, "market/buyer/order.html", context)


@require_safe
@role_required()
def receipts(request: HttpRequest) -> HttpResponse:
    """A metered call by its receipt, for the buyer's organisation."""
    asked, event = request.GET.get("id", "").strip(), None
    if asked:
        try:
            event = usage_event(usage_id=uuid.UUID(asked))
        except ValueError:
            event = None
        own = Entitlement.objects.filter(organisation=request.membership.organisation)
        held = own.select_related("product", "operator").filter(pk=event.entitlement_id).first() if event else None
        event = event if held else None
    else:
        held = None
    facts, labels = None, unit_labels(entitlement=held, on=event.event_time.date()) if event and held else {}
    with contextlib.suppress(ReceiptArchived):  # what was metered is shown all the same, without price and proof
        facts = receipt_of(identifier=event.id, organisation_id=request.membership.organisation_id) if event else None
    context = {"asked": asked, "event": event, "entitlement": held, "facts": facts, "labels": labels}
    return render(request, "market/buyer/receipts.html", context, status=404 if asked and event is None else 200)


@require_safe
@role_required()
def receipt_file(request: HttpRequest, identifier: uuid.UUID) -> HttpResponse:
    """The signed receipt as the gateway gives it, for ``check_receipt``."""
    known = identifier_of(str(identifier))
    try:
        facts = receipt_of(identifier=known, organisation_id=request.membership.organisation_id) if known else None
    except ReceiptArchived as refused:
        return HttpResponse(str(refused), status=410, content_type="text/plain; charset=utf-8")
    if facts is None:
        raise Http404
    response = HttpResponse(signing.canonical(signing.signed(facts)), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{identifier}.json"'
    return response


def _own_entitlement(request: HttpRequest, code: str) -> Entitlement:
    held = Entitlement.objects.select_related("organisation", "operator", "product", "plan", "grant")
    return get_object_or_404(held, code=code, organisation=request.membership.organisation)
