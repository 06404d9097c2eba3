"""Determined permitted revenues for everybody: the arithmetic, the rules, who decided, the document; pages and JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from market.consoles.revenue.shown import figure_rows
from pricing.models import PermittedRevenue, RevenueAssessment
from pricing.revenue.standing import HOLDING
from pricing.rules.exact import yuan

PAGE_SIZE = 50


def published() -> QuerySet[PermittedRevenue]:
    """What is determined, newest first, with its confirmed assessments."""
    confirmed = RevenueAssessment.objects.filter(confirmed_at__isnull=False).select_related("document").defer("document__pdf")
    related = ("authorisation__operator", "authorisation__authorising_body", "regulator", "data_bureau", "document")
    found = PermittedRevenue.objects.filter(state__in=HOLDING).select_related(*related, "agreed_by", "determined_by")
    found = found.defer("document__pdf", "document__content")
    return found.prefetch_related(Prefetch("assessments", confirmed.order_by("-confirmed_at", "-id"))).order_by(
        "-determined_at", "-id"
    )


@require_safe
def determinations(request: HttpRequest) -> HttpResponse:
    page = Paginator(published(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/disclosure/determinations.html", {"page": page})


@require_safe
def determination(request: HttpRequest, pk: int) -> HttpResponse:
    own = get_object_or_404(published(), pk=pk)
    opinions = own.opinions.select_related("organisation").order_by("at", "id")
    context = {"own": own, "figures": figure_rows(own.figures), "opinions": opinions, "rules": sorted(own.rules.items())}
    return render(request, "market/disclosure/determination.html", context)


@require_safe
def determinations_json(request: HttpRequest) -> HttpResponse:
    page = Paginator(published(), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [as_json(own) for own in page]
    return _open({"determinations": rows, "page": page.number, "pages": page.paginator.num_pages, "currency": "CNY"})


@require_safe
def determination_json(request: HttpRequest, pk: int) -> HttpResponse:
    own = get_object_or_404(published(), pk=pk)
    return _open(as_json(own) | {"figures": [_figure(figure) for figure in own.figures], "rules": own.rules})


def as_json(own: PermittedRevenue) -> dict[str, Any]:
    """Money as strings in yuan, net of VAT; the period's last day included."""
    end = own.period.upper
    return {
        "url": f"{settings.PUBLIC_URL}/determinations/{own.pk}/",
        "number": own.document.number if own.document else None,
        "operator": {"uscc": own.authorisation.operator.uscc, "name": own.authorisation.operator.name},
        "authorisation": own.authorisation.number,
        "determined_by": own.regulator.name,
        "determined_with": own.data_bureau.name,
        "determined_at": own.determined_at.isoformat() if own.determined_at else None,
        "from": own.period.lower.isoformat(),
        "to_exclusive": end.isoformat(),
        "amount": yuan(own.amount_minor),
        "tax_basis": "net of VAT",
        "state": own.state,
        "assessments": [
            {
                "revenue": yuan(each.revenue_minor),
                "excess": yuan(each.excess_minor),
                "carried": yuan(each.carry_minor),
                "confirmed_at": each.confirmed_at.isoformat() if each.confirmed_at else None,
            }
            for each in own.assessments.all()
        ],
    }


def _figure(figure: dict[str, Any]) -> dict[str, Any]:
    """A kept figure with its money in yuan."""
    value = {"yuan": yuan(figure["minor"])} if "minor" in figure else {"rate": figure["rate"]}
    return {"code": figure["code"], **value, "steps": figure["steps"], "source": _source(figure["source"])}


def _source(source: dict[str, Any]) -> dict[str, Any]:
    if source["kind"] != "filings":
        return source
    filings = [{"year": each["year"], "admitted": yuan(each["admitted_minor"])} for each in source["filings"]]
    return {"kind": "filings", "filings": filings}


def _open(content: dict[str, Any]) -> HttpResponse:
    answer = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
