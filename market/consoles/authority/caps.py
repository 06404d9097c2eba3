"""Caps of the body's products: list, draft, and the steps to publication."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.authority.forms import CapForm, CapRows, ReasonForm, ReportForm
from market.consoles.authority.menu import KINDS
from market.consoles.authority.services import publish_caps
from market.consoles.baskets.views import in_reach
from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from pricing.bodies import region_of
from pricing.models import CapFiling
from pricing.revenue.cap_reports import report_due
from pricing.revenue.selectors import cap_filings_of
from pricing.revenue.services import CAP_ROLES, cap_approve, cap_draft, cap_report, cap_withdraw
from products.models import DataProduct, Organisation
from products.organisations.selectors import has_role
from products.record import clock
from products.record.cases import DaysLeft
from products.record.refusals import Refused

PAGE_SIZE = 50


def own(request: HttpRequest) -> QuerySet[CapFiling]:
    return cap_filings_of(authorising_body_ids=[body(request).pk])


def body(request: HttpRequest) -> Organisation:
    return request.membership.organisation


@require_safe
@role_required(kinds=KINDS)
def cap_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(own(request), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/consoles/authority/caps.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS, roles=CAP_ROLES)
def draft(request: HttpRequest) -> HttpResponse:
    reach = in_reach(request, "authorisation__")
    products = DataProduct.objects.filter(reach).exclude(regime__in=("free", "market")).order_by("name_key", "id")
    initial = {"product": products.filter(code=request.GET.get("product", "")).first(), "from_date": clock.today()}
    form = CapForm(request.POST or None, products=products, initial=initial)
    rows = CapRows(request.POST or None, prefix="caps")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        data = form.cleaned_data
        try:
            filing = cap_draft(
                product=data["product"],
                document=document_of(data, rows),
                user=request.user,
                at=clock.now(),
                volumes=[volume for volume in (row.volume() for row in rows.forms) if volume],
            )
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Draft saved. Next: another person of your body approves it."))
            return redirect("authority-cap", pk=filing.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "market/consoles/authority/cap_draft.html", {"form": form, "rows": rows}, status=status)


def document_of(data: dict[str, Any], rows: Any) -> dict[str, Any]:
    """The cap document of design.md section 7 from the form's head and rows."""
    entries = [row.entry() for row in rows.forms]
    return {
        "caps": [entry for entry in entries if entry],
        "document": data["document"],
        "from": data["from_date"].isoformat(),
        "purposes": data["purposes"],
    }


@require_safe
@role_required(kinds=KINDS)
def filing(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(with_report(own(request)), pk=pk)
    may_act = has_role(request.user, body(request), *CAP_ROLES)
    context = {
        "filing": shown,
        "report_form": ReportForm(),
        "withdraw_form": ReasonForm(),
        "may_act": may_act,
        "is_drafter": shown.drafted_by_id == request.user.pk,
        "step": ["draft", "approved", "reported", "published"].index(shown.state) + 1 if shown.state != "withdrawn" else 0,
        "due": due_of(shown),
    }
    return render(request, "market/consoles/authority/cap.html", context)


def with_report(found: QuerySet[CapFiling]) -> QuerySet[CapFiling]:
    """Filings with what their page shows, without the bytes of their papers."""
    related = ("reported_by", "report_evidence", "report_document", "permitted_revenue", "basket")
    heavy = ("report_evidence__content", "report_document__pdf", "report_document__content", "basket__rows", "basket__test")
    return found.select_related(*related).defer(*heavy)


def due_of(shown: CapFiling) -> DaysLeft | None:
    """The days left for the written report; None before the approval."""
    if shown.approved_at is None:
        return None
    region = region_of(shown.product)
    return report_due(approved_at=shown.approved_at, region=region, reported_at=shown.reported_at, today=clock.today())


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    shown = get_object_or_404(own(request), pk=pk)
    named: dict[str, Any] = {"filing": shown, "user": request.user, "at": clock.now()}
    if step == "approve":
        attempt(request, lambda: cap_approve(**named), _("Approved. Next: file the written report."))
    elif step == "report":
        attempt(request, lambda: report(request, named), _("The report is on file. Next: publish the caps."))
    elif step == "publish":
        attempt(request, lambda: publish_caps(**named), _("Published. From their date prices above the caps are cut."))
    elif step == "withdraw":
        reason = request.POST.get("reason", "")
        attempt(request, lambda: cap_withdraw(**named, reason=reason), _("The filing is withdrawn."))
    else:
        raise Http404
    return redirect("authority-cap", pk=pk)


def report(request: HttpRequest, named: dict[str, Any]) -> CapFiling:
    filed = {"organisation": body(request), "user": named["user"], "at": named["at"]}
    kept = keep_upload(request.FILES.get("file"), purpose="cap_report", **filed)
    return cap_report(**named, report_no=request.POST.get("report_no", ""), evidence=kept)
