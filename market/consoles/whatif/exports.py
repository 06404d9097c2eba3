"""A case as a workbook (amounts as numbers with two decimals, and their text in the inputs) and as a paper."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from django.utils.translation import override

from market.consoles.whatif import figures
from products.record.pdf import Facts, Heading, Section, Table, Text, render
from settlement.whatif.models import WhatIfCase

MOST_PRINTED = 40
SAFE = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
AMOUNTS = ("before", "after", "change")


def amount_heads() -> list[str]:
    return [_("In force, yuan"), _("Under the draft, yuan"), _("Change, yuan"), _("Change, %")]


def amounts(pair: dict[str, str]) -> list[Any]:
    """Before, after, change and per cent; a workbook's numbers keep the fen up to 90 million million yuan."""
    return [*(Decimal(pair[name]) for name in AMOUNTS), Decimal(pair["percent"]) if pair["percent"] else ""]


def sheets(case: WhatIfCase) -> list[tuple[str, list[str], list[list[Any]]]]:
    """(name, header, rows) of every sheet, in the language that is active."""
    result = case.result
    words = {"revenue": _("Revenue net of VAT"), "billed": _("Billed with tax"), "free_value": _("Value of free use")}
    summary: list[list[Any]] = [[words[name], *amounts(pair)] for name, pair in result["totals"].items()]
    for each in result["permitted"]:
        label = _("Permitted revenue of %(number)s for these months") % {"number": each["authorisation"]}
        summary.append([label, Decimal(each["permitted"]), Decimal(each["permitted"]), Decimal(0), ""])
    buyers = [
        [row["uscc"], figures.local(row), figures.size_word(row["size"]), *amounts(row["billed"])]
        for row in [*result["winners"], *reversed(result["losers"])]
    ]
    by_size = [
        [figures.size_word(row["size"]), row["buyers"], row["winners"], row["losers"], *amounts(row["billed"])]
        for row in result["sizes"]
    ]
    revenue, free = _("Revenue net of VAT"), _("Value of free use")
    both = [f"{word}: {head}" for word in (revenue, free) for head in amount_heads()]
    return [
        (_("Summary"), [_("Item"), *amount_heads()], summary),
        (_("Buyers"), [_("Unified social credit code"), _("Buyer"), _("Size"), *amount_heads()], buyers),
        (_("Sizes"), [_("Size"), _("Buyers"), _("Pay less"), _("Pay more"), *amount_heads()], by_size),
        (
            _("Products"),
            [_("Code"), _("Product"), *both],
            [
                [row["code"], figures.local(row), *amounts(row["revenue"]), *amounts(row["free_value"])]
                for row in result["products"]
            ],
        ),
        (
            _("Parties"),
            [_("Party"), _("Part in the agreement"), *amount_heads()],
            [[figures.local(row), figures.role_word(row["role"]), *amounts(row["share"])] for row in result["parties"]],
        ),
        (
            _("Months"),
            [_("Month"), *both],
            [[row["month"], *amounts(row["revenue"]), *amounts(row["free_value"])] for row in result["months"]],
        ),
        *([(_("Estimates"), *estimates(result["estimates"]))] if "revenue_after" in result.get("estimates", {}) else []),
        (_("Inputs"), [_("Item"), _("Value")], inputs(case)),
    ]


def estimates(bands: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Quantiles of what is estimated, apart from everything exact."""
    words = {
        "revenue_before": _("Revenue in force, yuan"),
        "revenue_after": _("Revenue under the draft, yuan"),
        "change": _("Change, yuan"),
        "volume_percent": _("Change of volume, %"),
    }
    names = ("p5", "p25", "p50", "p75", "p95")
    rows = [[word, *(Decimal(bands[key][name]) for name in names)] for key, word in words.items()]
    return [_("Estimated"), *(f"{name[1:]} %" for name in names)], rows


def inputs(case: WhatIfCase) -> list[list[Any]]:
    found = [[label, str(value)] for label, value in head(case)]
    found += [[_("Change tried"), text] for text in figures.changes(case.draft)]
    return [*found, [_("Draft document"), json.dumps(case.draft, ensure_ascii=False, sort_keys=True)]]


def head(case: WhatIfCase) -> list[tuple[str, object]]:
    """Whose case it is, on which history, and how exact."""
    result = case.result
    exact = _("yes, every charge") if result["is_exact"] else _("no, see the case")
    return [
        (_("What-if case"), f"{case.pk} {case.title}"),
        (_("Whose case"), f"{figures.local(case.organisation)}, {case.author}"),
        (_("Operator or sector"), figures.local(case.operator) if case.operator else case.sector),
        (_("Months"), f"{case.from_month:%Y-%m} – {case.last_month:%Y-%m}"),
        (_("Rows replayed"), f"{result['rows']:,}"),
        (_("Replay in force equals the charges"), exact),
        (_("Digest of history and draft"), case.inputs_digest),
    ]


def as_xlsx(case: WhatIfCase) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, SAFE) as book:
        bold = book.add_format({"bold": True, "bg_color": "#F0EFE9", "border": 1, "text_wrap": True})
        money, share = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "0.0"})
        for name, header, rows in sheets(case):
            sheet = book.add_worksheet(name[:31])
            sheet.write_row(0, 0, header, bold)
            for number, row in enumerate(rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, Decimal):
                        sheet.write_number(number, column, value, share if header[column].endswith("%") else money)
                    elif isinstance(value, int):
                        sheet.write_number(number, column, value)
                    else:
                        sheet.write_string(number, column, str(value))
            sheet.freeze_panes(1, 1)
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, max(1, len(header) - 1), 20)
    return content.getvalue()


def as_pdf(case: WhatIfCase) -> bytes:
    """In Chinese, as every paper of the market; long tables show their first rows and say how many more there are."""
    with override("zh-hans"):
        sections: list[Section] = [Facts(head(case)), Heading(_("What was tried")), Text("\n".join(figures.changes(case.draft)))]
        for name, header, rows in sheets(case)[:-1]:
            sections += [Heading(name), *_printed(header, rows)]
        if "revenue_after" in case.result.get("estimates", {}):
            sections.append(
                Text(
                    _("Estimates are guesses about demand, drawn with seed %(seed)s; all else is exact.")
                    % case.result["estimates"]
                )
            )
        return render(
            title=case.title, sections=sections, issuer=figures.local(case.organisation), on=case.created_at.astimezone().date()
        )


def _printed(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterable[Section]:
    shown = [[f"{cell:,}" if isinstance(cell, Decimal | int) else cell for cell in row] for row in rows[:MOST_PRINTED]]
    wide = 6
    keep = list(range(min(len(header), wide)))
    aligned = ["right" if shown and isinstance(rows[0][n], Decimal | int) else "left" for n in keep]
    yield Table([header[n] for n in keep], [[row[n] for n in keep] for row in shown], aligned)
    if len(rows) > MOST_PRINTED:
        yield Text(_("%(count)s more rows are in the workbook.") % {"count": len(rows) - MOST_PRINTED})
