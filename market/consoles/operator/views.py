"""The operator's overview, and the page of one product."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from market.consoles.operator.access import PUBLISHERS, may, operator_of, operator_page, own_product
from market.consoles.operator.checklist import steps
from market.consoles.operator.forms import ReasonForm
from market.consoles.operator.selectors import caps_of, price_lines, product_rows, products_of, totals
from market.consoles.pretty import pretty
from market.storefront.pricetags import tariffs_of
from pricing.selectors import price_state
from products.catalogue.listing_gate import listing_gaps
from products.catalogue.models import DataProduct, ProductState, Release, ReviewRecord
from products.organisations.models import Role
from products.record import clock
from settlement.metering.selectors import refusals_by_reason
from settlement.publishing import licences_of


@require_safe
@operator_page
def home(request: HttpRequest) -> HttpResponse:
    """All products of the operator: state, what is missing, tariff against cap, this month's usage, refusals."""
    operator, at = operator_of(request), clock.now()
    page = Paginator(products_of(operator=operator), 50).get_page(request.GET.get("page"))
    rows = product_rows(products=list(page.object_list), at=at)
    context = {
        "operator": operator,
        "page": page,
        "rows": rows,
        "totals": totals(rows),
        "month": clock.business_date(at).replace(day=1),
        "may_publish": may(request, *PUBLISHERS),
    }
    return render(request, "market/consoles/operator/home.html", context)


@require_safe
@operator_page
def product_page(request: HttpRequest, code: str) -> HttpResponse:
    return show_product(request, own_product(request, code))


def show_product(request: HttpRequest, product: DataProduct, *, refusal: object = None, status: int = 200) -> HttpResponse:
    """The product's page with its checklist; ``refusal`` says why an act was refused."""
    at = clock.now()
    day = clock.business_date(at)
    licences = licences_of(organisation=product.operator, at=at) if product.authorisation_id is None else None
    gaps = listing_gaps(product=product, at=at, price_state=price_state(product=product, on=day), licences=licences)
    releases = list(product.releases.defer("artifact").select_related("created_by").order_by("-version"))
    reviews = list(product.reviews.select_related("requested_by", "reviewed_by").order_by("-requested_at", "-id"))
    plans = list(product.plans.order_by("code", "id"))
    tariffs = tariffs_of(plans, day)
    context = {
        "product": product,
        "steps": steps(gaps, product),
        "refusal": refusal,
        "releases": releases,
        "passed_after": _passed_after(reviews),
        "latest": releases[0] if releases else None,
        "active": next((release for release in releases if release.state == Release.State.ACTIVE), None),
        "reviews": reviews,
        "review_open": any(review.state == ReviewRecord.State.REQUESTED for review in reviews),
        "plans": [(plan, tariffs.get(plan.pk)) for plan in plans],
        "prices": price_lines(product, tariffs, caps_of(products=[product], on=day)),
        "resources": list(product.resources.order_by("code")),
        "refusals": refusals_by_reason(since=clock.day_start(day.replace(day=1)), until=at, product_id=product.pk),
        "sample": pretty(releases[0].sample_input) if releases else "",
        "can_list": product.state in (ProductState.DRAFT, ProductState.SUSPENDED),
        "is_over": product.state == ProductState.DELISTED,
        "reason_form": ReasonForm(auto_id="stop_%s"),
        "may_publish": may(request, *PUBLISHERS),
        "may_price": may(request, Role.PRICING),
    }
    return render(request, "market/consoles/operator/product.html", context, status=status)


def _passed_after(reviews: list[ReviewRecord]) -> object:
    """The moment such that releases made before it have both reviews passed; None while one is missing."""
    moments = []
    for kind in ReviewRecord.Kind.values:
        passed = [r.requested_at for r in reviews if r.kind == kind and r.state == ReviewRecord.State.PASSED]
        if not passed:
            return None
        moments.append(max(passed))
    return min(moments)
