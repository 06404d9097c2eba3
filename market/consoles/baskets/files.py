"""Rows of a set as a file, and back: CSV or Excel with the same columns. A file is hostile until read: no formulas, no bombs."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import xlsxwriter
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from pricing.revenue.basket_rows import BasketRow
from products.record.refusals import Refused

COLUMNS = (
    "product",
    "purpose_class",
    "basis",
    "flat_period",
    "before",
    "expected",
    "capacity",
    "cost_share",
    "elasticity",
    "cap",
)
NEEDED = ("product", "purpose_class", "basis")
MOST_ROWS = 20_000
MOST_BYTES = 4 * 1024 * 1024
MOST_UNPACKED = 60 * 1024 * 1024
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class FileNotReadable(Refused):
    code = "cap_file_not_readable"


def answer(rows: Sequence[BasketRow], *, ending: str, name: str) -> HttpResponse:
    content = as_csv(rows) if ending == "csv" else as_xlsx(rows)
    response = HttpResponse(content, content_type=TYPES[ending])
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _cells(row: BasketRow) -> list[str]:
    return [str(getattr(row, column)) for column in COLUMNS]


def as_csv(rows: Sequence[BasketRow]) -> bytes:
    """UTF-8 with a byte-order mark, which Excel needs to read Chinese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(row) for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Sequence[BasketRow]) -> bytes:
    """One sheet; amounts stay text, so that no spreadsheet rounds them."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("caps")
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(_cells(row)):
                sheet.write_string(number, column, value)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(COLUMNS) - 1, 18)
    return content.getvalue()


def read(file: UploadedFile | None) -> list[dict[str, str]]:
    """The rows of an uploaded file under its heading. Raises FileNotReadable with what to do."""
    if file is None:
        raise FileNotReadable(_("Choose a file first."), field="file")
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FileNotReadable(_("This file is larger than 4 MB."), field="file")
    lines = list(_xlsx(content) if content.startswith(b"PK") else _csv(content))
    if not lines:
        raise FileNotReadable(_("This file has no rows."), field="file")
    heading = [cell.strip().lower() for cell in lines[0]]
    missing = [name for name in NEEDED if name not in heading]
    unknown = [name for name in heading if name and name not in (*COLUMNS, "used")]
    if missing or unknown or len(set(filter(None, heading))) < len([name for name in heading if name]):
        message = _(
            "The first line must name these columns, each once: %(columns)s. Download the file of this set and change it."
        )
        raise FileNotReadable(message % {"columns": ", ".join(COLUMNS)}, field="file")
    if len(lines) > MOST_ROWS + 1:
        raise FileNotReadable(_("At most %(most)s rows are read.") % {"most": MOST_ROWS}, field="file")
    return [dict(zip(heading, line, strict=False)) for line in lines[1:] if any(cell.strip() for cell in line)]


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    if "\0" in text:
        raise FileNotReadable(_("This is neither a CSV nor an Excel file."), field="file")
    try:
        yield from csv.reader(io.StringIO(text), strict=True)
    except csv.Error as error:
        raise FileNotReadable(_("This is neither a CSV nor an Excel file."), field="file") from error


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                raise FileNotReadable(_("This file unpacks to more than 60 MB."), field="file")
            if any(b"<!DOCTYPE" in archive.read(name)[:4096].upper() for name in archive.namelist() if name.endswith(".xml")):
                raise FileNotReadable(_("This is neither a CSV nor an Excel file."), field="file")
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False).worksheets[0]
        for row in sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=len(COLUMNS) + 4):
            yield [_text(cell) for cell in row]
    except Refused:
        raise
    except Exception as error:  # whatever a broken archive makes the reader stumble over, the file is not readable
        raise FileNotReadable(_("This is neither a CSV nor an Excel file."), field="file") from error


def _text(cell: Any) -> str:
    if cell.data_type == "f":
        message = _("Cell %(cell)s holds a formula: enter its value.")
        raise FileNotReadable(message % {"cell": getattr(cell, "coordinate", "?")}, field="file")
    if isinstance(cell.value, bool) or cell.value is None:
        return ""
    if isinstance(cell.value, float):
        text = f"{cell.value:.15g}"
        return text if "e" not in text else f"{cell.value:f}"
    return str(cell.value).strip()
