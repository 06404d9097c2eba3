"""The list of a body's authorisations, one authorisation, and its draft."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from market.consoles.authorisations.access import ACTIVATORS, body_of, body_page, drafter_page, own_authorisation
from market.consoles.authorisations.forms import DraftForm, ScopeForm
from market.storefront.acting import has_role
from market.storefront.evidence import attachment
from products.organisations.models import Organisation
from products.record import clock
from products.record import evidence as evidence_files
from products.record.models import Evidence
from products.record.refusals import Refused
from products.registry.authorisations import DRAFTERS, authorisation_draft, authorisation_update, missing_parts
from products.registry.models import Authorisation
from products.registry.selectors import authorisations_of

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@body_page
def index(request: HttpRequest) -> HttpResponse:
    page = Paginator(authorisations_of(organisation=body_of(request)), 25).get_page(request.GET.get("page"))
    context = {"page": page, "today": clock.today(), "may_draft": has_role(request.membership, *DRAFTERS)}
    return render(request, "market/consoles/authorisations/list.html", context)


@require_safe
@body_page
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, own_authorisation(request, pk))


def show(
    request: HttpRequest,
    authorisation: Authorisation,
    *,
    scope_form: ScopeForm | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The authorisation's page; a draft comes with what it lacks and the form for its scope."""
    is_draft = authorisation.state == Authorisation.State.DRAFT
    membership = request.membership
    may_draft = has_role(membership, *DRAFTERS)
    context = {
        "authorisation": authorisation,
        "items": authorisation.scope_items.select_related("resource", "purpose", "scenario").order_by("resource__code", "id"),
        "missing": missing_parts(authorisation) if is_draft else {},
        "parts": [(DraftForm.base_fields[name].label, getattr(authorisation, name)) for name in DraftForm.PARTS],
        "is_draft": is_draft,
        "may_draft": may_draft,
        "may_activate": has_role(membership, *ACTIVATORS),
        "is_drafter": authorisation.drafted_by_id == request.user.pk,
        "scope_form": (scope_form or ScopeForm()) if is_draft and may_draft else None,
        "refusal": refusal,
    }
    return render(request, "market/consoles/authorisations/authorisation.html", context, status=status)


@form_methods
@drafter_page
def new(request: HttpRequest) -> HttpResponse:
    return _draft(request, None)


@form_methods
@drafter_page
def change(request: HttpRequest, pk: int) -> HttpResponse:
    return _draft(request, own_authorisation(request, pk))


def _draft(request: HttpRequest, authorisation: Authorisation | None) -> HttpResponse:
    form = DraftForm(request.POST or None, request.FILES or None, authorisation=authorisation)
    if request.method == "POST" and form.is_valid():
        try:
            saved = _save(request, form, authorisation)
        except Refused as refusal:
            field = {"file": "evidence"}.get(refusal.field or "", refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The draft is saved. Add its scope; another person of your body then activates it."))
            return redirect("authority-authorisation", pk=saved.pk)
    context = {"form": form, "authorisation": authorisation}
    return render(request, "market/consoles/authorisations/form.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _save(request: HttpRequest, form: DraftForm, authorisation: Authorisation | None) -> Authorisation:
    """The draft with its evidence, both or neither."""
    body, at = body_of(request), clock.now()
    values = form.values(is_change=authorisation is not None)
    kept = _keep(request, form, body)
    if kept is not None:
        values["decision_evidence"] = kept
    if authorisation is not None:
        return authorisation_update(authorisation=authorisation, user=request.user, at=at, **values)
    return authorisation_draft(authorising_body=body, user=request.user, at=at, **values)


def _keep(request: HttpRequest, form: DraftForm, body: Organisation) -> Evidence | None:
    file = form.cleaned_data["evidence"]
    if not file:
        return None
    return evidence_files.keep(
        organisation=body,
        user=request.user,
        file_name=file.name,
        content=file.read(),
        content_type=file.content_type or "",
        purpose="authorisation.decision",
        at=clock.now(),
    )


@require_safe
@body_page
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The decision record as a download."""
    kept = own_authorisation(request, pk).decision_evidence
    if kept is None:
        raise Http404
    return attachment(kept)
