"""Registrations that an institution issued: the list, a new one for a resource, the end of one with its reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.storefront.access import role_required
from products.organisations.models import OrganisationKind, Role
from products.record import clock
from products.record.refusals import Refused
from products.registry.models import Authorisation, DataResource, Registration
from products.registry.services import registration_add, registration_cancel

KINDS = [OrganisationKind.REGISTRY]
ROLES = [Role.OWNER, Role.REVIEWER, Role.DECIDER]
PAGE_SIZE = 50


class RegistrationForm(forms.Form):
    resource = forms.ModelChoiceField(label=gettext_lazy("Data resource"), queryset=DataResource.objects.none())
    code = forms.CharField(label=gettext_lazy("Registration code"), max_length=40)
    level = forms.ChoiceField(label=gettext_lazy("Level"), choices=Registration.Level.choices)
    region = forms.CharField(label=gettext_lazy("Administrative division code"), max_length=6, required=False)
    issued_date = forms.DateField(
        label=gettext_lazy("Issued on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    authorisation = forms.ModelChoiceField(
        label=gettext_lazy("Under the authorisation"),
        queryset=Authorisation.objects.none(),
        required=False,
        help_text=gettext_lazy("For a resource in operation: the registration then ends with it at the latest."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].queryset = DataResource.objects.order_by("code")
        self.fields["authorisation"].queryset = Authorisation.objects.filter(state="active").order_by("number")


@require_safe
@role_required(kinds=KINDS)
def registrations(request: HttpRequest) -> HttpResponse:
    own = Registration.objects.filter(registry=request.membership.organisation)
    found = own.select_related("resource", "product", "holder").order_by("-issued_date", "-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    may_act = bool(set(ROLES) & set(request.membership.roles))
    return render(request, "market/consoles/registry/registrations.html", {"page": page, "may_act": may_act})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS, roles=ROLES)
def new(request: HttpRequest) -> HttpResponse:
    form = RegistrationForm(request.POST or None, initial={"issued_date": clock.today()})
    if request.method == "POST" and form.is_valid():
        named = {"registry": request.membership.organisation, "user": request.user, "at": clock.now()}
        try:
            added = registration_add(holder=form.cleaned_data["resource"].provider, **named, **form.cleaned_data)
        except Refused as refused:
            blame(form, refused)
        else:
            day = added.valid_to.isoformat()
            messages.success(request, _("%(code)s is registered, valid to %(day)s.") % {"code": added.code, "day": day})
            return redirect("registrations")
    return render(request, "market/consoles/registry/new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@role_required(kinds=KINDS, roles=ROLES)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    registration = get_object_or_404(Registration, pk=pk, registry=request.membership.organisation)
    named = {"registration": registration, "user": request.user, "at": clock.now()}
    attempt(
        request, lambda: registration_cancel(reason=request.POST.get("reason", ""), **named), _("The registration has ended.")
    )
    return redirect("registrations")
