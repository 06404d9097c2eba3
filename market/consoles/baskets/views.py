"""Sets of caps: the list, a start from a permitted revenue, one set with its rows, and rows as files."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.consoles.baskets import files, tables
from market.consoles.baskets.menu import KINDS
from market.consoles.baskets.volumes import expected_volumes
from market.storefront.access import role_required
from pricing.bodies import stem
from pricing.models import CapBasket, PermittedRevenue
from pricing.revenue.basket_rows import (
    PROPOSED,
    BasketRow,
    BasketRowsRefused,
    from_json,
    read_rows,
    versions_of,
    with_caps_before,
)
from pricing.revenue.basket_sources import starting_rows
from pricing.revenue.baskets import basket_body, basket_draft
from pricing.revenue.cap_reports import report_due
from pricing.revenue.cap_tests import try_versions
from pricing.revenue.services import CAP_ROLES
from products.models import Organisation
from products.organisations.selectors import has_role
from products.record import clock
from products.record.refusals import Refused

PAGE_SIZE = 50
Method: Any = CapBasket.Method
BasketState: Any = CapBasket.State
STEPS = ("draft", "filed", "approved", "reported", "published")


def body(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def in_reach(request: HttpRequest, path: str) -> Q:
    """Operations that the body authorised, and those of its region: a province may set what a city authorised."""
    own = Q(**{f"{path}authorising_body": body(request)})
    return (
        own
        | Q(**{f"{path}region__startswith": stem(body(request).region)})
        | Q(**{f"{path}region": "", f"{path}authorising_body__region__startswith": stem(body(request).region)})
    )


def permitted_in_reach(request: HttpRequest) -> QuerySet[PermittedRevenue]:
    found = PermittedRevenue.objects.filter(in_reach(request, "authorisation__"), state=PermittedRevenue.State.DETERMINED)
    related = ("authorisation__operator", "authorisation__authorising_body", "document")
    return found.select_related(*related).defer("document__pdf", "document__content").order_by("-period__startswith", "id")


def own(request: HttpRequest) -> QuerySet[CapBasket]:
    related = (
        "permitted_revenue__authorisation__operator",
        "made_by",
        "filed_by",
        "approved_by",
        "reported_by",
        "authorising_body",
    )
    found = CapBasket.objects.filter(authorising_body=body(request)).select_related(*related, "report_document")
    return found.defer("report_document__pdf", "report_document__content").order_by("-made_at", "-id")


@require_safe
@role_required(kinds=KINDS)
def basket_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(own(request), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "permitted": permitted_in_reach(request)[:PAGE_SIZE], "today": clock.today()}
    return render(request, "market/consoles/baskets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(kinds=KINDS, roles=CAP_ROLES)
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """The operation's rows with volumes, costs and elasticities; compare the three ways, then draft one of them."""
    permitted = get_object_or_404(permitted_in_reach(request), pk=pk)
    if request.method == "POST":
        return _start_post(request, permitted)
    day = max(clock.today().replace(day=1), permitted.period.lower)
    first = day if day > clock.today() else _next_month(clock.today())
    rows = _starting(permitted)
    return _start_page(request, permitted, rows, first.isoformat())


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _starting(permitted: PermittedRevenue) -> list[BasketRow]:
    today = clock.today()
    volumes = expected_volumes(authorisation=permitted.authorisation, on=today)
    return starting_rows(permitted=permitted, on=today, volumes=volumes)


def _start_post(request: HttpRequest, permitted: PermittedRevenue) -> HttpResponse:
    act, typed_day = request.POST.get("act", "compare"), request.POST.get("from_date", "")
    raw = tables.typed_rows(request.POST)
    wrong: dict[str, Any] = {"reason": "", "rows": {}, "problems": []}
    try:
        if request.FILES:
            raw = files.read(request.FILES.get("file"))
        if act == "compare":
            setter = basket_body(permitted=permitted, on=clock.today())
            rows = read_rows(raw, authorisation=permitted.authorisation, body=setter, on=clock.today(), needs_cap=False)
            return _start_page(request, permitted, with_caps_before(rows, on=clock.today()), typed_day)
        made = basket_draft(
            permitted_revenue=permitted,
            method=act,
            from_date=day_of(typed_day),
            rows=raw,
            user=request.user,
            at=clock.now(),
            note=request.POST.get("note", ""),
        )
        return redirect("authority-basket", pk=made.pk)
    except Refused as refused:
        wrong = wrong_of(refused)
    rows = with_caps_before(tables.as_typed(raw), on=clock.today()) if raw else _starting(permitted)
    return _start_page(request, permitted, rows, typed_day, wrong=wrong)


