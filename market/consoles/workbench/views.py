"""The queue of cases, the page of a case, the reports that are overdue."""

from __future__ import annotations

import csv

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import attempt
from market.consoles.case_kinds import CASE_KINDS, case_url, kind_label, subjects_of
from market.consoles.workbench import selectors
from market.consoles.workbench.menu import KINDS
from market.disclosure.exports import harmless
from market.storefront.access import role_required
from products.models import Organisation
from products.record import cases, clock
from products.record.calendar import load
from products.record.models import AuditEntry, Case, CaseState

PAGE_SIZE = 50
STATES = [("", gettext_lazy("Not closed")), ("late", gettext_lazy("Late")), ("closed", gettext_lazy("Closed"))]


class QueueForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Applicant"), required=False, max_length=100)
    kind = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=STATES, required=False)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("Note for the file"), widget=forms.Textarea({"rows": 3}), max_length=2000)


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def _pairs(request: HttpRequest) -> list:
    """What the filter asks for, the most urgent first; closed cases the latest first."""
    found = selectors.cases_of(office(request))
    asked = QueueForm(request.GET)
    wanted = asked.cleaned_data if asked.is_valid() else {}
    if wanted.get("kind"):
        found = found.filter(kind=wanted["kind"])
    if wanted.get("q"):
        text = wanted["q"].strip()
        found = found.filter(Q(applicant__name__icontains=text) | Q(applicant__name_en__icontains=text))
    today, calendar = clock.today(), load()
    if wanted.get("state") == "closed":
        closed = found.filter(state=CaseState.CLOSED).order_by("-closed_at", "-id")[:1000]
        return [(case, cases.days_left(case=case, today=today, calendar=calendar)) for case in closed]
    pairs = selectors.by_urgency(list(found.exclude(state=CaseState.CLOSED)), today=today, calendar=calendar)
    return [pair for pair in pairs if pair[1].is_late] if wanted.get("state") == "late" else pairs


@require_safe
@role_required(kinds=KINDS)
def queue(request: HttpRequest) -> HttpResponse:
    pairs = _pairs(request)
    page = Paginator(pairs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": selectors.rows(list(page)),
        "numbers": selectors.open_numbers(pairs),
        "kinds": selectors.counts_by_kind(selectors.cases_of(office(request))),
        "form": QueueForm(request.GET),
        "kind": request.GET.get("kind", ""),
        "is_closed": request.GET.get("state") == "closed",
    }
    return render(request, "market/consoles/workbench/queue.html", context)


@require_safe
@role_required(kinds=KINDS)
def queue_csv(request: HttpRequest) -> HttpResponse:
    """The queue as the filter has it, for a table of one's own."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="cases.csv"'
    write = csv.writer(response)
    write.writerow(
        [_("No."), _("Kind"), pgettext("a case", "About"), _("Applicant"), _("Opened"), _("Last day"), _("State"), _("Outcome")]
    )
    for row in selectors.rows(_pairs(request)):
        case = row.case
        applicant = case.applicant.name if case.applicant else ""
        facts = [case.pk, row.kind, row.subject, applicant, case.opened_date, row.left.due or "", case.get_state_display()]
        write.writerow([harmless(str(fact)) for fact in (*facts, case.outcome)])
    return response


@require_safe
@role_required(kinds=KINDS)
def case_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A case whatever its kind: who, what, the clock, what happened, and what the audit trail has about its object."""
    return _case_page(request, get_object_or_404(selectors.cases_of(office(request)), pk=pk), NoteForm())


def _case_page(request: HttpRequest, case: Case, form: NoteForm, status: int = 200) -> HttpResponse:
    trail = AuditEntry.objects.filter(object_type=case.object_type, object_id=case.object_id)
    context = {
        "case": case,
        "kind": kind_label(case.kind),
        "subject": subjects_of([case])[case.pk],
        "left": cases.days_left(case=case, today=clock.today()),
        "history": case.events.select_related("actor").order_by("at", "id"),
        "trail": trail.select_related("actor", "organisation").order_by("-id")[:50],
        "own_url": case_url(case) if case.kind in CASE_KINDS else "",
        "form": form,
        "may_act": case.handler_id == office(request).pk,
    }
    return render(request, "market/consoles/workbench/case.html", context, status=status)


@require_POST
@role_required(kinds=KINDS)
def case_note(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(selectors.cases_of(office(request)).filter(handler=office(request)), pk=pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _case_page(request, case, form, status=422)
    text = form.cleaned_data["note"]
    attempt(request, lambda: cases.note(case=case, actor=request.user, at=clock.now(), note=text), _("The note is on the file."))
    return redirect("regulator-case", pk=pk)


@require_safe
@role_required(kinds=KINDS)
def overdue(request: HttpRequest) -> HttpResponse:
    found = selectors.overdue_reports(office=office(request), today=clock.today(), calendar=load())
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "market/consoles/workbench/overdue.html", {"page": page})
