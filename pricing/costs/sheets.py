"""A ledger file as rows of cells with their addresses: Excel (.xlsx) or CSV. What is in the file is hostile until read.

Refused: macros (by ``products.record.evidence``), formulas (their shown value is whatever the last program stored), archives that
unpack too far, document types and entities in the XML, a hidden ledger sheet. Hidden rows are read like all others.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from pricing.costs.problems import LedgerRefused, RowProblem
from pricing.costs.words import HEADINGS, plain

SHEET = "成本台账"
MOST_ROWS = 5_000
MOST_UNPACKED = 60 * 1024 * 1024
MOST_PARTS = 300
LAST_EXCEL_ROW = 1_048_576
COLUMNS_READ = 40
REQUIRED_COLUMNS = ("item", "nature", "business_line", "funding", "year", "amount", "voucher")
TEXT_LENGTH = 2_000
MARKUP = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3}[0-9]{1,7}):[A-Z]{1,3}[0-9]{1,7}"')


@dataclass(frozen=True)
class Cell:
    """A cell's content as text; ``kind`` is text, number, formula, error, date or empty."""

    address: str
    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Sheet:
    """The rows of the ledger under its headings: (row number, {column code: cell})."""

    rows: list[tuple[int, dict[str, Cell]]]
    merged: tuple[str, ...] = ()


def read(*, file_name: str, content: bytes) -> Sheet:
    """The ledger rows of a file, empty rows left out. Raises LedgerRefused with what is wrong and where."""
    if content.startswith(b"PK"):
        merged, rows = _excel(content)
    else:
        merged, rows = (), _csv(content)
    return Sheet(_under_headings(rows), merged)


def _excel(content: bytes) -> tuple[tuple[str, ...], Iterator[tuple[int, list[Cell]]]]:
    parts = _unpacked(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = _ledger_sheet(book)
        merged = MERGED.findall(parts.get(sheet._worksheet_path.lstrip("/"), b""))
    except LedgerRefused:
        raise
    except Exception as error:  # whatever a broken archive makes the reader stumble over, the file is not readable
        raise LedgerRefused([RowProblem("", "unreadable")]) from error
    return tuple(address.decode() for address in merged), _excel_rows(sheet)


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The XML parts, sizes and markup checked before any parser sees them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_PARTS or sum(member.file_size for member in members) > MOST_UNPACKED:
                raise LedgerRefused([RowProblem("", "unpacks_too_far")])
            parts = {member.filename.lstrip("/"): archive.read(member) for member in members if _is_xml(member.filename)}
    except LedgerRefused:
        raise
    except Exception as error:  # each way of packing has its own errors (zlib.error is none of zipfile's): all mean unreadable
        raise LedgerRefused([RowProblem("", "unreadable")]) from error
    if any(MARKUP.search(part) or b"\0" in part[:200] for part in parts.values()):
        raise LedgerRefused([RowProblem("", "unreadable")])
    return parts


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))


def _ledger_sheet(book: Any) -> Any:
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    named = [sheet for sheet in book.worksheets if sheet.title.strip() == SHEET]
    if named and named[0] not in shown:
        raise LedgerRefused([RowProblem("", "sheet_hidden", {"sheet": SHEET})])
    found = named[0] if named else (shown[0] if len(shown) == 1 else None)
    if found is None:
        raise LedgerRefused([RowProblem("", "sheet_missing", {"sheet": SHEET})])
    return found


def _excel_rows(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    try:
        for number, row in enumerate(sheet.iter_rows(max_row=LAST_EXCEL_ROW, max_col=COLUMNS_READ), start=1):
            if any(cell.value is not None for cell in row):
                yield number, [_excel_cell(number, column, cell) for column, cell in enumerate(row, start=1)]
    except LedgerRefused:
        raise
    except Exception as error:  # a part that is no well-formed XML shows only while it is read
        raise LedgerRefused([RowProblem("", "unreadable")]) from error


def _excel_cell(number: int, column: int, cell: Any) -> Cell:
    address = f"{get_column_letter(column)}{number}"
    value = cell.value
    if value is None:
        return Cell(address, "", "empty")
    if cell.data_type in ("f", "e"):
        return Cell(address, str(value)[:TEXT_LENGTH], "formula" if cell.data_type == "f" else "error")
    if isinstance(value, bool):
        return Cell(address, str(value), "text")
    if isinstance(value, int | float):
        return Cell(address, _number_text(value), "number")
    if isinstance(value, date | datetime):
        return Cell(address, value.isoformat(), "date")
    return Cell(address, str(value).strip()[:TEXT_LENGTH])


def _number_text(value: int | float) -> str:
    """A number cell in plain digits, to the fifteen that Excel itself keeps: 0.30000000000000004 is 0.3 on its screen too."""
    text = f"{value:.15g}" if abs(value) < 10**15 else repr(value)
    return text if "e" not in text else f"{value:f}"


def _csv(content: bytes) -> Iterator[tuple[int, list[Cell]]]:
    text = _decoded(content)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True), start=1):
            cells = [_csv_cell(number, column, value.strip()) for column, value in enumerate(row[:COLUMNS_READ], start=1)]
            if any(cell.text for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise LedgerRefused([RowProblem("", "unreadable")]) from error


def _csv_cell(number: int, column: int, value: str) -> Cell:
    return Cell(f"{get_column_letter(column)}{number}", value[:TEXT_LENGTH], "text" if value else "empty")


def _decoded(content: bytes) -> str:
    """UTF-8 with or without its mark, else GB18030, which is what Excel in China writes."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise LedgerRefused([RowProblem("", "not_text")])


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda sign: (sum(plain(part.strip('" ')) in HEADINGS for part in first.split(sign)), sign == ","))


def _under_headings(rows: Iterator[tuple[int, list[Cell]]]) -> list[tuple[int, dict[str, Cell]]]:
    columns: dict[int, str] = {}
    found: list[tuple[int, dict[str, Cell]]] = []
    for number, cells in rows:
        if not columns:
            columns = _headings(number, cells)
            continue
        if len(found) == MOST_ROWS:
            raise LedgerRefused([RowProblem(f"A{number}", "too_many_rows", {"most": MOST_ROWS})])
        at = dict(enumerate(cells))
        stray = next((cell for place, cell in at.items() if place not in columns and cell.text), None)
        if stray is not None:
            raise LedgerRefused([RowProblem(stray.address, "outside_columns")])
        empty = {place: Cell(f"{get_column_letter(place + 1)}{number}", "", "empty") for place in columns}
        found.append((number, {code: at.get(place, empty[place]) for place, code in columns.items()}))
    return found


def _headings(number: int, cells: Sequence[Cell]) -> dict[int, str]:
    """Which column holds what, from the first row that has content. Raises LedgerRefused for unknown, double and missing ones."""
    columns: dict[int, str] = {}
    problems: list[RowProblem] = []
    for place, cell in enumerate(cells):
        if not cell.text:
            continue
        code = HEADINGS.get(plain(cell.text))
        if code is None:
            problems.append(RowProblem(cell.address, "unknown_heading", {"value": cell.text[:60]}))
        elif code in columns.values():
            problems.append(RowProblem(cell.address, "heading_twice", {"value": cell.text[:60]}))
        else:
            columns[place] = code
    missing = [code for code in REQUIRED_COLUMNS if code not in columns.values()]
    problems += [RowProblem(f"A{number}", "heading_missing", {"column": code}) for code in missing]
    if problems:
        raise LedgerRefused(problems)
    return columns
