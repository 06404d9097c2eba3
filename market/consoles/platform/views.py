"""The platform checks certificates, and loads the work calendar."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.storefront.access import role_required
from products.organisations import services
from products.organisations.models import Membership, Organisation, OrganisationKind, OrganisationState
from products.record import calendar as work_calendar
from products.record import clock
from products.record.models import CalendarYear, Evidence
from products.record.refusals import Refused

PLATFORM = [OrganisationKind.PLATFORM]


@require_safe
@role_required(kinds=PLATFORM, roles=["owner", "reviewer"])
def organisations(request: HttpRequest) -> HttpResponse:
    """Organisations of a state (first those that wait), with their certificates and owners."""
    state = request.GET.get("state", OrganisationState.UNVERIFIED)
    if state not in OrganisationState.values:
        raise Http404
    query = request.GET.get("q", "").strip()
    found = Organisation.objects.filter(state=state)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(uscc__startswith=query.upper()))
    page = Paginator(found.order_by("created_at", "id"), 20).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    files = Evidence.objects.filter(organisation__in=shown, purpose="certificate").defer("content")
    owners = Membership.objects.filter(organisation__in=shown, is_active=True, roles__contains=["owner"]).select_related("user")
    for organisation in shown:
        organisation.certificates = []
        organisation.owners = []
    by_id = {organisation.pk: organisation for organisation in shown}
    for file in files.order_by("-uploaded_at", "id"):
        by_id[file.organisation_id].certificates.append(file)
    for owner in owners.order_by("id"):
        by_id[owner.organisation_id].owners.append(owner.user)
    context = {"page": page, "organisations": shown, "state": state, "states": OrganisationState.choices, "query": query}
    return render(request, "market/consoles/platform/organisations.html", context)


@require_POST
@role_required(kinds=PLATFORM, roles=["owner", "reviewer"])
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Verify or suspend an organisation, with a reason."""
    organisation = get_object_or_404(Organisation, pk=pk)
    change = services.organisation_suspend if request.POST.get("action") == "suspend" else services.organisation_verify
    try:
        change(organisation=organisation, user=request.user, reason=request.POST.get("reason", ""), at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        words = {"name": organisation.name, "state": organisation.get_state_display()}
        messages.success(request, _("%(name)s: %(state)s. Its members are told.") % words)
    return redirect("platform")


class NoticeForm(forms.Form):
    year = forms.IntegerField(label=gettext_lazy("Year"), min_value=2020, max_value=2100)
    source = forms.CharField(label=gettext_lazy("Number of the notice"), max_length=200)
    days = forms.CharField(
        label=gettext_lazy("Days"),
        help_text=gettext_lazy("One a line: 2027-01-01,off,元旦 or 2027-01-03,work. Only days that differ from their weekday."),
        widget=forms.Textarea({"rows": 10}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=PLATFORM, roles=["owner"])
def calendar(request: HttpRequest) -> HttpResponse:
    """Load or correct a year; until then time limits in it read “not computable”."""
    form = NoticeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            days = work_calendar.parse_notice(fields["days"])
            loaded = work_calendar.calendar_load(
                year=fields["year"], days=days, source=fields["source"], user=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error("days", str(refusal))
        else:
            messages.success(
                request, _("The work calendar of %(year)s is loaded; time limits in it are computed now.") % {"year": loaded.year}
            )
            return redirect("platform-calendar")
    years = CalendarYear.objects.prefetch_related(Prefetch("days")).order_by("-year")
    context = {"form": form, "years": years}
    return render(request, "market/consoles/platform/calendar.html", context, status=422 if form.errors else 200)
