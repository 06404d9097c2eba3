"""The operator's bundles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.bundles.forms import BundleForm, PartsForm, document_field
from market.consoles.bundles.menu import KINDS
from market.consoles.operator.scope import purpose_choices
from market.consoles.tariffs.comparison import compare
from market.storefront.access import role_required
from market.storefront.templatetags.gongshu import local
from pricing.tariffs.bundles import (
    BundleNotReady,
    BundlePartRefused,
    bundle_close,
    bundle_draft,
    bundle_file,
    bundle_gaps,
    bundle_open,
    bundle_part_add,
    bundle_part_remove,
    bundle_parts,
)
from pricing.tariffs.models import Bundle, Plan
from pricing.tariffs.selectors import charged_classes, tariff_in_force
from pricing.tariffs.services import TARIFF_ROLES
from products.catalogue.models import DataProduct, ProductState
from products.record import clock
from products.record.refusals import Refused
from products.registry.models import Scenario
from products.registry.purposes import covers

page = role_required(kinds=KINDS)
priced = role_required(kinds=KINDS, roles=TARIFF_ROLES)


def own(request: HttpRequest) -> QuerySet[Bundle]:
    return Bundle.objects.filter(operator=request.membership.organisation).select_related("operator")


def products(request: HttpRequest) -> QuerySet[DataProduct]:
    found = DataProduct.objects.filter(operator=request.membership.organisation).exclude(state=ProductState.DELISTED)
    return found.order_by("name_key", "id")


@require_safe
@page
def bundles(request: HttpRequest) -> HttpResponse:
    found = own(request).annotate(parts=Count("plans")).order_by("-made_at", "-id")
    return render(request, "market/consoles/bundles/bundles.html", {"bundles": found})


@require_http_methods(["GET", "HEAD", "POST"])
@priced
def new(request: HttpRequest) -> HttpResponse:
    held = list(products(request))
    rights = sorted({purpose for product in held for purpose in product.purposes if charged_classes([purpose])})
    codes = {scenario for product in held for scenario in product.scenarios}
    scenarios = [(each.code, local(each)) for each in Scenario.objects.filter(code__in=codes).order_by("code")]
    form = BundleForm(request.POST or None, purposes=purpose_choices(rights), scenarios=scenarios)
    if request.method == "POST" and form.is_valid():
        try:
            made = bundle_draft(operator=request.membership.organisation, user=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("The bundle is a draft. Add its parts, then file their tariffs together."))
            return redirect("operator-bundle", code=made.code)
    status = 422 if form.errors else 200
    return render(request, "market/consoles/bundles/new.html", {"form": form}, status=status)


@require_safe
@page
def bundle(request: HttpRequest, code: str) -> HttpResponse:
    shown = get_object_or_404(own(request), code=code)
    return _page(request, shown)


def _page(request: HttpRequest, shown: Bundle, form: PartsForm | None = None, status: int = 200, **more: Any) -> HttpResponse:
    today = clock.today()
    parts = bundle_parts(bundle=shown, on=today)
    inside = {part.plan.product_id for part in parts}
    fitting = [
        product
        for product in products(request)
        if product.pk not in inside
        and shown.scenario in product.scenarios
        and any(covers(right, shown.purpose) for right in product.purposes)
    ]
    context = {
        "bundle": shown,
        "parts": parts,
        "fitting": fitting if shown.state == Bundle.State.DRAFT else [],
        "gaps": bundle_gaps(bundle=shown, on=today) if shown.state != Bundle.State.CLOSED else [],
        "form": form or _form(shown),
        **more,
    }
    return render(request, "market/consoles/bundles/bundle.html", context, status=status)


def _form(shown: Bundle, data: Any = None) -> PartsForm:
    """The parts' documents: today's of the bundle, else of the product's own plan."""
    today = clock.today()
    parts = bundle_parts(bundle=shown, on=today)
    starts = {}
    for part in parts:
        tariff = part.tariff or next((tariff_in_force(plan=plan, on=today) for plan in part.own), None)
        if tariff is not None:
            starts[part.plan.pk] = tariff.document
    is_priced = any(part.tariff for part in parts)
    start = today + timedelta(days=1) if is_priced else today
    return PartsForm(data, parts=parts, starts=starts, initial={"from_date": start})


@require_POST
@priced
def add_part(request: HttpRequest, code: str) -> HttpResponse:
    shown = get_object_or_404(own(request), code=code)
    product = get_object_or_404(products(request), code=request.POST.get("product", ""))
    done = _("%(product)s is a part now. Its tariff in the bundle is filed with the others.") % {"product": product.name}
    attempt(request, lambda: bundle_part_add(bundle=shown, product=product, user=request.user, at=clock.now()), done)
    return redirect("operator-bundle", code=code)


@require_POST
@priced
def remove_part(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    shown = get_object_or_404(own(request), code=code)
    plan = get_object_or_404(Plan.objects.filter(bundle=shown).select_related("product"), pk=pk)
    done = _("%(product)s is no part any more.") % {"product": plan.product.name}
    attempt(request, lambda: bundle_part_remove(bundle=shown, plan=plan, user=request.user, at=clock.now()), done)
    return redirect("operator-bundle", code=code)


@require_POST
@priced
def file_tariffs(request: HttpRequest, code: str) -> HttpResponse:
    """Check the documents of all parts, or file them together."""
    shown = get_object_or_404(own(request), code=code)
    form = _form(shown, request.POST)
    checked: list[Any] = []
    if form.is_valid():
        try:
            documents = form.documents()
            on = form.cleaned_data["from_date"]
            checked = [(part.plan, compare(plan=part.plan, document=documents[part.plan.pk], on=on)) for part in form.parts]
            if "file" in request.POST:
                named = {"from_date": on, "reason": form.cleaned_data["reason"], "may_fall": form.may_fall()}
                bundle_file(bundle=shown, documents=documents, user=request.user, at=clock.now(), **named)
                messages.success(request, _("Filed together. Each part is before the price regulator with the others beside it."))
                return redirect("operator-bundle", code=code)
        except BundlePartRefused as refused:
            form.add_error(document_field(refused.part), str(refused.refused))
        except Refused as refused:
            blame(form, refused)
    return _page(request, shown, form, 422 if form.errors else 200, checked=checked)


@require_POST
@priced
def open_bundle(request: HttpRequest, code: str) -> HttpResponse:
    shown = get_object_or_404(own(request), code=code)
    try:
        bundle_open(bundle=shown, user=request.user, at=clock.now())
    except BundleNotReady as refused:
        for gap in refused.gaps:
            messages.error(request, gap.message)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The bundle is on sale. Its page is open to everyone."))
    return redirect("operator-bundle", code=code)


@require_POST
@priced
def close_bundle(request: HttpRequest, code: str) -> HttpResponse:
    shown = get_object_or_404(own(request), code=code)
    named: dict[str, Any] = {"bundle": shown, "user": request.user, "reason": request.POST.get("reason", ""), "at": clock.now()}
    attempt(request, lambda: bundle_close(**named), _("Closed. What was bought goes on."))
    return redirect("operator-bundle", code=code)
