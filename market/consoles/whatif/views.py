"""Try a change on what really happened; keep it as a case; compare cases; take them away as files."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from market.consoles.acts import attempt, blame, problem_lines
from market.consoles.tariffs.forms import ComponentRows, document_of, rows_of
from market.consoles.tariffs.views import initial as tariff_initial
from market.consoles.whatif import exports, figures
from market.consoles.whatif.forms import (
    MOST_CAPS,
    CapRow,
    DraftForm,
    DraftTariffForm,
    ScopeForm,
    caps_of,
    last_quarter,
    typed,
)
from market.consoles.whatif.menu import CONSOLES
from market.storefront.access import role_required
from pricing.models import Plan
from pricing.reading import DocumentRefused
from pricing.tariffs.selectors import tariff_in_force
from products.models import DataProduct, Organisation
from products.organisations.selectors import has_role
from products.record import clock
from products.record.refusals import Refused
from products.registry.models import Purpose
from settlement.whatif import drafts
from settlement.whatif.models import WhatIfCase
from settlement.whatif.scope import Scope, operators_of, scope_for, sectors_of
from settlement.whatif.selectors import cases_of
from settlement.whatif.services import WHAT_IF_ROLES, try_out, what_if_save, what_if_share

PAGE_SIZE = 30
TRIES_A_MINUTE = 30


def bench_page(roles: Collection[str] = ()) -> Callable:
    """Let in the kinds of body whose console the address names; see ``role_required``."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        guards = {f"{name}-what-if": role_required(kinds=kinds, roles=roles)(view) for name, kinds in CONSOLES.items()}

        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            return guards[where(request)](request, *args, **kwargs)

        return guarded

    return decorate


def office(request: HttpRequest) -> Organisation:
    return request.membership.organisation


def where(request: HttpRequest) -> str:
    """The namespace of the console in which the page was opened."""
    return request.resolver_match.namespaces[0]


def own(request: HttpRequest, name: str, *args: object) -> str:
    return reverse(f"{where(request)}:{name}", args=args)


def may_save(request: HttpRequest) -> bool:
    return has_role(request.user, office(request), *WHAT_IF_ROLES)


# --- cases ----------------------------------------------------------------------------------------------------------------------


