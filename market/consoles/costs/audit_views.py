"""Cost filings before the price regulator: the queue, the audit page. The data bureau reads the same and changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.acts import attempt, blame
from market.consoles.costs import ledgers
from market.consoles.costs.forms import OverruleForm, ReasonForm
from market.consoles.costs.menu import OVERSEERS
from market.storefront.access import role_required
from market.storefront.acting import has_role
from market.storefront.evidence import attachment
from pricing.costs.auditing import AUDIT_ROLES
from pricing.costs.models import CostFiling, CostItem
from pricing.costs.selectors import filings_before
from pricing.costs.services import cost_audit, cost_item_overrule, cost_return
from pricing.costs.unusual import reason_text, unusual_rows
from products.models import Organisation
from products.organisations.models import OrganisationKind
from products.record import cases, clock
from products.record.calendar import load
from products.record.refusals import Refused

PAGE_SIZE = 50
REGULATORS = frozenset({"price_regulator"})


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def seen_filing(request: HttpRequest, pk: int) -> CostFiling:
    return get_object_or_404(filings_before(office(request)), pk=pk)


@require_safe
@role_required(kinds=OVERSEERS)
def queue(request: HttpRequest) -> HttpResponse:
    found = filings_before(office(request))
    is_all = request.GET.get("show") == "all"
    page = Paginator(found if is_all else found.filter(state="submitted"), PAGE_SIZE).get_page(request.GET.get("page"))
    today, calendar = clock.today(), load()
    rows = [(each, cases.days_left(case=each.case, today=today, calendar=calendar) if each.case else None) for each in page]
    return render(request, "market/consoles/costs/queue.html", {"page": page, "rows": rows, "is_all": is_all})


@require_safe
@role_required(kinds=OVERSEERS)
def of_case(request: HttpRequest, pk: int) -> HttpResponse:
    """A case goes through all versions of a filing: lead to its latest."""
    latest = filings_before(office(request)).filter(case=pk).order_by("-version").first()
    if latest is None:
        raise Http404
    return redirect("regulator-cost", pk=latest.pk)


@require_safe
@role_required(kinds=OVERSEERS)
def audit(request: HttpRequest, pk: int) -> HttpResponse:
    return audit_page(request, seen_filing(request, pk))


def audit_page(request: HttpRequest, shown: CostFiling, **more: Any) -> HttpResponse:
    """The audit page; ``overruling`` and ``overrule_form`` open a row's form in place, ``reason_form`` keeps what was typed."""
    status = more.pop("status", 200)
    acts = may_audit(request, shown)
    context = ledgers.ledger_context(request, shown, unusual_rows(shown)) | {
        "left": cases.days_left(case=shown.case, today=clock.today()) if shown.case else None,
        "newer": CostFiling.objects.filter(case=shown.case, version__gt=shown.version).order_by("-version").first(),
        "may_audit": acts,
        "audits": office(request).kind == OrganisationKind.PRICE_REGULATOR,
        "reason_form": ReasonForm(),
        "rest": rest(request),
    }
    wanted = request.GET.get("row", "")
    if acts and wanted.isdecimal() and "overruling" not in more:
        row = shown.items.filter(pk=int(wanted)).first()
        more = {"overruling": row, "overrule_form": OverruleForm(item=row)} if row else {}
    return render(request, "market/consoles/costs/audit.html", context | more, status=status)


def may_audit(request: HttpRequest, shown: CostFiling) -> bool:
    is_regulator = office(request).kind == OrganisationKind.PRICE_REGULATOR
    open_now = shown.state == CostFiling.State.SUBMITTED and shown.filed_by_id != request.user.pk
    return is_regulator and open_now and has_role(request.membership, *AUDIT_ROLES)


def rest(request: HttpRequest) -> str:
    """The filter and page of the address, without the row whose form is open."""
    kept = QueryDict(mutable=True)
    kept.update(request.GET)
    kept.pop("row", None)
    return kept.urlencode()


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=REGULATORS, roles=AUDIT_ROLES)
def overrule(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    """A row's form, and the overruling itself. The page comes back with filter, page and row as they were; htmx takes the row."""
    shown = seen_filing(request, pk)
    row = get_object_or_404(shown.items.select_related("allocation", "overruled_by"), pk=item)
    form = OverruleForm(request.POST or None, item=row)
    if request.method == "POST" and form.is_valid():
        try:
            named = {"item": row, "amount_minor": form.minor(), "reason": form.cleaned_data["reason"]}
            cost_item_overrule(**named, user=request.user, at=clock.now())
        except Refused as refused:
            blame(form, refused)
        else:
            return back_to_row(request, shown, row)
    if request.htmx:
        return render_row(request, shown, row, form)
    if request.method != "POST":
        address = reverse("regulator-cost", args=[pk])
        return redirect(f"{address}?{rest(request)}&row={row.pk}#r{row.pk}")
    return audit_page(request, shown, overruling=row, overrule_form=form, status=422)


def back_to_row(request: HttpRequest, shown: CostFiling, row: CostItem) -> HttpResponse:
    if request.htmx:
        fresh = shown.items.select_related("allocation", "overruled_by").get(pk=row.pk)
        return render_row(request, seen_filing(request, shown.pk), fresh, None)
    return redirect(f"{reverse('regulator-cost', args=[shown.pk])}?{rest(request)}#r{row.pk}")


def render_row(request: HttpRequest, shown: CostFiling, row: CostItem, form: OverruleForm | None) -> HttpResponse:
    """One row for htmx to put in its place, the form under it where it is open; the figures above come along."""
    context = {
        "filing": shown,
        "item": row,
        "may_audit": may_audit(request, shown),
        "overruling": row if form else None,
        "overrule_form": form,
        "rest": rest(request),
        "swapped": form is None,
        "marks": {row.pk: [reason_text(reason) for reason in unusual_rows(shown).marks.get(row.pk, ())]},
        "total": ledgers.whole(total for _label, total in ledgers.sums(shown.items.all())[0].rows) if form is None else None,
    }
    return render(request, "market/consoles/costs/row_swap.html", context)


@require_POST
@role_required(kinds=REGULATORS, roles=AUDIT_ROLES)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    shown = seen_filing(request, pk)
    form = ReasonForm(request.POST)
    step = request.POST.get("step")
    if step not in ("audit", "return"):
        raise Http404
    if not form.is_valid():
        return audit_page(request, shown, reason_form=form, status=422)
    named: dict[str, Any] = {"filing": shown, "reason": form.cleaned_data["reason"], "user": request.user, "at": clock.now()}
    if step == "audit":
        done = _("Audited. The operator and the data bureau have been told; the permitted revenue can be worked out from it.")
        attempt(request, lambda: cost_audit(**named), done)
    else:
        done = _("Returned with your reason. The clock stands until the operator files the next version.")
        attempt(request, lambda: cost_return(**named), done)
    return redirect("regulator-cost", pk=pk)


@require_safe
@role_required(kinds=OVERSEERS)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    return attachment(seen_filing(request, pk).file)


@require_safe
@role_required(kinds=OVERSEERS)
def ledger(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    return ledgers.download(seen_filing(request, pk), ending)