def wrong_of(refused: Refused) -> dict[str, Any]:
    """A refusal for the page: what it says, and each row's problems by its position."""
    problems = list(refused.problems) if isinstance(refused, BasketRowsRefused) else []
    by_row: dict[int, dict[str, str]] = {}
    for problem in problems:
        by_row.setdefault(problem.row - 1, {})[problem.field] = problem.message
    return {"reason": str(refused), "rows": by_row, "problems": problems[:20]}


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DateWrong(_("State the first day as a date, such as 2026-12-01."), field="from_date") from None


class DateWrong(Refused):
    code = "date_wrong"


def _start_page(
    request: HttpRequest, permitted: PermittedRevenue, rows: list[BasketRow], first: str, wrong: dict[str, Any] | None = None
) -> HttpResponse:
    with_volume = [row for row in rows if not wrong and (row.expected not in ("", "0") or row.capacity)]
    try:
        found = tables.compared(permitted=permitted, rows=rows if len(with_volume) == len(rows) else [], start=day_of(first))
    except Refused as refused:
        found, wrong = [], wrong or wrong_of(refused)
    context = {
        "permitted": permitted,
        "rows": tables.shown(rows, found=found, wrong=wrong["rows"] if wrong else None, last=tables.MOST_TYPED),
        "count": len(rows),
        "is_typed": len(rows) <= tables.MOST_TYPED,
        "proposals": [(p, tables.totals(p.tested) if p.tested else None) for p in found],
        "lacks_volume": len(with_volume) < len(rows) and not wrong,
        "first": first,
        "methods": [(method.value, method.label) for method in Method if method.value in PROPOSED],
        "wrong": wrong,
    }
    return render(request, "market/consoles/baskets/start.html", context, status=422 if wrong else 200)


@require_safe
@role_required(kinds=KINDS, roles=CAP_ROLES)
def starting_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    permitted = get_object_or_404(permitted_in_reach(request), pk=pk)
    if ending not in files.TYPES:
        raise Http404
    return files.answer(_starting(permitted), ending=ending, name=f"caps-start-{pk}")


@require_safe
@role_required(kinds=KINDS)
def basket(request: HttpRequest, pk: int) -> HttpResponse:
    return basket_page(request, get_object_or_404(own(request), pk=pk))


def basket_page(
    request: HttpRequest, found: CapBasket, *, wrong: dict[str, Any] | None = None, typed: list[BasketRow] | None = None
) -> HttpResponse:
    """A set with one page of its rows; a refused change shows what was typed."""
    rows = typed or from_json(found.rows)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    first = (page.number - 1) * PAGE_SIZE
    is_draft = found.state == CapBasket.State.DRAFT
    offered = []
    if is_draft and not wrong:
        offered = tables.compared(permitted=found.permitted_revenue, rows=rows, start=found.from_date)
    due = None
    if found.approved_at:
        region = found.permitted_revenue.authorisation.region or found.authorising_body.region
        due = report_due(approved_at=found.approved_at, region=region, reported_at=found.reported_at, today=clock.today())
    context = {
        "basket": found,
        "permitted": found.permitted_revenue,
        "page": page,
        "rows": tables.shown(
            rows, first=first, last=first + PAGE_SIZE, found=offered, test=found.test, wrong=wrong["rows"] if wrong else None
        ),
        "proposals": [(p, tables.totals(p.tested) if p.tested else None) for p in offered],
        "is_draft": is_draft,
        "may_act": has_role(request.user, body(request), *CAP_ROLES),
        "is_maker": request.user.pk in (found.made_by_id, found.filed_by_id),
        "step": STEPS.index(found.state) + 1 if found.state in STEPS else 0,
        "step_names": [BasketState(state).label for state in STEPS],
        "due": due,
        "wrong": wrong,
        "typed_document": request.POST.get("document_no", ""),
    }
    return render(request, "market/consoles/baskets/basket.html", context, status=422 if wrong else 200)


@require_POST
@role_required(kinds=KINDS)
def live_sum(request: HttpRequest, pk: int) -> HttpResponse:
    """What the set would come to with the figures on the page; nothing is kept."""
    found = get_object_or_404(own(request), pk=pk)
    permitted = found.permitted_revenue
    context: dict[str, Any] = {"basket": found, "permitted": permitted, "test": None}
    try:
        setter = found.authorising_body
        typed = tables.merged_rows(found.rows, request.POST)
        rows = read_rows(typed, authorisation=permitted.authorisation, body=setter, on=clock.today(), needs_cap=True)
        context["test"] = tables.totals(try_versions(permitted=permitted, new=versions_of(rows, found.from_date)))
    except Refused as refused:
        context["wrong"] = wrong_of(refused)
    return render(request, "market/consoles/baskets/sum.html", context)


@require_safe
@role_required(kinds=KINDS)
def rows_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    found = get_object_or_404(own(request), pk=pk)
    if ending not in files.TYPES:
        raise Http404
    return files.answer(from_json(found.rows), ending=ending, name=f"caps-{pk}")
