"""What a publisher does with a product, each by its service: reviews, listing, suspension, the change of releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from market.consoles.operator.access import own_product, publisher_page
from market.consoles.operator.views import show_product
from products.catalogue import services
from products.catalogue.models import DataProduct
from products.record import clock
from products.record.refusals import Refused
from settlement.publishing import product_offer


def _act(request: HttpRequest, about: DataProduct, act: Callable[..., Any], done: str, **facts: Any) -> HttpResponse:
    """Do it and go back to the product, or show its page, which lists what is missing, with the refusal."""
    try:
        act(by=request.user, at=clock.now(), **facts)
    except Refused as refusal:
        return show_product(request, about, refusal=refusal, status=409)
    messages.success(request, done)
    return redirect("operator-product", code=about.code)


@require_POST
@publisher_page
def request_reviews(request: HttpRequest, code: str) -> HttpResponse:
    product = own_product(request, code)
    done = _("Both reviews were asked for. A reviewer from outside your organisation decides each; you get the reasons here.")
    return _act(request, product, services.reviews_request, done, product=product)


@require_POST
@publisher_page
def list_product(request: HttpRequest, code: str) -> HttpResponse:
    product = own_product(request, code)
    done = _("The product is in the shop now. Its page is open to everyone.")
    return _act(request, product, product_offer, done, product=product)


@require_POST
@publisher_page
def suspend(request: HttpRequest, code: str) -> HttpResponse:
    product = own_product(request, code)
    done = _("The product is suspended: calls are refused until you list it again. Buyers see your reason.")
    return _act(request, product, services.product_suspend, done, product=product, reason=request.POST.get("reason", ""))


@require_POST
@publisher_page
def delist(request: HttpRequest, code: str) -> HttpResponse:
    product = own_product(request, code)
    done = _("The product is out of the shop for good. Buyers see your reason.")
    return _act(request, product, services.product_delist, done, product=product, reason=request.POST.get("reason", ""))


@require_POST
@publisher_page
def activate(request: HttpRequest, code: str, version: int) -> HttpResponse:
    product = own_product(request, code)
    release = product.releases.defer("artifact").filter(version=version).first()
    if release is None:
        raise Http404
    done = _("Version %(version)s answers the calls now; the one before is retired.") % {"version": version}
    return _act(request, product, services.release_activate, done, release=release)
