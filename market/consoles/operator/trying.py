"""The operator tries a release of its own."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from market.consoles import trying
from market.consoles.operator.access import operator_page, own_product
from market.consoles.operator.forms import TryForm
from products.catalogue.models import DataProduct, Release
from products.record import clock


@require_http_methods(["GET", "HEAD", "POST"])
@operator_page
def try_product(request: HttpRequest, code: str) -> HttpResponse:
    """The newest release, or the one that ``?version=`` names, with its sample as the first input."""
    product = own_product(request, code)
    release = _release(product, request.GET.get("version", ""))
    form = TryForm(request.POST or None, initial={"body": release.sample_input})
    tried = None
    if request.method == "POST" and form.is_valid():
        tried = trying.run(release=release, body=form.cleaned_data["body"], at=clock.now())
    context = {"product": product, "release": release, "form": form, "tried": tried}
    return render(request, "market/consoles/operator/try.html", context, status=422 if form.errors else 200)


def _release(product: DataProduct, version: str) -> Release:
    releases = Release.objects.filter(product=product).select_related("product")
    if version:
        releases = releases.filter(version=int(version)) if version.isdecimal() and len(version) < 9 else releases.none()
    release = releases.order_by("-version").first()
    if release is None:
        raise Http404
    return release
