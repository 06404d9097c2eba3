"""The audit trail, to read, to filter, to check. Nothing here changes anything."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from market.storefront.access import role_required
from products.organisations.models import OrganisationKind
from products.record import audit, clock
from products.record.models import AuditEntry

AUDITORS = [OrganisationKind.AUDITOR]


class FilterForm(forms.Form):
    action = forms.CharField(label=_("Action"), required=False, max_length=60)
    object_type = forms.CharField(label=_("Kind of object"), required=False, max_length=40)
    object_id = forms.CharField(label=_("Object"), required=False, max_length=64)
    organisation = forms.CharField(label=_("Organisation's code"), required=False, max_length=18)
    from_date = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    to_date = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput({"type": "date"}))


@require_safe
@role_required(kinds=AUDITORS)
def trail(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, that fit the filter."""
    form = FilterForm(request.GET)
    entries = AuditEntry.objects.select_related("actor", "organisation").order_by("-id")
    if form.is_valid():
        asked = form.cleaned_data
        exact = {
            "object_type": asked["object_type"],
            "object_id": asked["object_id"],
            "organisation__uscc": asked["organisation"],
        }
        entries = entries.filter(**{name: value for name, value in exact.items() if value})
        if asked["action"]:
            entries = entries.filter(action__startswith=asked["action"])
        if asked["from_date"]:
            entries = entries.filter(at__gte=clock.day_start(asked["from_date"]))
        if asked["to_date"]:
            entries = entries.filter(at__lt=clock.day_start(asked["to_date"] + clock.ONE_DAY))
    page = Paginator(entries, 50).get_page(request.GET.get("page"))
    return render(request, "market/consoles/auditor/trail.html", {"page": page, "form": form})


@require_safe
@role_required(kinds=AUDITORS)
def chain(request: HttpRequest) -> HttpResponse:
    """Recompute the whole chain and name each break."""
    context = {"breaks": audit.check_chain(), "count": AuditEntry.objects.count(), "at": clock.now()}
    return render(request, "market/consoles/auditor/chain.html", context)
