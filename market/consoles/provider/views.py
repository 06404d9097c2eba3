"""A data provider's catalogue of resources."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from products.organisations.models import OrganisationKind, Role
from products.record import clock
from products.record.refusals import Refused
from products.registry import services
from products.registry.models import DataResource, OpenType
from products.registry.selectors import resources_of

PROVIDERS = [OrganisationKind.DATA_PROVIDER]
COLUMNS = ("field", "type", "meaning", "meaning_en")


class ResourceForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Catalogue number"), max_length=60)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=200, required=False)
    data_class = forms.CharField(label=gettext_lazy("Class"), max_length=60)
    grade = forms.TypedChoiceField(
        label=gettext_lazy("Grade"),
        coerce=int,
        choices=[
            (1, gettext_lazy("1 general")),
            (2, gettext_lazy("2 internal")),
            (3, gettext_lazy("3 important")),
            (4, gettext_lazy("4 core")),
        ],
    )
    open_type = forms.ChoiceField(label=gettext_lazy("Open type"), choices=OpenType.choices)
    has_personal_data = forms.BooleanField(label=gettext_lazy("Holds personal data"), required=False)
    has_security_impact = forms.BooleanField(label=gettext_lazy("May affect public security"), required=False)
    provenance = forms.ChoiceField(label=gettext_lazy("Origin"), choices=DataResource.Provenance.choices)
    consent = forms.FileField(
        label=gettext_lazy("Consent of the body that shared it"),
        help_text=gettext_lazy("Needed before shared data enters an authorisation."),
        required=False,
    )
    update_frequency = forms.CharField(label=gettext_lazy("Update frequency"), max_length=20)
    dictionary = forms.CharField(
        label=gettext_lazy("Data dictionary"),
        help_text=gettext_lazy("One field a line: field,type,meaning,English meaning"),
        widget=forms.Textarea({"rows": 6}),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, widget=forms.Textarea({"rows": 3}))

    def clean_dictionary(self) -> list[dict[str, Any]]:
        rows = csv.reader(io.StringIO(self.cleaned_data["dictionary"]))
        return [dict(zip(COLUMNS, [cell.strip() for cell in row], strict=False)) for row in rows if any(row)]


@require_safe
@role_required(kinds=PROVIDERS)
def resources(request: HttpRequest) -> HttpResponse:
    found = resources_of(provider=request.membership.organisation)
    page = Paginator(found, 25).get_page(request.GET.get("page"))
    return render(request, "market/consoles/provider/resources.html", {"page": page, "today": clock.today()})


@require_safe
@role_required(kinds=PROVIDERS)
def resource(request: HttpRequest, pk: int) -> HttpResponse:
    """One resource with its dictionary, registrations, and who may build what from it."""
    found = resources_of(provider=request.membership.organisation)
    shown = get_object_or_404(found, pk=pk)
    scope = shown.scope_items.select_related("authorisation__operator", "purpose", "scenario").order_by("authorisation_id", "id")
    context = {"resource": shown, "scope": scope, "today": clock.today()}
    return render(request, "market/consoles/provider/resource.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=PROVIDERS, roles=[Role.OWNER, Role.PUBLISHER])
def add(request: HttpRequest) -> HttpResponse:
    form = ResourceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = _add(request, dict(form.cleaned_data))
        except Refused as refusal:
            field = {"file": "consent"}.get(refusal.field or "", refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("%(name)s is in the catalogue. Next: its registration.") % {"name": new.name})
            return redirect("resource", pk=new.pk)
    return render(request, "market/consoles/provider/add.html", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def _add(request: HttpRequest, fields: dict[str, Any]) -> DataResource:
    provider, at = request.membership.organisation, clock.now()
    file = fields.pop("consent")
    consent = keep_upload(file, organisation=provider, user=request.user, purpose="shared_consent", at=at)
    return services.resource_add(provider=provider, shared_consent=consent, user=request.user, at=at, **fields)
