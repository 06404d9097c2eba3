"""Lists as files: CSV for programs, XLSX for people; text throughout, so that no spreadsheet rounds or runs anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import xlsxwriter
from django.http import HttpResponse

from market.disclosure.exports import harmless

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sheet_response(*, name: str, ending: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> HttpResponse:
    """A download of a list; ``ending`` is csv or xlsx."""
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    content = as_csv(header, texts) if ending == "csv" else as_xlsx(header, texts)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8" if ending == "csv" else XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response["Cache-Control"] = "private, no-store"
    return response


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                sheet.write_string(number, column, value)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(header) - 1, 0), 18)
    return content.getvalue()
