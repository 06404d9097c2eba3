"""The public price list and what stands behind each price; open to all, for people and for programs."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from market.disclosure import tariff_page
from market.disclosure.capabilities import PUBLIC_STATES, entries_of
from market.disclosure.tariff_feed import feed
from market.disclosure.tariffs import FORMATS, Item, Wanted, channel, items_of, products_wanted, regulator_among, rows_of, sectors
from market.disclosure.views import public_operators
from market.storefront import catalogue, product_page
from pricing.bodies import overseers, region_of
from pricing.models import Cap, Plan
from products.catalogue.models import DataProduct, Regime
from products.models import Organisation, Purpose
from products.record import clock

PAGE_SIZE = 20
SECONDS = 300


@require_safe
def tariffs(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Every item of every operator, or of one; 20 products a page."""
    operator = get_object_or_404(public_operators(), slug=slug) if slug else None
    wanted, today = Wanted.from_query(request.GET.dict(), slug), clock.today()
    page = Paginator(products_wanted(wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "operator": operator,
        "wanted": wanted,
        "page": page,
        "items": items_of(page.object_list, on=today),
        "as_of": today,
        "operators": [] if slug else catalogue.operators(),
        "sectors": sectors(),
        "regimes": Regime.choices,
        "purposes": {purpose.code: purpose for purpose in Purpose.objects.all()},
    }
    return render(request, "market/disclosure/tariffs.html", context)


@require_safe
def tariffs_file(request: HttpRequest, ending: str, slug: str = "") -> HttpResponse:
    """The same list for programs, whole; the filters of the page narrow it. Unchanged content answers 304."""
    if slug:
        get_object_or_404(public_operators(), slug=slug)
    today = clock.today()
    items = items_of(products_wanted(Wanted.from_query(request.GET.dict(), slug)), on=today)
    content_type, export = FORMATS[ending]
    response = open_to_programs(request, export(rows_of(items, today), today, request.path), content_type)
    if ending == "csv":
        response["Content-Disposition"] = f'attachment; filename="tariffs-{slug or "all"}-{today.isoformat()}.csv"'
    return response


@require_safe
def changes(request: HttpRequest, slug: str = "") -> HttpResponse:
    if slug:
        get_object_or_404(public_operators(), slug=slug)
    return open_to_programs(request, feed(slug=slug, url=request.path), "application/atom+xml; charset=utf-8")


def open_to_programs(request: HttpRequest, content: bytes, content_type: str) -> HttpResponse:
    """Readable from any site, kept by caches for five minutes, with an ETag over the content."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type=content_type)
    answer = get_conditional_response(request, etag=etag, response=response) or response
    answer["ETag"] = etag
    answer["Access-Control-Allow-Origin"] = "*"
    patch_cache_control(answer, public=True, max_age=SECONDS)
    return answer


@require_safe
def product_tariffs(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """A product's prices with the arithmetic behind them, and every version that there was."""
    related = DataProduct.objects.select_related("operator", "authorisation__authorising_body").defer("search_terms")
    product = get_object_or_404(related, code=code, operator__slug=slug, state__in=PUBLIC_STATES)
    today = clock.today()
    plans = list(Plan.objects.filter(product=product).order_by("state", "code", "id"))
    context: dict[str, Any] = {
        "product": product,
        "item": Item(entries_of(DataProduct.objects.filter(pk=product.pk), on=today, with_later=True)[0], _regulator(product)),
        "plans": _opened(product, request.GET.dict()),
        "history": tariff_page.history_of(plans=plans, on=today),
        "as_of": today,
        "purposes": {purpose.code: purpose for purpose in Purpose.objects.all()},
    }
    context |= {"complaints": channel(product.operator), "regulator_complaints": channel(context["item"].regulator)}
    return render(request, "market/disclosure/product_tariffs.html", context)


def _regulator(product: DataProduct) -> Organisation | None:
    if product.authorisation is None:
        return None
    return regulator_among(overseers(kind="price_regulator", region=region_of(product)), product)


def _opened(product: DataProduct, asked: dict[str, str]) -> list[tariff_page.PlanArithmetic]:
    today = clock.today()
    offers = product_page.offers_of(product, product_page.purposes_of(product), today)
    caps = list(Cap.objects.filter(product=product, period__contains=today).select_related("filing").order_by("id"))
    caps = [] if product.regime == Regime.MARKET else caps
    return [tariff_page.arithmetic(plan=offer.plan, tariff=offer.tariff, caps=caps, asked=asked, on=today) for offer in offers]
