"""Opening a plan; its price is filed as a tariff on the tariff pages."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from market.consoles.operator.access import own_product, pricing_page
from market.consoles.operator.forms import PlanForm
from market.consoles.operator.scope import purpose_choices
from pricing.tariffs.selectors import charged_classes
from pricing.tariffs.services import plan_open
from products.record import clock
from products.record.refusals import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@pricing_page
def new(request: HttpRequest, code: str) -> HttpResponse:
    product = own_product(request, code)
    charged = purpose_choices([purpose for purpose in product.purposes if charged_classes([purpose])])
    form = PlanForm(request.POST or None, purposes=charged, initial={"name": _("Standard"), "code": "standard"})
    if request.method == "POST" and form.is_valid():
        try:
            plan_open(product=product, user=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The plan is open. It can be bought once a tariff of it is in force: file one next."))
            return redirect("operator-product", code=product.code)
    context = {"form": form, "product": product, "charged": charged}
    return render(request, "market/consoles/operator/plan_form.html", context, status=422 if form.errors else 200)
