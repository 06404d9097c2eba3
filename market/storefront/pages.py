"""The open pages: home, catalogue, product."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from market.storefront import catalogue, expected, pricetags, product_page
from market.storefront.acting import acting_membership, has_role
from market.storefront.baskets import BUYING_ROLES
from market.storefront.figures import market_figures
from market.storefront.forms import BuyForm
from pricing.tariffs.bundles import bundles_of_product
from pricing.tariffs.discounts import published
from products.catalogue.models import DataProduct, ProductState, Regime
from products.catalogue.redevelopment import NO_ORIGIN, affiliate_case, origin_of
from products.record import clock
from products.registry.models import FREE_CLASSES, ProductType, Purpose, PurposeClass
from settlement.entitlements.stop_selectors import stop_of

FEATURED = 6


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    listed = DataProduct.objects.filter(state=ProductState.LISTED).select_related("operator")
    featured = list(listed.defer("description", "description_en", "search_terms").order_by("-listed_at", "-id")[:FEATURED])
    context = {
        "featured": featured,
        "tags": pricetags.tags_of(featured, clock.today()),
        "figures": market_figures(),
        "purpose_classes": PurposeClass,
        "hide_header_search": True,
    }
    return render(request, "market/home.html", context)


@require_safe
def products(request: HttpRequest) -> HttpResponse:
    wanted = catalogue.Wanted.from_query(request.GET.dict())
    number = request.GET.get("page", "1")
    found = catalogue.find(wanted, int(number) if number.isdecimal() and len(number) < 6 else 1)
    context = {
        "wanted": wanted,
        "found": found,
        "query": wanted.words,
        "tags": pricetags.tags_of(found.products, clock.today()),
        "operators": catalogue.operators(),
        "types": [choice for choice in ProductType.choices if choice[0] != ProductType.REMOTE],
        "purpose_classes": PurposeClass.choices,
        "regimes": Regime.choices,
        "count_limit": catalogue.COUNT_LIMIT,
    }
    return render(request, "market/products.html", context)


@require_safe
def product(request: HttpRequest, code: str) -> HttpResponse:
    return product_with(request, product_page.product_shown(code))


def product_with(request: HttpRequest, shown: DataProduct, form: BuyForm | None = None, status: int = 200) -> HttpResponse:
    """The product's page, with a form that was refused where there is one."""
    today, membership = clock.today(), acting_membership(request)
    purposes = product_page.purposes_of(shown)
    offers = product_page.offers_of(shown, purposes, today)
    stop = stop_of(shown)
    release = product_page.active_release(shown)
    context: dict[str, Any] = {
        "product": shown,
        "purposes": purposes,
        "scenarios": product_page.scenarios_of(shown),
        "offers": offers,
        "free_purposes": [purpose for purpose in purposes if purpose.purpose_class in FREE_CLASSES],
        "registrations": product_page.registrations_of(shown),
        "bundles": bundles_of_product(product=shown),
        "origin": origin_of(shown) if shown.authorisation_id is None else NO_ORIGIN,
        "affiliate": affiliate_case(shown) if shown.regime == Regime.MARKET else None,
        "release": release,
        "sample_input": _pretty(release.sample_input) if release else "",
        "sample_output": _pretty(release.sample_output) if release and release.sample_output is not None else "",
        "curl": product_page.curl_example(shown, release),
        "grants": product_page.grants_of(shown, membership.organisation if membership else None, today),
        "may_buy": has_role(membership, *BUYING_ROLES),
        "membership": membership,
        "stop": stop,
        "buy_form": form or (buy_form(shown, offers, purposes) if stop is None else None),
        "query": "",
        **_price_context(request, shown, offers, today),
    }
    return render(request, "market/product.html", context, status=status)


def buy_form(
    shown: DataProduct, offers: list[product_page.PlanOffer], purposes: list[Purpose], data: Any = None
) -> BuyForm | None:
    """The form that puts a plan into the basket; None where nothing is on sale."""
    if not offers or shown.state != ProductState.LISTED:
        return None
    sold = product_page.purposes_sold(purposes)
    return BuyForm(data, offers=offers, purposes=sold, scenarios=product_page.scenarios_of(shown))


@require_safe
def price(request: HttpRequest, code: str) -> HttpResponse:
    """The price at the asked usage, as a fragment of the product page (htmx asks for it as one types)."""
    shown, today = product_page.product_shown(code), clock.today()
    offers = product_page.offers_of(shown, product_page.purposes_of(shown), today)
    if not offers:
        raise Http404
    return render(
        request, "market/components/price_quote.html", {"product": shown} | _price_context(request, shown, offers, today)
    )


def _price_context(request: HttpRequest, shown: DataProduct, offers: list[product_page.PlanOffer], today: date) -> dict[str, Any]:
    """The quote at the asked use, with the discounts of who looks: a visitor sees what is published, and for whom."""
    if not offers:
        return {}
    membership = acting_membership(request)
    scenario = request.GET.get("scenario", "")
    scenario = scenario if scenario in shown.scenarios else min(shown.scenarios, default="")
    asked = request.GET.get("plan", "")
    offer = next((each for each in offers if each.plan.code == asked), offers[0])
    units, wrong = product_page.units_asked(offer, request.GET.dict())
    term = expected.term_of(product=offer.plan.product, months=offer.plan.term_months, at=clock.now())
    document = offer.tariff.document
    buyer = membership.organisation if membership else None
    priced = expected.price_for(product=shown, document=document, organisation=buyer, scenario=scenario, on=today)
    context: dict[str, Any] = {
        "offer": offer,
        "priced": priced,
        "membership": membership,
        "of_others": priced.of_others,
        "scenario": scenario,
        "asks_scenario": membership is not None
        and len(shown.scenarios) > 1
        and any("key_scenario" in published(each.tariff.document) for each in offers),
        "headline": pricetags.headline(offer.tariff.document),
        "units": units,
        "wrong_units": wrong,
        "term": term,
    }
    if not wrong:
        context["quote"] = priced.month(units, today)
        context["deductions"] = priced.deductions(context["quote"])
        context["term_total"] = priced.term(units, term) if term.end > term.start else None
        context["labels"] = {component["code"]: component.get("label", component["code"]) for component in document["components"]}
    return context


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