@require_safe
@bench_page()
def cases(request: HttpRequest) -> HttpResponse:
    page = Paginator(cases_of(organisation=office(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(each, figures.headline(each.result)) for each in page]
    return render(request, "market/consoles/whatif/cases.html", {"page": page, "rows": rows, "where": where(request)})


def shown_case(request: HttpRequest, pk: int) -> WhatIfCase:
    return get_object_or_404(cases_of(organisation=office(request)), pk=pk)


@require_safe
@bench_page()
def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = shown_case(request, pk)
    context = {
        "case": found,
        "result": found.result,
        "changes": figures.changes(found.draft),
        "charts": figures.charts(found.result),
        "where": where(request),
        "may_share": found.organisation == office(request) and may_save(request),
        "others": cases_of(organisation=office(request)).exclude(pk=pk)[:20],
    }
    return render(request, "market/consoles/whatif/case.html", context)


@require_safe
@bench_page()
def compare(request: HttpRequest) -> HttpResponse:
    """Two cases side by side."""
    numbers = [request.GET.get(name, "") for name in ("a", "b")]
    if not all(number.isdecimal() for number in numbers):
        raise Http404
    pair = [shown_case(request, int(number)) for number in numbers]
    context = {"pair": pair, "rows": figures.side_by_side(*(each.result for each in pair)), "where": where(request)}
    context["changes"] = [figures.changes(each.draft) for each in pair]
    context["same_history"] = len({(each.operator_id, each.sector, each.from_month, each.to_month) for each in pair}) == 1
    return render(request, "market/consoles/whatif/compare.html", context)


@require_POST
@bench_page(roles=WHAT_IF_ROLES)
def share(request: HttpRequest, pk: int) -> HttpResponse:
    found = shown_case(request, pk)
    opens = request.POST.get("shared") == "1"
    done = _("The other bodies over this operator may open the case now.") if opens else _("The case is yours alone again.")
    attempt(request, lambda: what_if_share(case=found, user=request.user, is_shared=opens, at=clock.now()), done)
    return redirect(own(request, "case", pk))


@require_safe
@bench_page()
def as_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(exports.as_xlsx(shown_case(request, pk)), kind, f"what-if-{pk}.xlsx")


@require_safe
@bench_page()
def as_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    return _file(exports.as_pdf(shown_case(request, pk)), "application/pdf", f"what-if-{pk}.pdf")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


# --- the bench ------------------------------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """The page: its scope, what may be changed there, and what was typed."""

    request: HttpRequest
    scope: Scope
    products: dict[int, DataProduct]
    caps: list[CapRow]
    too_many_caps: bool
    form: DraftForm
    plan: Plan | None
    tariff: DraftTariffForm | None
    components: Any

    def draft(self) -> dict[str, Any]:
        """The draft document of what was typed. Raises DocumentRefused where the tariff is no JSON."""
        found = self.form.document()
        caps = caps_of(self.caps)
        if caps:
            found["caps"] = caps
        if self.plan is not None and self.tariff is not None:
            document = document_of(self.tariff, self.components)
            found["tariffs"] = [{"plan": self.plan.pk, "document": document}]
        return found

    def is_valid(self) -> bool:
        fine = self.form.is_valid()
        if self.tariff is not None:
            fine = self.tariff.is_valid() and self.components.is_valid() and fine
        return fine


@require_http_methods(["GET", "HEAD", "POST"])
@bench_page()
def bench(request: HttpRequest) -> HttpResponse:
    scope_form, scope, refused = _scope(request)
    context: dict[str, Any] = {"scope_form": scope_form, "where": where(request), "may_save": may_save(request)}
    if scope is None:
        if refused is not None:
            blame(scope_form, refused)
        status = 422 if scope_form.is_bound and scope_form.errors else 200
        return render(request, "market/consoles/whatif/bench.html", context, status=status)
    page = _bench(request, scope, scope_form)
    context["bench"] = page
    if request.method != "POST":
        return render(request, "market/consoles/whatif/bench.html", context)
    return _tried(request, page, context)


def _scope(request: HttpRequest) -> tuple[ScopeForm, Scope | None, Refused | None]:
    operators, sectors = operators_of(office(request)), sectors_of(office(request))
    by_slug = {each.slug: each for each in operators}
    asked = by_slug.get(request.GET.get("operator", ""))
    plans = Plan.objects.filter(product__operator=asked).select_related("product").order_by("product__code", "code", "id")
    named = [(plan.pk, f"{figures.local(plan.product)} · {figures.local(plan)}") for plan in plans[:500]]
    first, last = last_quarter(clock.today())
    choices: dict[str, Any] = {"operators": operators, "sectors": sectors, "plans": named}
    if "from_month" not in request.GET:
        return ScopeForm(initial={"from_month": first, "last_month": last}, **choices), None, None
    form = ScopeForm(request.GET, **choices)
    if not form.is_valid():
        return form, None, None
    data = form.cleaned_data
    from_month, to_month = form.months
    try:
        found = scope_for(
            organisation=office(request),
            operator=by_slug.get(data["operator"]),
            sector=data.get("sector", ""),
            from_month=from_month,
            to_month=to_month,
            with_running=data["with_running"],
        )
    except Refused as refused:
        return form, None, refused
    return form, found, None


def _bench(request: HttpRequest, scope: Scope, scope_form: ScopeForm) -> Bench:
    products, today = scope.products(), clock.today()
    rows, in_force = [], drafts.caps_prefilled(products, on=today)
    percent = scope_form.cleaned_data.get("percent") or 0
    proposed = drafts.caps_prefilled(products, on=today, percent=percent)
    names = {product.code: figures.local(product) for product in products.values()}
    for old, new in zip(in_force, proposed, strict=True):
        keys = (old["product"], names[old["product"]], old["purpose_class"], old["basis"], old["period"])
        rows.append(CapRow(*keys, old["cap"], new["cap"]))
    data = request.POST if request.method == "POST" else None
    if data is not None and len(rows) <= MOST_CAPS:
        rows = typed(rows, data)
    codes = sorted({purpose for product in products.values() for purpose in product.purposes})
    words = {purpose.code: figures.local(purpose) for purpose in Purpose.objects.filter(code__in=codes)}
    choices = {
        "products": list(names.items())[:MOST_CAPS],
        "purposes": [(code, f"{words.get(code, '')} {code}".strip()) for code in codes],
    }
    plan, tariff, components = _plan(scope_form, products, data)
    form = DraftForm(data, **choices)
    return Bench(request, scope, products, rows, len(rows) > MOST_CAPS, form, plan, tariff, components)


def _plan(scope_form: ScopeForm, products: dict[int, DataProduct], data: Any) -> tuple[Any, Any, Any]:
    """The plan whose tariff is written anew, with the editor filled from the tariff in force."""
    number = scope_form.cleaned_data.get("plan")
    if not number:
        return None, None, None
    plan = Plan.objects.filter(pk=number, product__in=products).select_related("product").first()
    if plan is None:
        return None, None, None
    before = tariff_in_force(plan=plan, on=clock.today())
    start = {name: value for name, value in tariff_initial(before).items() if name != "from_date"}
    rows = ComponentRows(data, prefix="components", initial=rows_of(before.document) if before else None)
    return plan, DraftTariffForm(data, initial=start), rows


def _tried(request: HttpRequest, page: Bench, context: dict[str, Any]) -> HttpResponse:
    is_part = bool(request.htmx)
    template = "market/consoles/whatif/tried.html" if is_part else "market/consoles/whatif/bench.html"
    status = 422
    if not _has_turn(request):
        context["refusals"] = [_("Too many tries in a minute. Wait a moment and try again.")]
        status = 429
    elif page.is_valid():
        try:
            return _done(request, page, context, template)
        except DocumentRefused as refused:
            context["refusals"] = problem_lines(refused.problems)
        except Refused as refused:
            context["refusals"] = [str(refused)]
            if refused.field in page.form.fields:
                page.form.add_error(refused.field, str(refused))
    else:
        context["refusals"] = [_("Please correct what is marked below.")]
    if is_part:
        context["refusals"] += [line for line in _marked(page) if line not in context["refusals"]]
        status = 200  # htmx shows the fragment only then
    return render(request, template, context, status=status)


def _marked(page: Bench) -> list[str]:
    bound: list[BaseForm] = [page.form, *([page.tariff] if page.tariff is not None else [])]
    return [
        f"{form.fields[name].label}: {line}"
        for form in bound
        for name, lines in form.errors.items()
        if name in form.fields
        for line in lines
    ]


def _done(request: HttpRequest, page: Bench, context: dict[str, Any], template: str) -> HttpResponse:
    """The result on the page, or the case that was saved."""
    draft, at = page.draft(), clock.now()
    if "save" in request.POST:
        facts: dict[str, Any] = {"user": request.user, "organisation": office(request), "at": at}
        kept = what_if_save(
            title=request.POST.get("title", "")[:120],
            scope=page.scope,
            draft=draft,
            is_shared=request.POST.get("is_shared") == "on",
            **facts,
        )
        messages.success(request, _("Saved. It can be opened, compared and taken away as a file; it never changes."))
        url = own(request, "case", kept.pk)
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    outcome = try_out(scope=page.scope, draft=draft, at=at)
    context |= {"result": outcome.result, "charts": figures.charts(outcome.result), "changes": figures.changes(outcome.draft)}
    return render(request, template, context)


def _has_turn(request: HttpRequest) -> bool:
    """At most so many tries a person and minute: each may replay hundreds of thousands of rows."""
    key = f"what-if:{request.user.pk}:{clock.now():%Y%m%d%H%M}"
    cache.add(key, 0, 120)
    return cache.incr(key) <= TRIES_A_MINUTE
