"""The operator's cost filings: the list, the upload with its preview, the filing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.costs import ledgers
from market.consoles.costs.forms import ReasonForm, StatementForm, UploadForm
from market.consoles.costs.menu import OPERATORS
from market.storefront.access import role_required
from market.storefront.acting import has_role
from market.storefront.evidence import attachment
from pricing.costs import template
from pricing.costs.models import AllocationRule, CostFiling
from pricing.costs.problems import LedgerRefused
from pricing.costs.selectors import filings_of, whole
from pricing.costs.services import COST_ROLES, cost_file, cost_ledger_keep, cost_withdraw, rows_of
from products.catalogue.models import DataProduct
from products.models import Organisation
from products.record import cases, clock
from products.record.calendar import load
from products.record.models import Evidence
from products.record.refusals import Refused
from products.registry.models import Authorisation

PAGE_SIZE = 50
SALT = "cost-ledger-problems"
DAY = 86_400


def operator(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def authorisations(request: HttpRequest) -> QuerySet[Authorisation]:
    found = Authorisation.objects.filter(operator=operator(request)).exclude(state="draft")
    return found.select_related("operator", "authorising_body").order_by("-from_date", "id")


@require_safe
@role_required(kinds=OPERATORS)
def filings(request: HttpRequest) -> HttpResponse:
    page = Paginator(filings_of(operator(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    rows = [(each, cases.days_left(case=each.case, today=today, calendar=calendar) if each.case else None) for each in page]
    context = {
        "page": page,
        "rows": rows,
        "year": today.year - 1,
        "may_file": has_role(request.membership, *COST_ROLES),
        "has_authorisation": authorisations(request).exists(),
    }
    return render(request, "market/consoles/costs/filings.html", context)


@require_safe
@role_required(kinds=OPERATORS)
def template_xlsx(request: HttpRequest) -> HttpResponse:
    year, own = clock.today().year - 1, operator(request)
    products = DataProduct.objects.filter(operator=own).order_by("code").values_list("code", "name")
    rules = AllocationRule.objects.filter(operator=own).order_by("code", "-version").distinct("code")
    content = template.workbook(
        operator=own.name, year=year, products=list(products), allocations=[(rule.code, rule.name) for rule in rules]
    )
    return ledgers.attached(content, _("cost-ledger-template-%(year)s.xlsx") % {"year": year}, ledgers.TYPES["xlsx"])


@require_safe
@role_required(kinds=OPERATORS)
def template_csv(request: HttpRequest) -> HttpResponse:
    year = clock.today().year - 1
    name = _("cost-ledger-template-%(year)s.csv") % {"year": year}
    return ledgers.attached(template.csv_template(year=year), name, ledgers.TYPES["csv"])


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OPERATORS, roles=COST_ROLES)
def upload(request: HttpRequest) -> HttpResponse:
    """Check the file. A good one is kept and shown; of a bad one only the list of what is wrong is shown, nothing is kept."""
    today = clock.today()
    initial = {"authorisation": request.GET.get("authorisation"), "year": request.GET.get("year") or today.year - 1}
    named: dict[str, Any] = {"authorisations": authorisations(request), "today": today, "initial": initial}
    form = UploadForm(request.POST or None, request.FILES or None, **named)
    problems: list[dict[str, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            kept = _keep(request, form.cleaned_data)
        except LedgerRefused as refused:
            blame(form, refused)
            problems = [{"cell": each.cell, "code": each.code, "text": each.text} for each in refused.problems]
        except Refused as refused:
            blame(form, refused)
        else:
            return redirect("operator-cost-preview", pk=kept.pk)
    context = {
        "form": form,
        "problems": problems,
        "signed": signing.dumps(problems, salt=SALT, compress=True) if problems else "",
    }
    return render(request, "market/consoles/costs/upload.html", context, status=422 if request.method == "POST" else 200)


def _keep(request: HttpRequest, data: dict[str, Any]) -> Evidence:
    return cost_ledger_keep(
        authorisation=data["authorisation"],
        year=data["year"],
        file_name=data["file"].name or "",
        content=data["file"].read(),
        user=request.user,
        at=clock.now(),
    )


@require_POST
@role_required(kinds=OPERATORS)
def problems_csv(request: HttpRequest) -> HttpResponse:
    """The list that the upload page has just shown, as a file. Nothing of a refused ledger is kept: the list travels, signed."""
    try:
        found = signing.loads(request.POST.get("problems", ""), salt=SALT, max_age=DAY)
    except signing.BadSignature:
        return HttpResponseBadRequest(_("This list is no longer to be had. Upload the ledger again."))
    rows = [[_("Cell"), _("Rule"), _("What to do")], *([each["cell"], each["code"], each["text"]] for each in found)]
    return ledgers.attached(ledgers.as_csv(rows), "cost-ledger-problems.csv", ledgers.TYPES["csv"])


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=OPERATORS, roles=COST_ROLES)
def preview(request: HttpRequest, pk: str) -> HttpResponse:
    """What would be admitted of a checked file; and its filing."""
    file = get_object_or_404(Evidence, pk=pk, organisation=operator(request), purpose__startswith="cost_ledger:")
    _word, authorisation_id, year = file.purpose.split(":")
    authorisation = get_object_or_404(authorisations(request), pk=authorisation_id)
    filed = CostFiling.objects.filter(file=file).first()
    if filed is not None:
        return redirect("operator-cost", pk=filed.pk)
    form = StatementForm(request.POST or None)
    named: dict[str, Any] = {"authorisation": authorisation, "year": int(year)}
    if request.method == "POST" and form.is_valid():
        try:
            made = cost_file(**named, **form.cleaned_data, file=file, user=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            messages.success(
                request, _("Filed. The price regulator audits it; you hear of the outcome and see the days left here.")
            )
            return redirect("operator-cost", pk=made.pk)
    try:
        items, examples = rows_of(**named, file_name=file.file_name, content=bytes(file.content))
    except LedgerRefused as refused:  # a rule or a product that the file names is gone since it was checked
        messages.error(request, str(refused))
        return redirect("operator-cost-upload")
    found = ledgers.sums(items)
    page = Paginator(items, ledgers.PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "file": file, "page": page, "sums": found, "total": whole(row for _l, row in found[0].rows)}
    context |= named | {"examples": examples, "steps": [_("Upload"), _("Check"), pgettext("to submit", "File")]}
    return render(request, "market/consoles/costs/preview.html", context, status=422 if form.errors else 200)


def own_filing(request: HttpRequest, pk: int) -> CostFiling:
    return get_object_or_404(filings_of(operator(request)), pk=pk)


@require_safe
@role_required(kinds=OPERATORS)
def filing(request: HttpRequest, pk: int) -> HttpResponse:
    shown = own_filing(request, pk)
    newer = CostFiling.objects.filter(authorisation=shown.authorisation_id, year=shown.year, version__gt=shown.version)
    context = ledgers.ledger_context(request, shown) | {
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "newer": newer.order_by("-version").first(),
        "may_act": has_role(request.membership, *COST_ROLES),
        "reason_form": ReasonForm(),
    }
    return render(request, "market/consoles/costs/filing.html", context)


@require_POST
@role_required(kinds=OPERATORS, roles=COST_ROLES)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    named: dict[str, Any] = {"filing": own_filing(request, pk), "user": request.user, "at": clock.now()}
    named["reason"] = request.POST.get("reason", "")
    attempt(request, lambda: cost_withdraw(**named), _("Withdrawn. File the year's costs again when they are ready."))
    return redirect("operator-cost", pk=pk)


@require_safe
@role_required(kinds=OPERATORS)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    return attachment(own_filing(request, pk).file)


@require_safe
@role_required(kinds=OPERATORS)
def ledger(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    return ledgers.download(own_filing(request, pk), ending)
