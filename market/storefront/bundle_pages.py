"""The bundles' pages: the list, one bundle with the price of each part, and all of it into the basket."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.storefront import bundles
from market.storefront.access import role_required
from market.storefront.acting import acting_membership, has_role
from market.storefront.baskets import BUYING_ROLES
from pricing.tariffs.bundles import bundle_gaps
from pricing.tariffs.models import Bundle, Plan
from products.record import clock
from products.record.refusals import Refused

FOR_SALE = (Bundle.State.OPEN, Bundle.State.CLOSED)


@require_safe
def bundle_list(request: HttpRequest) -> HttpResponse:
    """The bundles on sale with their parts; two queries."""
    found = Bundle.objects.filter(state=Bundle.State.OPEN).select_related("operator").order_by("code")
    parts: dict[int, list[Plan]] = {}
    for plan in Plan.objects.filter(bundle__in=found).select_related("product").order_by("id"):
        if plan.bundle_id is not None:
            parts.setdefault(plan.bundle_id, []).append(plan)
    rows = [(bundle, parts.get(bundle.pk, [])) for bundle in found]
    return render(request, "market/bundles.html", {"rows": rows})


@require_safe
def bundle(request: HttpRequest, code: str) -> HttpResponse:
    return render(request, "market/bundle.html", _context(request, _shown(code), clock.now()))


@require_safe
def price(request: HttpRequest, code: str) -> HttpResponse:
    """The totals at the asked usage, as a fragment (htmx asks for it as one types)."""
    return render(request, "market/components/bundle_quote.html", _context(request, _shown(code), clock.now()))


@require_POST
@role_required(roles=BUYING_ROLES)
def buy(request: HttpRequest, code: str) -> HttpResponse:
    """All parts into one basket; a refusal or a wrong number shows the bundle's page again."""
    shown, now = _shown(code), clock.now()
    buyer = request.membership.organisation
    offers = bundles.part_offers(bundle=shown, asked=request.POST.dict(), organisation=buyer, at=now)
    refusal: str | None = None
    if any(part.wrong for part in offers):
        refusal = _("Enter the expected use as a number, for example 12000.")
    else:
        try:
            units = {part.plan.pk: part.units for part in offers}
            bundles.bundle_add(membership=request.membership, bundle=shown, units=units, user=request.user, at=now)
        except Refused as refused:
            refusal = str(refused)
    if refusal is None:
        messages.success(
            request, _("%(bundle)s is in the basket, every part. Look it over, then check out.") % {"bundle": shown.name}
        )
        return redirect("basket")
    context = _context(request, shown, now, request.POST.dict()) | {"refusal": refusal}
    return render(request, "market/bundle.html", context, status=422)


def _shown(code: str) -> Bundle:
    """A bundle that is or was on sale; 404 for drafts and unknown codes."""
    return get_object_or_404(Bundle.objects.filter(state__in=FOR_SALE).select_related("operator"), code=code)


def _context(request: HttpRequest, shown: Bundle, at: datetime, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    membership = acting_membership(request)
    buyer = membership.organisation if membership else None
    given = request.GET.dict() if asked is None else asked
    offers = bundles.part_offers(bundle=shown, asked=given, organisation=buyer, at=at)
    if not offers and shown.state == Bundle.State.OPEN:
        raise Http404
    return {
        "bundle": shown,
        "parts": offers,
        "total": sum((part.total for part in offers), Decimal(0)),
        "is_wrong": any(part.wrong for part in offers),
        "of_others": list(dict.fromkeys(each for part in offers for each in part.price.of_others)),
        "gaps": bundle_gaps(bundle=shown, on=clock.today()) if shown.state == Bundle.State.OPEN else [],
        "may_buy": has_role(membership, *BUYING_ROLES),
        "membership": membership,
    }
