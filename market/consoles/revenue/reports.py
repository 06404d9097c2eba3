"""The yearly reports on operations: what is due, what is there; the operator files its own here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from market.consoles.acts import blame
from market.consoles.revenue.access import office, operations
from market.consoles.revenue.forms import ReportForm
from market.consoles.revenue.menu import KINDS
from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from pricing.models import OperationReport
from pricing.revenue.reports import operation_report_file, reports_due
from products.record import clock
from products.record.refusals import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS)
def reports(request: HttpRequest) -> HttpResponse:
    today, own = clock.today(), operations(request)
    files = office(request).kind == "operator"
    if request.method == "POST" and not files:
        return render(request, "market/forbidden.html", {"membership": request.membership}, status=403)
    form = ReportForm(request.POST or None, request.FILES or None, authorisations=own, initial={"year": today.year - 1})
    if request.method == "POST" and form.is_valid():
        try:
            _file(request, form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("The report is filed; the three bodies have been told."))
            assert request.resolver_match is not None
            return redirect(f"{request.resolver_match.namespace}:reports")
    due = reports_due(authorisations=list(own[:200]), today=today)
    context = {
        "rows": [(row, row.is_overdue(today)) for row in due],
        "form": form if files else None,
        "today": today,
        "ns": request.resolver_match.namespace if request.resolver_match else "",
    }
    return render(request, "market/consoles/revenue/reports.html", context, status=422 if request.method == "POST" else 200)


@transaction.atomic
def _file(request: HttpRequest, data: dict[str, Any]) -> OperationReport:
    at = clock.now()
    named = {"authorisation": data["authorisation"], "year": data["year"], "summary": data["summary"]}
    kept = keep_upload(data["file"], organisation=office(request), user=request.user, purpose="operation_report", at=at)
    return operation_report_file(**named, user=request.user, at=at, file=kept)
