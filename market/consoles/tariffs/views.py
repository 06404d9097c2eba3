"""The operator's plans and tariffs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame, problem_lines
from market.consoles.operator.access import seller_page
from market.consoles.tariffs.comparison import Comparison, compare, comparison, siblings
from market.consoles.tariffs.forms import ComponentRows, TariffForm, discounts_text, document_of, rows_of
from market.disclosure.tariff_page import Headroom, headrooms
from pricing.models import Cap, Plan, Tariff
from pricing.reading import DocumentRefused
from pricing.tariffs.models import IN_FORCE_STATES
from pricing.tariffs.selectors import charged_classes, plans_of, tariff_in_force, timeline
from pricing.tariffs.services import TARIFF_ROLES, tariff_file, tariff_withdraw
from products.models import Organisation
from products.record import cases, clock
from products.record.calendar import load
from products.record.refusals import Refused

NEWEST = 5


def operator(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def own_plans(request: HttpRequest) -> QuerySet[Plan]:
    return plans_of(operator_ids=[operator(request).pk])


def own_tariffs(request: HttpRequest) -> QuerySet[Tariff]:
    found = Tariff.objects.filter(plan__product__operator=operator(request))
    return found.select_related("plan__product__operator", "plan__bundle", "case", "filed_by", "decided_by")


@require_safe
@seller_page()
def plans(request: HttpRequest) -> HttpResponse:
    shown = (
        Tariff.objects.filter(state__in=["filed", "accepted", "returned", "stopped"]).select_related("case").order_by("-version")
    )
    found = own_plans(request).prefetch_related(Prefetch("tariffs", queryset=shown))
    today, calendar = clock.today(), load()

    def left(tariff: Tariff) -> cases.DaysLeft | None:
        return cases.days_left(case=tariff.case, today=today, calendar=calendar) if tariff.case else None

    caps = Cap.objects.filter(product__in=[plan.product_id for plan in found], period__contains=today)
    by_product: dict[int, list[Cap]] = {}
    for cap in caps.select_related("filing").order_by("id"):
        by_product.setdefault(cap.product_id, []).append(cap)

    def prices(plan: Plan) -> list[Headroom]:
        """Each price in force today under its cap, for each purpose class that the plan serves."""
        running = (t for t in plan.tariffs.all() if t.state in IN_FORCE_STATES and today in t.period)
        tariff = next(running, None)
        own = by_product.get(plan.product_id, [])
        return headrooms(tariff.document, charged_classes(plan.purposes), own) if tariff else []

    rows = [(plan, prices(plan), [(tariff, left(tariff)) for tariff in plan.tariffs.all()[:NEWEST]]) for plan in found]
    return render(request, "market/consoles/tariffs/plans.html", {"rows": rows, "today": today})


@require_safe
@seller_page()
def tariff(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(own_tariffs(request), pk=pk)
    today = clock.today()
    context = {
        "tariff": shown,
        "left": cases.days_left(case=shown.case, today=today) if shown.case else None,
        "comparison": comparison(shown),
        "siblings": siblings(shown),
        "timeline": timeline(plan=shown.plan),
        "may_withdraw": shown.period.lower > today and shown.state in ("filed", "accepted"),
        "today": today,
    }
    return render(request, "market/consoles/tariffs/tariff.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@seller_page(roles=TARIFF_ROLES)
def new(request: HttpRequest, pk: int) -> HttpResponse:
    plan = get_object_or_404(own_plans(request), pk=pk)
    before = tariff_in_force(plan=plan, on=clock.today())
    form = TariffForm(request.POST or None, request.FILES or None, initial=initial(before))
    rows = ComponentRows(request.POST or None, prefix="components", initial=rows_of(before.document) if before else None)
    context: dict[str, Any] = {"plan": plan, "form": form, "rows": rows, "before": before, "timeline": timeline(plan=plan)}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and rows.is_valid():
            filed, context["comparison"] = check_or_file(request, plan, form, rows)
            if filed is not None:
                messages.success(request, _("Filed. It is in force from its date unless the price regulator returns it in time."))
                return redirect("operator-tariff", pk=filed.pk)
            status = 200 if not form.errors else 422
    return render(request, "market/consoles/tariffs/new.html", context, status=status)


def initial(before: Tariff | None) -> dict[str, Any]:
    if before is None:
        return {"from_date": clock.today()}
    document = before.document
    return {
        "from_date": clock.today() + timedelta(days=1),
        "minimum": document.get("minimum") or "",
        "maximum": document.get("maximum") or "",
        "tax_rate": document["tax"]["rate"],
        "is_inclusive": document["tax"]["inclusive"],
        "discounts": discounts_text(document.get("discounts") or []),
    }


def check_or_file(request: HttpRequest, plan: Plan, form: TariffForm, rows: Any) -> tuple[Tariff | None, Comparison | None]:
    """Show the document against its caps; file it where that was asked and nothing stands against it."""
    data, at = form.cleaned_data, clock.now()
    seen: Comparison | None = None
    try:
        document = document_of(form, rows)
        seen = compare(plan=plan, document=document, on=data["from_date"], with_curves=True)
        if "file" not in request.POST:
            return None, seen
        named: dict[str, Any] = {"from_date": data["from_date"], "user": request.user, "reason": data["reason"], "at": at}
        return tariff_file(plan=plan, document=document, may_fall=data["may_fall"], **named), seen
    except Refused as refused:
        blame(form, refused)
        return None, seen


@require_POST
@seller_page(roles=TARIFF_ROLES)
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the document in the editor would mean, as a fragment (htmx asks for it as one types). Files nothing."""
    plan = get_object_or_404(own_plans(request), pk=pk)
    form, rows = TariffForm(request.POST), ComponentRows(request.POST, prefix="components")
    context: dict[str, Any] = {"plan": plan, "problems": []}
    form.is_valid()  # a reason may still be missing; the document is looked at all the same
    if not rows.is_valid():
        context["problems"] = [str(error) for errors in rows.errors for each in errors.values() for error in each]
        return render(request, "market/consoles/tariffs/preview.html", context)
    try:
        document = document_of(form, rows)
        on = form.cleaned_data.get("from_date") or clock.today() + timedelta(days=1)
        context["comparison"] = compare(plan=plan, document=document, on=on, with_curves=True)
    except DocumentRefused as refused:
        context["problems"] = problem_lines(refused.problems)
    except Refused as refused:
        context["problems"] = [str(refused)]
    return render(request, "market/consoles/tariffs/preview.html", context)


@require_POST
@seller_page(roles=TARIFF_ROLES)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(own_tariffs(request), pk=pk)
    reason = request.POST.get("reason", "")
    named: dict[str, Any] = {"tariff": shown, "user": request.user, "reason": reason, "at": clock.now()}
    attempt(request, lambda: tariff_withdraw(**named), _("Withdrawn. The price before it goes on."))
    return redirect("operator-tariff", pk=pk)
