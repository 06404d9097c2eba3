"""What can be done with a set: change its figures, take the next step, drop it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from market.consoles.acts import attempt
from market.consoles.authority.services import publish_basket
from market.consoles.baskets import files, tables
from market.consoles.baskets.menu import KINDS
from market.consoles.baskets.views import basket_page, body, day_of, own, wrong_of
from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from pricing.models import CapBasket
from pricing.revenue.baskets import basket_adjust, basket_approve, basket_drop, basket_file, basket_report
from products.record import clock
from products.record.refusals import Refused


@require_POST
@role_required(kinds=KINDS)
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    found = get_object_or_404(own(request), pk=pk)
    if step in ("adjust", "upload", "method"):
        return change(request, found, step)
    named: dict[str, Any] = {"basket": found, "user": request.user, "at": clock.now()}
    if step == "file":
        return file_set(request, found, named)
    if step == "approve":
        attempt(request, lambda: basket_approve(**named), _("Approved. Next: file the written report."))
    elif step == "report":
        attempt(request, lambda: report(request, named), _("The report is on file. Next: publish the caps."))
    elif step == "publish":
        attempt(request, lambda: publish_basket(**named), _("Published. From their date prices above the caps are cut."))
    elif step == "drop":
        reason = request.POST.get("reason", "")
        attempt(request, lambda: basket_drop(**named, reason=reason), _("The set is dropped, with its filings."))
    else:
        raise Http404
    return redirect("authority-basket", pk=pk)


def change(request: HttpRequest, found: CapBasket, step: str) -> HttpResponse:
    """Other figures: those typed on this page, a whole file's, or those of one of the three ways."""
    raw: list[dict[str, str]] = list(found.rows)
    try:
        first = day_of(request.POST["from_date"]) if request.POST.get("from_date") else None
        method = request.POST.get("method", "") if step == "method" else "own"
        if step == "upload":
            raw = files.read(request.FILES.get("file"))
        elif step == "adjust":
            raw = tables.merged_rows(found.rows, request.POST)
        basket_adjust(basket=found, rows=raw, user=request.user, at=clock.now(), from_date=first, method=method)
    except Refused as refused:
        return basket_page(request, found, wrong=wrong_of(refused), typed=tables.as_typed(raw))
    messages.success(request, _("Saved. The sum below is the set's as it now stands."))
    page = request.GET.get("page", "")
    answer = redirect("authority-basket", pk=found.pk)
    answer["Location"] += f"?page={page}" if page.isdecimal() else ""
    return answer


def file_set(request: HttpRequest, found: CapBasket, named: dict[str, Any]) -> HttpResponse:
    try:
        basket_file(**named, document_no=request.POST.get("document_no", ""))
    except Refused as refused:
        found.refresh_from_db()
        return basket_page(request, found, wrong=wrong_of(refused))
    messages.success(request, _("Filed. Next: another person of your body approves the whole set."))
    return redirect("authority-basket", pk=found.pk)


def report(request: HttpRequest, named: dict[str, Any]) -> CapBasket:
    filed = {"organisation": body(request), "user": named["user"], "at": named["at"]}
    kept = keep_upload(request.FILES.get("file"), purpose="cap_report", **filed)
    return basket_report(**named, report_no=request.POST.get("report_no", ""), evidence=kept)
