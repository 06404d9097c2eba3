"""One key of the acting organisation. Another organisation's is not there (404)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from market.consoles.acts import blame
from market.consoles.buyer.menu import KINDS
from market.consoles.keys.forms import LimitsForm, RevokeForm, RotateForm
from market.consoles.operator.access import PUBLISHERS
from market.storefront.access import role_required
from market.storefront.acting import has_role
from products.organisations.models import Role
from products.record import clock
from products.record.refusals import Refused
from settlement.entitlements.keyring import key_change, key_rotate
from settlement.entitlements.models import ApiKey
from settlement.entitlements.services import key_revoke

BUYER_ROLES = (Role.DEVELOPER, Role.BUYER, Role.OWNER)
OPERATOR_ROLES = (*PUBLISHERS, Role.DEVELOPER)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS)
def key(request: HttpRequest, pk: int) -> HttpResponse:
    """Its limits, to see and to change."""
    shown = _key(request, pk)
    if request.method != "POST":
        return _page(request, shown)
    if not _may_change(request, shown):
        return render(request, "market/forbidden.html", {"membership": request.membership}, status=403)
    form = LimitsForm(request.POST, mode=shown.mode)
    if form.is_valid():
        try:
            key_change(key=shown, user=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Changed. Every gateway follows within a second."))
            return redirect("key", pk=pk)
    return _page(request, shown, status=422, form=form)


@never_cache
@require_POST
@role_required(kinds=KINDS)
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new key in the place of this one; the answer shows its secret, this once."""
    shown, form = _key(request, pk), RotateForm(request.POST)
    if not _may_change(request, shown):
        return render(request, "market/forbidden.html", {"membership": request.membership}, status=403)
    if not form.is_valid():
        return _page(request, shown, status=422, rotate_form=form)
    try:
        new, secret = key_rotate(key=shown, overlap=form.cleaned_data["overlap"], user=request.user, at=clock.now())
    except Refused as refused:
        return _page(request, shown, status=409, refusal=refused)
    return _page(request, shown, secret=secret, new=new)


@require_POST
@role_required(kinds=KINDS)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = _key(request, pk), RevokeForm(request.POST)
    if not _may_change(request, shown):
        return render(request, "market/forbidden.html", {"membership": request.membership}, status=403)
    if not form.is_valid():
        return _page(request, shown, status=422, revoke_form=form)
    key_revoke(key=shown, user=request.user, reason=form.cleaned_data["reason"], at=clock.now())
    messages.success(request, _("Key %(hint)s is revoked: calls with it are refused from now on.") % {"hint": shown.hint})
    return redirect(list_of(shown))


def list_of(shown: ApiKey) -> str:
    """The page that the key is listed on."""
    if shown.mode == ApiKey.Mode.OPERATOR:
        return reverse("operator-usage-keys")
    if shown.entitlement is not None:
        return reverse("buyer-entitlement", args=[shown.entitlement.code])
    return reverse("buyer-keys")


def _page(request: HttpRequest, shown: ApiKey, status: int = 200, **context: Any) -> HttpResponse:
    at = clock.now()
    is_alive = shown.revoked_at is None and shown.expires_at > at
    facts = {
        "key": shown,
        "back": list_of(shown),
        "is_alive": is_alive,
        "days_left": max((shown.expires_at - at).days, 0),
        "may_change": is_alive and _may_change(request, shown),
        "form": LimitsForm.of(shown),
        "rotate_form": RotateForm(),
        "revoke_form": RevokeForm(),
    }
    return render(request, "market/consoles/keys/key.html", facts | context, status=status)


def _key(request: HttpRequest, pk: int) -> ApiKey:
    own = ApiKey.objects.filter(organisation=request.membership.organisation)
    return get_object_or_404(own.select_related("organisation", "entitlement__product", "created_by"), pk=pk)


def _may_change(request: HttpRequest, shown: ApiKey) -> bool:
    roles = OPERATOR_ROLES if shown.mode == ApiKey.Mode.OPERATOR else BUYER_ROLES
    return has_role(request.membership, *roles)
