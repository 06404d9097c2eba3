"""The platform closes months and pays out; each party reads its statements."""

from __future__ import annotations

from datetime import date

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from market.consoles.acts import attempt
from market.storefront.access import role_required
from products.organisations.models import Organisation
from products.record import clock
from settlement.billing import rules, selectors, services
from settlement.billing.models import BillingMonth, Invoice
from settlement.shares import payouts as payout_services
from settlement.shares.models import Payout, Settlement
from settlement.shares.selectors import payable_by_party

PAGE_SIZE = 25
platform_finance = role_required(kinds=["platform"], roles=["finance", "owner"])
party_only = role_required(kinds=["operator", "data_provider"])


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Http404 from error


@require_safe
@platform_finance
def months(request: HttpRequest) -> HttpResponse:
    """All months, newest first; the earliest open one can be closed once it is over."""
    found = selectors.months()
    opened = [month for month in found if month["state"] == BillingMonth.State.OPEN]
    first = opened[-1]["month"] if opened else None
    now = clock.now()
    context = {
        "months": found,
        "first": first,
        "is_over": first is not None and now >= clock.day_start(rules.next_month(first)),
        "graceful_from": first and rules.graceful_from(first),
        "is_in_grace": first is not None and now < clock.day_start(rules.graceful_from(first)),
    }
    return render(request, "market/closing/months.html", context)


@require_safe
@platform_finance
def month(request: HttpRequest, month: str) -> HttpResponse:
    """A month's invoices and statements."""
    found = get_object_or_404(BillingMonth, month=_month(month))
    invoices = Invoice.objects.filter(month=found).select_related("operator", "buyer").order_by("operator_id", "sequence")
    context = {
        "month": found,
        "page": Paginator(invoices, PAGE_SIZE).get_page(request.GET.get("page")),
        "settlements": selectors.statements_of().filter(month=found),
    }
    return render(request, "market/closing/month.html", context)


@require_POST
@platform_finance
def close(request: HttpRequest, month: str) -> HttpResponse:
    """Close it; the person ticked that they mean it, and a second box where days of grace are skipped."""
    if not request.POST.get("confirmed"):
        attempt(request, lambda: _refuse(), "")
        return redirect("closing")
    when, force = _month(month), bool(request.POST.get("force"))
    done = _("%(month)s is closed: its invoices are issued and their buyers told.") % {"month": month}
    attempt(request, lambda: services.close_month(month=when, at=clock.now(), force=force, actor=request.user), done)
    return redirect("closing")


def _refuse() -> None:
    raise services.CloseNotConfirmed(_("Tick the box to confirm: a closed month is never opened again."))


@require_safe
@platform_finance
def any_statement(request: HttpRequest, pk: int) -> HttpResponse:
    settlement = get_object_or_404(Settlement.objects.select_related("party", "month"), pk=pk)
    return _statement_page(request, settlement)


@require_safe
@party_only
def statements(request: HttpRequest) -> HttpResponse:
    """The statements of the acting organisation."""
    found = selectors.statements_of(party_ids=[request.membership.organisation_id])
    context = {"page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))}
    return render(request, "market/closing/statements.html", context)


@require_safe
@party_only
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    own = Settlement.objects.filter(party=request.membership.organisation_id).select_related("party", "month")
    return _statement_page(request, get_object_or_404(own, pk=pk))


def _statement_page(request: HttpRequest, settlement: Settlement) -> HttpResponse:
    lines = selectors.statement_lines(settlement=settlement)
    context = {"settlement": settlement, "page": Paginator(lines, PAGE_SIZE).get_page(request.GET.get("page"))}
    return render(request, "market/closing/statement.html", context)


@require_safe
@platform_finance
def payouts(request: HttpRequest) -> HttpResponse:
    """What is payable to whom, payouts that wait for the second person, and those that were made."""
    made = Payout.objects.select_related("party", "proposed_by", "confirmed_by").order_by("-proposed_at", "-id")
    context = {
        "payable": payable_by_party(),
        "waiting": made.filter(state=Payout.State.PROPOSED),
        "page": Paginator(made.exclude(state=Payout.State.PROPOSED), PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return render(request, "market/closing/payouts.html", context)


@require_POST
@platform_finance
def propose(request: HttpRequest, party: int) -> HttpResponse:
    payee = get_object_or_404(Organisation, pk=party)
    done = _("The payout is proposed; another person of the platform confirms it once the bank has paid.")
    attempt(request, lambda: payout_services.payout_propose(party=payee, user=request.user, at=clock.now()), done)
    return redirect("payouts")


@require_POST
@platform_finance
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm with the bank's reference, or reject with a reason."""
    payout, at = get_object_or_404(Payout, pk=pk), clock.now()
    note = request.POST.get("note", "").strip()
    if request.POST.get("action") == "reject":
        done = _("%(number)s is rejected; the amount stays payable.") % {"number": payout.number}
        attempt(request, lambda: payout_services.payout_reject(payout=payout, user=request.user, reason=note, at=at), done)
    else:
        done = _("%(number)s is paid and posted.") % {"number": payout.number}
        attempt(
            request, lambda: payout_services.payout_confirm(payout=payout, user=request.user, bank_reference=note, at=at), done
        )
    return redirect("payouts")
