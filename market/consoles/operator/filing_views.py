"""Filing a product: choose the authorisation and type, fill in the form; or upload a spec; or change what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from market.consoles.operator.access import operator_of, own_product, publisher_page
from market.consoles.operator.filing import file_product, initial_of
from market.consoles.operator.forms import ProductForm, RedevelopForm, SpecForm, place_errors
from market.consoles.operator.scope import bases_of, choices_of, held, redevelopment_choices
from market.consoles.operator.starters import CONFIGS, DATA_HINTS, starter_of
from products.catalogue.models import DataProduct
from products.catalogue.publishing import Published
from products.catalogue.services import ListingRefused
from products.catalogue.spec import SpecRefused, spec_raw
from products.record import clock
from products.record.refusals import Refused
from products.registry.models import Authorisation, ProductType
from products.runtimes.base import ReleaseRefused

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@publisher_page
def choose(request: HttpRequest) -> HttpResponse:
    """Under which authorisation, and which type of product: what the scope allows."""
    seller = operator_of(request)
    context = {
        "held": held(operator=seller, on=clock.today()),
        "bases": bases_of(seller=seller, at=clock.now()),
        "types": [(kind, ProductType(kind).label) for kind in CONFIGS],
    }
    return render(request, "market/consoles/operator/product_choose.html", context)


@form_methods
@publisher_page
def redevelop(request: HttpRequest) -> HttpResponse:
    """A product built on delivered ones; its type comes with the address."""
    kind = request.GET.get("type", "")
    bases = bases_of(seller=operator_of(request), at=clock.now())
    if kind not in CONFIGS or not bases:
        return redirect("operator-product-new")
    form = RedevelopForm(
        request.POST or None,
        request.FILES or None,
        initial=starter_of(kind),
        bases=bases,
        choices=redevelopment_choices(),
        data_hint=DATA_HINTS[kind],
    )
    return _file_form(request, form, None, kind, None)


@form_methods
@publisher_page
def new(request: HttpRequest) -> HttpResponse:
    """A new product of a type under an authorisation; both come with the address."""
    chosen = _chosen(request)
    if chosen is None:
        return redirect("operator-product-new")
    authorisation, kind = chosen
    form = ProductForm(
        request.POST or None,
        request.FILES or None,
        initial=starter_of(kind),
        choices=choices_of(authorisation=authorisation, product_type=kind),
        data_hint=DATA_HINTS[kind],
    )
    return _file_form(request, form, authorisation, kind, None)


@form_methods
@publisher_page
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Change the texts of a product or file its next release; the data file is proven again."""
    product = own_product(request, code)
    release = product.releases.defer("artifact").order_by("-version").first()
    named: dict[str, Any] = {"initial": initial_of(product, release), "data_hint": DATA_HINTS[product.type]}
    form: ProductForm
    if product.authorisation is not None:
        named["choices"] = choices_of(authorisation=product.authorisation, product_type=product.type)
        form = ProductForm(request.POST or None, request.FILES or None, **named)
    elif product.built_on.exists():
        bases = [(base.code, base.name) for base in product.built_on.order_by("code")]
        bases += [each for each in bases_of(seller=product.operator, at=clock.now()) if each[0] not in dict(bases)]
        named["choices"] = redevelopment_choices()
        form = RedevelopForm(request.POST or None, request.FILES or None, bases=bases, **named)
    else:
        return redirect("operator-product", code=product.code)
    form.fields["code"].disabled = True
    return _file_form(request, form, product.authorisation, product.type, product)


def _file_form(
    request: HttpRequest, form: ProductForm, authorisation: Authorisation | None, kind: str, product: DataProduct | None
) -> HttpResponse:
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        raw = {**form.raw(), "type": kind} | ({"authorisation": authorisation.number} if authorisation else {})
        published, refusal = _file(request, form, raw, form.cleaned_data["data"])
        if published:
            return _filed(request, published)
    context = {
        "form": form,
        "refusal": refusal,
        "gaps": getattr(refusal, "gaps", ()),
        "authorisation": authorisation,
        "kind": ProductType(kind).label,
        "product": product,
    }
    return render(request, "market/consoles/operator/product_form.html", context, status=_status(form, refusal))


@form_methods
@publisher_page
def upload(request: HttpRequest) -> HttpResponse:
    """A product from the files that the command takes."""
    form = SpecForm(request.POST or None, request.FILES or None)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        published, refusal = _file(request, form, lambda: spec_raw(form.cleaned_data["spec"]), form.cleaned_data["data"])
        if published:
            return _filed(request, published)
    context = {"form": form, "refusal": refusal, "gaps": getattr(refusal, "gaps", ())}
    return render(request, "market/consoles/operator/product_upload.html", context, status=_status(form, refusal))


def _file(
    request: HttpRequest,
    form: ProductForm | SpecForm,
    raw: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    data: UploadedFile | None,
) -> tuple[Published | None, Refused | None]:
    """What came of it, or why not; errors of single fields are put beside them."""
    try:
        spec = raw() if callable(raw) else raw
        content = data.read() if data else b""
        return file_product(raw=spec, data=content, operator=operator_of(request), user=request.user, at=clock.now()), None
    except (SpecRefused, ReleaseRefused) as refusal:
        place_errors(form, refusal.errors)
        return None, None
    except (ListingRefused, Refused) as refusal:
        return None, refusal


def _filed(request: HttpRequest, published: Published) -> HttpResponse:
    product, release = published.product, published.release
    if not published.has_changed:
        messages.info(request, _("Nothing has changed: these contents are filed already as version %s.") % release.version)
    else:
        done = _("Filed: version %(version)s of %(product)s answered its samples.")
        messages.success(request, done % {"version": release.version, "product": product.name})
    left = len(published.todo)
    if left:
        text = ngettext(
            "%s step is left before it can be listed; see below.", "%s steps are left before it can be listed; see below.", left
        )
        messages.warning(request, text % left)
    return redirect("operator-product", code=product.code)


def _chosen(request: HttpRequest) -> tuple[Authorisation, str] | None:
    kind = request.GET.get("type", "")
    number = request.GET.get("authorisation", "")
    for authorisation, types in held(operator=operator_of(request), on=clock.today()):
        if str(authorisation.pk) == number and kind in dict(types) and kind in CONFIGS:
            return authorisation, kind
    return None


def _status(form: ProductForm | SpecForm, refusal: object) -> int:
    return 422 if refusal or form.errors else 200
