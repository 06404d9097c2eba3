"""An affiliate's re-developed product before the price regulator. The data bureau reads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import blame
from market.consoles.regulator.menu import KINDS
from market.storefront.access import role_required
from pricing.tariffs.redevelopment import DECIDERS, INDEPENDENT, SAME_CONTROL, affiliate_decide
from products.catalogue.models import DataProduct
from products.catalogue.redevelopment import AFFILIATE_CASE, affiliated_bases, origin_of
from products.organisations.models import Organisation, OrganisationKind
from products.organisations.selectors import has_role
from products.record import cases, clock
from products.record.models import Case
from products.record.refusals import Refused

OUTCOMES = [
    (INDEPENDENT, gettext_lazy("The seller is independent: its market price stands")),
    (SAME_CONTROL, gettext_lazy("It is sold for the operator: no market price, the product leaves the shop")),
]


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(label=gettext_lazy("Decision"), choices=OUTCOMES, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It is shown on the product's page."),
    )


def flagged(request: HttpRequest) -> QuerySet[Case]:
    """For the regulator what is before it; a data bureau sees those of its region's regulator."""
    office: Organisation = request.membership.organisation
    found = Case.objects.filter(kind=AFFILIATE_CASE).select_related("handler", "applicant")
    if office.kind == OrganisationKind.PRICE_REGULATOR:
        return found.filter(handler=office)
    return found.filter(handler__region=office.region)


@require_safe
@role_required(kinds=KINDS)
def affiliate(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, get_object_or_404(flagged(request), pk=pk), DecisionForm())


@require_POST
@role_required(kinds={"price_regulator"})
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    case, form = get_object_or_404(flagged(request), pk=pk), DecisionForm(request.POST)
    if form.is_valid():
        try:
            affiliate_decide(case=case, user=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(request, _("Decided. The seller has been told, and the reason stands on the product's page."))
            return redirect("regulator-affiliate", pk=pk)
    return _page(request, case, form, 422)


def _page(request: HttpRequest, case: Case, form: DecisionForm, status: int = 200) -> HttpResponse:
    product = get_object_or_404(DataProduct.objects.select_related("operator"), pk=case.object_id)
    office = request.membership.organisation
    decides = office.kind == OrganisationKind.PRICE_REGULATOR
    context: dict[str, Any] = {
        "case": case,
        "product": product,
        "origin": origin_of(product),
        "bases": affiliated_bases(product),
        "chain": control_of(product.operator),
        "left": cases.days_left(case=case, today=clock.today()),
        "history": case.events.select_related("actor").order_by("at", "id"),
        "form": form,
        "decides": decides,
        "may_act": decides and case.state != "closed" and has_role(request.user, office, *DECIDERS),
    }
    return render(request, "market/consoles/affiliates/affiliate.html", context, status=status)


def control_of(organisation: Organisation) -> list[Organisation]:
    """The organisation and those above it, up to the top of the chain of control."""
    chain = [organisation]
    while chain[-1].controlled_by is not None and chain[-1].controlled_by not in chain:
        chain.append(chain[-1].controlled_by)
    return chain
