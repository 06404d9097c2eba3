"""Pages that anybody may read: operators, capability lists, authorisations."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from market.consoles.fairness import selectors
from market.disclosure.capabilities import PUBLIC_STATES, capability_list
from market.disclosure.exports import FORMATS
from pricing.models import SupplyRefusal
from pricing.tariffs.supply import statistics
from products.catalogue.models import DataProduct
from products.models import Organisation, Purpose, Registration, Scenario, ScopeItem
from products.organisations.models import OrganisationKind, OrganisationState
from products.record import clock
from products.registry.selectors import authorisations_public
from settlement.oversight.concentration import exclusive_resources, public

PAGE_SIZE = 50


def public_operators() -> QuerySet[Organisation]:
    return Organisation.objects.filter(kind=OrganisationKind.OPERATOR, state=OrganisationState.VERIFIED)


@require_safe
def operators(request: HttpRequest) -> HttpResponse:
    listed = Count("products", filter=Q(products__state="listed"))
    found = public_operators().annotate(listed=listed).order_by("name_key", "id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/disclosure/operators.html", {"page": page})


@require_safe
def capabilities(request: HttpRequest, slug: str) -> HttpResponse:
    operator = get_object_or_404(public_operators(), slug=slug)
    today = clock.today()
    context = {
        "operator": operator,
        "entries": capability_list(operator=operator, on=today),
        "as_of": today,
        "purposes": {purpose.code: purpose for purpose in Purpose.objects.all()},
        "scenarios": {scenario.code: scenario for scenario in Scenario.objects.all()},
        "formats": list(FORMATS),
    }
    return render(request, "market/disclosure/capabilities.html", context)


@require_safe
def capabilities_file(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    operator = get_object_or_404(public_operators(), slug=slug)
    today = clock.today()
    content_type, export = FORMATS[ending]
    content = export(operator, capability_list(operator=operator, on=today), today)
    response = HttpResponse(content, content_type=content_type)
    response["Access-Control-Allow-Origin"] = "*"
    if ending in ("csv", "xlsx"):
        response["Content-Disposition"] = f'attachment; filename="capabilities-{operator.slug}-{today.isoformat()}.{ending}"'
    return response


@require_safe
def fairness(request: HttpRequest) -> HttpResponse:
    """Concentration without what would tell on a buyer, refusals without names, resources of one operator alone."""
    span = selectors.span_asked(request.GET.dict())
    pairs = public(selectors.concentration_rows(span))
    context = {
        "span": span,
        "pairs": pairs,
        "chart": selectors.chart_of([row for row, is_shown in pairs if is_shown]),
        "statistics": statistics(refusals=SupplyRefusal.objects.all()),
        "exclusive": exclusive_resources(on=clock.today()),
    }
    return render(request, "market/disclosure/fairness.html", context)


@require_safe
def authorisations(request: HttpRequest) -> HttpResponse:
    page = Paginator(authorisations_public().prefetch_related(None), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/disclosure/authorisations.html", {"page": page, "today": clock.today()})


@require_safe
def authorisation(request: HttpRequest, number: str) -> HttpResponse:
    shown = get_object_or_404(authorisations_public().prefetch_related(None), number=number)
    valid = Registration.objects.filter(state="valid").order_by("-valid_to", "-id")
    scope = (
        ScopeItem.objects.filter(authorisation=shown)
        .select_related("resource__provider", "purpose", "scenario")
        .prefetch_related(Prefetch("resource__registrations", queryset=valid))
        .order_by("resource__code", "product_type", "purpose", "scenario", "id")
    )
    products = DataProduct.objects.filter(authorisation=shown, state__in=PUBLIC_STATES).order_by("name_key", "id")
    context = {"authorisation": shown, "scope": scope, "products": products.defer("search_terms"), "today": clock.today()}
    return render(request, "market/disclosure/authorisation.html", context)
