"""The public page of receipts: which roots are published, and a check of a receipt that anybody may paste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from market.gateway import signing
from market.gateway.addresses import client_address
from products.record.clock import BUSINESS_ZONE, day_start
from settlement.metering import checking
from settlement.metering.models import ReceiptTree
from settlement.sql import query

MOST_CHARACTERS = 64 * 1024
MOST_RECEIPTS = 20
CHECKS_A_MINUTE = 20
COLUMNS = ("hour", "size", "root", "chain", "sealed_at")
PARTS: dict[str, Promise] = {
    "signature": gettext_lazy("Signature"),
    "content": gettext_lazy("Content"),
    "proof": gettext_lazy("Place in its hour"),
    "roots": gettext_lazy("Published root"),
}
PROVEN: dict[str, Promise] = {
    "signature": gettext_lazy("It was signed by this market, and nothing in it was changed since."),
    "content": gettext_lazy("The digest is that of what the receipt says was metered."),
    "proof": gettext_lazy("From the digest the path leads to the root that the receipt names."),
    "roots": gettext_lazy("Root, size and chain of that hour are those that are published here."),
}
OPEN: dict[str, Promise] = {
    "signature": gettext_lazy("Not checked."),
    "content": gettext_lazy("It has no digest: it was recorded before digests were kept."),
    "proof": gettext_lazy(
        "Its hour is not sealed yet, so it proves nothing yet. Get the receipt again after the hour is sealed."
    ),
    "roots": gettext_lazy("There is no root to look up yet."),
}
WRONG: dict[str, Promise] = {
    "no-receipt": gettext_lazy("This is not a receipt."),
    "signature-missing": gettext_lazy("It has no signature. Copy the whole receipt as the gateway gave it."),
    "key-unknown": gettext_lazy("It was signed with a key that is not this market's."),
    "signature-wrong": gettext_lazy("The signature does not fit: something in the receipt was changed after it was signed."),
    "content-missing": gettext_lazy("Members are missing or cannot be read. Copy the whole receipt as the gateway gave it."),
    "digest-differs": gettext_lazy("What the receipt says was metered has another digest than the receipt names."),
    "hour-differs": gettext_lazy("The proof is of another hour than the one in which the call was received."),
    "path-length": gettext_lazy("The path has another length than this place in a tree of this size can have."),
    "root-differs": gettext_lazy("The path leads to another root: this call does not stand at that place in the hour."),
    "proof-shape": gettext_lazy("The proof cannot be read."),
    "root-unpublished": gettext_lazy("No root is published for that hour."),
    "published-differs": gettext_lazy("The root, the size or the chain published for that hour is another."),
    "unreadable": gettext_lazy("It has values that no receipt has."),
}


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    hours: int
    receipts: int


@dataclass(frozen=True, slots=True)
class Said:
    """One part of a finding in the reader's language; ``state`` good, bad or open."""

    part: str
    state: str
    text: str


