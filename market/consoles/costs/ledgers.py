"""What both consoles show of a ledger: figures, sums by kind, filtered rows, what changed, downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from market.consoles.costs.forms import RowFilter
from market.consoles.costs.words import FIELDS, funding_label, line_label, nature_label
from market.disclosure.exports import harmless
from pricing.costs.explain import rule_label, rule_reason
from pricing.costs.models import CostFiling, CostItem
from pricing.costs.selectors import Change, Total, compare, totals, totals_of, version_before, whole
from pricing.costs.unusual import Unusual, reason_text
from products.record.documents import documents_about

PAGE_SIZE = 100
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
KINDS: tuple[tuple[str, str, str | Promise, Callable[[str], str]], ...] = (
    ("nature", "nature", gettext_lazy("By nature"), nature_label),
    ("funding", "funding", gettext_lazy("By funding source"), funding_label),
    ("business_line", "line", gettext_lazy("By business line"), line_label),
    ("rule", "rule", gettext_lazy("By rule"), rule_label),
)


@dataclass(frozen=True)
class Sums:
    """The sums of a ledger by one kind; ``parameter`` filters the rows by it."""

    title: str | Promise
    parameter: str
    rows: list[tuple[str, Total]]


def sums(items: QuerySet[CostItem] | Sequence[CostItem]) -> list[Sums]:
    """Sums by nature, funding, business line and rule; one query each, none for rows that are not saved yet."""
    found = []
    for field, parameter, title, label in KINDS:
        rows = totals(items, field) if isinstance(items, QuerySet) else totals_of(items, field)
        found.append(Sums(title, parameter, [(label(row.code), row) for row in rows]))
    return found


def filtered(items: QuerySet[CostItem], form: RowFilter, unusual: Collection[int] = ()) -> QuerySet[CostItem]:
    asked = form.cleaned_data if form.is_valid() else {}
    exact = {"nature": asked.get("nature"), "funding": asked.get("funding"), "rule": asked.get("rule")}
    exact["business_line"] = asked.get("line")
    found = items.filter(**{name: value for name, value in exact.items() if value})
    shown = {
        "admitted": Q(overruled_minor__gt=0) | Q(overruled_minor=None, admitted_minor__gt=0),
        "refused": Q(overruled_minor=0) | Q(overruled_minor=None, admitted_minor=0),
        "overruled": Q(overruled_minor__isnull=False),
        "unusual": Q(pk__in=unusual),
    }.get(asked.get("show", ""), Q())
    if asked.get("q"):
        shown &= Q(item__icontains=asked["q"]) | Q(voucher__icontains=asked["q"])
    return found.filter(shown).select_related("allocation", "overruled_by").order_by("row", "id")


def ledger_context(request: HttpRequest, filing: CostFiling, unusual: Unusual | None = None) -> dict[str, Any]:
    """What the pages of a filing show of its rows, in a fixed number of queries; ``unusual`` marks the rows that stand out."""
    marks = unusual.marks if unusual else {}
    found = sums(filing.items.all())
    lines = [(row.code, label) for label, row in found[2].rows]
    form = RowFilter(request.GET, lines=lines, marked=bool(marks))
    page: Page = Paginator(filtered(filing.items.all(), form, marks), PAGE_SIZE).get_page(request.GET.get("page"))
    before = version_before(filing)
    return {
        "filing": filing,
        "total": whole(row for _label, row in found[0].rows),
        "sums": found,
        "filter": form,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "page": page,
        "unusual": unusual,
        "marks": {item.pk: [reason_text(reason) for reason in marks.get(item.pk, ())] for item in page},
        "papers": documents_about(filing),
        "before": before,
        "changes": changes(before, filing) if before else [],
        "history": filing.case.events.select_related("actor").order_by("at", "id") if filing.case else [],
    }


def changes(before: CostFiling, filing: CostFiling) -> list[tuple[Change, str]]:
    """What the version changed, each with the names of the columns that differ."""
    return [(change, ", ".join(str(FIELDS[name]) for name in change.fields)) for change in compare(before, filing)]


def head() -> list[str]:
    return [
        _("Row"),
        _("Item"),
        _("Nature"),
        _("Business line"),
        _("Funding source"),
        _("Amount, yuan"),
        _("Allocation rule"),
        _("Evidence"),
        _("Rule"),
        _("Reason"),
        _("Admitted by rule, yuan"),
        _("Overruled to, yuan"),
        _("Overruled by"),
        _("Reason of overruling"),
        _("Counts, yuan"),
    ]


def cells(item: CostItem) -> list[str | int | Decimal]:
    overruled = item.overruled_minor
    return [
        item.row,
        item.item,
        item.get_nature_display(),
        line_label(item.business_line),
        item.get_funding_display(),
        yuan(item.amount_minor),
        str(item.allocation) if item.allocation else "",
        item.voucher,
        rule_label(item.rule),
        rule_reason(item.rule),
        yuan(item.admitted_minor),
        "" if overruled is None else yuan(overruled),
        str(item.overruled_by or ""),
        item.overruled_reason,
        yuan(item.counted_minor),
    ]


def yuan(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


def download(filing: CostFiling, ending: str) -> HttpResponse:
    """The whole ledger with what was decided, as CSV or Excel."""
    if ending not in TYPES:
        raise Http404
    items = filing.items.select_related("allocation", "overruled_by").order_by("row", "id")
    rows: list[Sequence[str | int | Decimal]] = [head(), *(cells(item) for item in items)]
    content = as_csv(rows) if ending == "csv" else as_xlsx(rows)
    return attached(content, f"cost-ledger-{filing.year}-v{filing.version}.{ending}", TYPES[ending])


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte-order mark, which Excel needs to read Chinese; text that a spreadsheet would run is quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(str(value)) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Sequence[Sequence[str | int | Decimal]]) -> bytes:
    """One sheet; text stays text, amounts are numbers so that they can be summed (a row has at most twelve digits)."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("ledger")
        bold = book.add_format({"bold": True, "bg_color": "#F0EFE9", "border": 1})
        money = book.add_format({"num_format": "#,##0.00"})
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value, None if number else bold)
                else:
                    sheet.write_number(number, place, value, money if isinstance(value, Decimal) else None)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(rows) - 1, 1), len(rows[0]) - 1)
        sheet.set_column(0, len(rows[0]) - 1, 16)
    return content.getvalue()


def attached(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
