"""The operator's allocation rules with their versions."""

from __future__ import annotations

from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from market.consoles.acts import blame
from market.consoles.costs.filing_views import operator
from market.consoles.costs.forms import PartForms, RuleForm
from market.consoles.costs.menu import OPERATORS
from market.storefront.access import role_required
from market.storefront.acting import has_role
from pricing.costs.models import AllocationRule
from pricing.costs.services import COST_ROLES, allocation_rule_make
from products.catalogue.models import DataProduct
from products.record import clock
from products.record.refusals import Refused


@require_safe
@role_required(kinds=OPERATORS)
def rules(request: HttpRequest) -> HttpResponse:
    found = AllocationRule.objects.filter(operator=operator(request)).select_related("made_by").order_by("code", "-version")
    groups = [(code, list(versions)) for code, versions in groupby(found, key=lambda rule: rule.code)]
    context = {"groups": groups, "may_file": has_role(request.membership, *COST_ROLES)}
    return render(request, "market/consoles/costs/rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OPERATORS, roles=COST_ROLES)
def new_rule(request: HttpRequest) -> HttpResponse:
    """A new rule, or with ``?code=`` the next version of one, its parts filled in."""
    own = AllocationRule.objects.filter(operator=operator(request))
    before = own.filter(code=request.GET.get("code", "")).order_by("-version").first()
    initial = {"code": before.code, "name": before.name, "driver": before.driver} if before else None
    form = RuleForm(request.POST or None, initial=initial)
    parts = PartForms(
        request.POST or None, prefix="parts", initial=before.parts if before else [{"business_line": "public_data"}]
    )
    if request.method == "POST" and form.is_valid() and parts.is_valid():
        try:
            made = allocation_rule_make(
                operator=operator(request),
                parts=[part for row in parts.forms if (part := row.part())],
                user=request.user,
                at=clock.now(),
                **form.cleaned_data,
            )
        except Refused as refused:
            blame(form, refused)
        else:
            named = {"rule": str(made)}
            messages.success(request, _("Made: %(rule)s. Ledgers filed from now on may name it; filed ones keep theirs.") % named)
            return redirect("operator-cost-rules")
    products = DataProduct.objects.filter(operator=operator(request)).order_by("code").values_list("code", flat=True)
    context = {"form": form, "parts": parts, "before": before, "lines": ["public_data", *(f"public_data.{c}" for c in products)]}
    return render(request, "market/consoles/costs/rule_new.html", context, status=422 if request.method == "POST" else 200)