@require_safe
def receipts(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Check pasted receipts with this market's key and the published roots; nothing of them is kept."""
    pasted = request.POST.get("receipt", "")
    refused = _refused(request, pasted)
    if refused is not None:
        status, text = refused
        response = _page(request, pasted=pasted[:MOST_CHARACTERS], error=text, status=status)
        if status == 429:
            response["Retry-After"] = "60"
        return response
    try:
        found = checking.receipts_in(pasted.encode())
    except (checking.NotReadable, UnicodeEncodeError):
        return _page(request, pasted=pasted, error=_("This is not JSON. Copy the whole receipt, from { to }."), status=422)
    if len(found) > MOST_RECEIPTS:
        text = _("At most %s receipts at once. The command check_receipt takes any number.") % MOST_RECEIPTS
        return _page(request, pasted=pasted, error=text, status=422)
    keys = {signing.public_jwk()["kid"]: signing.receipt_key().public_key().public_bytes_raw()}
    roots = _roots_of(found)
    findings = [checking.check_receipt(receipt, keys=keys, roots=roots) for receipt in found]
    return _page(request, pasted=pasted, findings=[(finding, _said(finding)) for finding in findings])


def _refused(request: HttpRequest, pasted: str) -> tuple[int, str] | None:
    if not pasted.strip():
        return 422, _("Paste a receipt.")
    if len(pasted) > MOST_CHARACTERS:
        return 413, _("This is longer than receipts are: at most 64 KiB.")
    scope = getattr(request, "scope", None) or {"client": (request.META.get("REMOTE_ADDR", ""), 0), "headers": []}
    key = f"receipts-check:{client_address(scope, settings.TRUSTED_PROXIES)}"
    cache.add(key, 0, 60)
    try:
        checks = cache.incr(key)
    except ValueError:  # the minute ended in between
        checks = 1
    return None if checks <= CHECKS_A_MINUTE else (429, _("Too many checks in a minute. Wait a moment and send it again."))


def _page(
    request: HttpRequest,
    *,
    pasted: str = "",
    error: str = "",
    findings: Sequence[tuple[checking.Finding, list[Said]]] = (),
    status: int = 200,
) -> HttpResponse:
    day, month = _asked(request)
    rows = _roots(month) if month else []
    context = {
        "days": _days(rows),
        "day": day,
        "month": month,
        "before": _neighbour(month, -1),
        "after": _neighbour(month, 1),
        "hours": [row for row in rows if row["day"] == day],
        "final_before": _final_before(),
        "pasted": pasted,
        "error": error,
        "findings": findings,
        "most": MOST_CHARACTERS,
    }
    return render(request, "market/disclosure/receipts.html", context, status=status)


def _asked(request: HttpRequest) -> tuple[date | None, date | None]:
    """The day whose hours are shown and its month: as asked, else the last day of that month, or of all, that has any."""
    day, month = _date(request.GET.get("day", "")), _date(request.GET.get("month", "") + "-01")
    if day is None:
        trees = ReceiptTree.objects.all()
        if month is not None:
            trees = trees.filter(hour__gte=day_start(month), hour__lt=day_start(_next(month)))
        last = trees.order_by("-hour").values_list("hour", flat=True).first()
        day = last.astimezone(BUSINESS_ZONE).date() if last else None
    return day, month or (day.replace(day=1) if day else None)


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9000 else None


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _neighbour(month: date | None, step: int) -> date | None:
    """The month before or after that has roots."""
    if month is None:
        return None
    if step < 0:
        found = ReceiptTree.objects.filter(hour__lt=day_start(month)).order_by("-hour")
    else:
        found = ReceiptTree.objects.filter(hour__gte=day_start(_next(month))).order_by("hour")
    hour = found.values_list("hour", flat=True).first()
    return hour.astimezone(BUSINESS_ZONE).date().replace(day=1) if hour else None


def _roots(month: date) -> list[dict[str, Any]]:
    trees = ReceiptTree.objects.filter(hour__gte=day_start(month), hour__lt=day_start(_next(month))).order_by("hour")
    return [
        {
            "hour": hour.astimezone(BUSINESS_ZONE),
            "day": hour.astimezone(BUSINESS_ZONE).date(),
            "size": size,
            "root": bytes(root).hex(),
            "chain": bytes(chain).hex(),
            "sealed_at": sealed_at,
        }
        for hour, size, root, chain, sealed_at in trees.values_list(*COLUMNS)
    ]


def _days(rows: Sequence[dict[str, Any]]) -> list[Day]:
    by_day: dict[date, list[int]] = {}
    for row in rows:
        by_day.setdefault(row["day"], []).append(row["size"])
    return [Day(day, len(sizes), sum(sizes)) for day, sizes in sorted(by_day.items(), reverse=True)]


def _final_before() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(query("sealed_before"))
        return cursor.fetchone()[0]


def _roots_of(receipts_: Sequence[Any]) -> dict[datetime, checking.Root]:
    """The published roots of the hours that pasted receipts name."""
    hours = set()
    for receipt in receipts_:
        proof = receipt.get("proof") if isinstance(receipt, dict) else None
        try:
            hours.add(datetime.fromisoformat(proof["hour"]).astimezone(UTC) if isinstance(proof, dict) else None)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    trees = ReceiptTree.objects.filter(hour__in=hours - {None}).values_list("hour", "size", "root", "chain")
    return {hour: checking.Root(hour, size, bytes(root), bytes(chain)) for hour, size, root, chain in trees}


def _said(finding: checking.Finding) -> list[Said]:
    wrong: dict[str, str] = {error["part"]: error["code"] for error in finding.errors}
    if "receipt" in wrong:
        return [Said(_("Receipt"), "bad", str(WRONG["no-receipt"]))]
    said = []
    for part, title in PARTS.items():
        if part in wrong:
            said.append(Said(str(title), "bad", str(WRONG[wrong[part]])))
        elif part in finding.proven:
            said.append(Said(str(title), "good", str(PROVEN[part])))
        else:
            said.append(Said(str(title), "open", str(OPEN[part])))
    return said
