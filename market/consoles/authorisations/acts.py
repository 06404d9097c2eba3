"""What people of the authorising body do with an authorisation: add scope to the draft, activate, suspend, resume, end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from market.consoles.authorisations.access import activator_page, drafter_page, own_authorisation
from market.consoles.authorisations.forms import ScopeForm
from market.consoles.authorisations.views import show
from products.record import clock
from products.record.refusals import Refused
from products.registry import authorisations as services
from products.registry.models import Authorisation


@require_POST
@drafter_page
def scope(request: HttpRequest, pk: int) -> HttpResponse:
    """Add every combination of what was chosen, all or none."""
    authorisation = own_authorisation(request, pk)
    form = ScopeForm(request.POST)
    if not form.is_valid():
        return show(request, authorisation, scope_form=form, status=422)
    items, at = form.items(), clock.now()
    try:
        with transaction.atomic():
            for resource, kind, purpose, scenario in items:
                services.scope_item_add(
                    authorisation=authorisation,
                    resource=resource,
                    product_type=kind,
                    purpose=purpose,
                    scenario=scenario,
                    user=request.user,
                    at=at,
                )
    except Refused as refusal:
        return show(request, authorisation, scope_form=form, refusal=refusal, status=409)
    done = ngettext("%s scope item is in the draft.", "%s scope items are in the draft.", len(items))
    messages.success(request, done % len(items))
    return redirect("authority-authorisation", pk=pk)


def _act(request: HttpRequest, authorisation: Authorisation, act: Callable[..., Any], done: str, **facts: Any) -> HttpResponse:
    try:
        act(authorisation=authorisation, user=request.user, at=clock.now(), **facts)
    except Refused as refusal:
        return show(request, authorisation, refusal=refusal, status=409)
    messages.success(request, done)
    return redirect("authority-authorisation", pk=authorisation.pk)


@require_POST
@activator_page
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    done = _("The authorisation is active. The operator was told and may file products within its scope.")
    return _act(request, own_authorisation(request, pk), services.authorisation_activate, done)


@require_POST
@activator_page
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    done = _("The authorisation is suspended: its products cannot be called until it is resumed. The operator was told.")
    reason = request.POST.get("reason", "")
    return _act(request, own_authorisation(request, pk), services.authorisation_suspend, done, reason=reason)


@require_POST
@activator_page
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    done = _("The authorisation is active again. The operator was told.")
    reason = request.POST.get("reason", "")
    return _act(request, own_authorisation(request, pk), services.authorisation_resume, done, reason=reason)


@require_POST
@activator_page
def end(request: HttpRequest, pk: int) -> HttpResponse:
    done = _("The authorisation has ended: its products are no longer served. The operator was told.")
    reason = request.POST.get("reason", "")
    return _act(request, own_authorisation(request, pk), services.authorisation_end, done, reason=reason)
