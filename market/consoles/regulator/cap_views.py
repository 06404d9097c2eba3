"""Caps before the price regulator and the data bureau: what was reported, with the reasonableness test as it came out."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from market.consoles.authority.caps import due_of, with_report
from market.consoles.baskets import files, tables
from market.consoles.regulator.menu import KINDS
from market.consoles.regulator.views import of_region, office
from market.storefront.access import role_required
from pricing.bodies import stem
from pricing.models import CapBasket, CapFiling
from pricing.revenue.basket_rows import from_json

PAGE_SIZE = 50


def caps_of_region(request: HttpRequest) -> QuerySet[CapFiling]:
    """What was reported in the office's region, the latest first. A set counts once: its filings stand on its own page."""
    found = CapFiling.objects.filter(state__in=["reported", "published"])
    found = found.filter(of_region(stem(office(request).region), "product__authorisation"))
    related = ("product__operator", "authorising_body", "drafted_by", "approved_by", "reported_by")
    return found.select_related(*related).order_by("-reported_at", "-id")


def sets_of_region(request: HttpRequest) -> QuerySet[CapBasket]:
    found = CapBasket.objects.filter(of_region(stem(office(request).region), "permitted_revenue__authorisation"))
    found = found.filter(state__in=["reported", "published"])
    related = ("permitted_revenue__authorisation__operator", "authorising_body", "report_document")
    people = ("made_by", "filed_by", "approved_by", "reported_by")
    heavy = ("report_document__pdf", "report_document__content")
    return found.select_related(*related, *people).defer(*heavy).order_by("-reported_at", "-id")


@require_safe
@role_required(kinds=KINDS)
def caps(request: HttpRequest) -> HttpResponse:
    page = Paginator(caps_of_region(request).filter(basket=None), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "sets": sets_of_region(request)[:PAGE_SIZE]}
    return render(request, "market/consoles/regulator/caps.html", context)


@require_safe
@role_required(kinds=KINDS)
def cap(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(with_report(caps_of_region(request)), pk=pk)
    step = {"reported": 3, "published": 4}[shown.state]
    context = {"filing": shown, "step": step, "due": due_of(shown), "set_url": "regulator-cap-set"}
    return render(request, "market/consoles/regulator/cap.html", context)


@require_safe
@role_required(kinds=KINDS)
def cap_set(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(sets_of_region(request), pk=pk)
    rows = from_json(found.rows)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    first = (page.number - 1) * PAGE_SIZE
    context = {
        "basket": found,
        "permitted": found.permitted_revenue,
        "page": page,
        "rows": tables.shown(rows, first=first, last=first + PAGE_SIZE, test=found.test),
    }
    return render(request, "market/consoles/regulator/cap_set.html", context)


@require_safe
@role_required(kinds=KINDS)
def cap_set_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    found = get_object_or_404(sets_of_region(request), pk=pk)
    if ending not in files.TYPES:
        raise Http404
    return files.answer(from_json(found.rows), ending=ending, name=f"caps-{pk}")
