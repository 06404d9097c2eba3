"""Reads a cost ledger row by row and collects everything that is wrong with it. No database: what is known is passed in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pricing.costs import sheets
from pricing.costs.problems import LedgerRefused, RowProblem
from pricing.costs.rules import MOST_MINOR, PUBLIC_DATA, SHARED
from pricing.costs.sheets import Cell
from pricing.costs.words import FUNDING_OF, LINE_OF, NATURE_OF, is_example, plain
from pricing.rules.exact import scaled, yuan

R = TypeVar("R")
AMOUNT = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
YEAR = re.compile(r"([0-9]{4})(?:\.0)?年?")
LENGTHS = {"item": 200, "business_line": 60, "voucher": 200, "allocation": 60}


@dataclass(frozen=True)
class Row(Generic[R]):
    """A row that can be filed; ``allocation`` is the rule version that the caller passed in, None for a row of one line."""

    row: int
    item: str
    nature: str
    business_line: str
    funding: str
    amount_minor: int
    voucher: str
    allocation: R | None = None


@dataclass(frozen=True)
class Ledger(Generic[R]):
    rows: tuple[Row[R], ...]
    examples: int


def read(*, file_name: str, content: bytes, year: int, products: frozenset[str], allocations: Mapping[str, R]) -> Ledger[R]:
    """The rows of a ledger file of a year.

    ``products`` are the codes that may stand after ``public_data.``; ``allocations`` maps ``code`` (its newest version) and
    ``code v2`` to whatever the caller wants back. Raises LedgerRefused with all problems; a file with one bad row gives no rows.
    """
    sheet = sheets.read(file_name=file_name, content=content)
    reader = _Reader(year, products, {plain(code): rule for code, rule in allocations.items()})
    rows: list[Row[R]] = []
    examples = 0
    for number, cells in sheet.rows:
        if is_example(cells["item"].text):
            examples += 1
        elif (row := reader.row(number, cells)) is not None:
            rows.append(row)
    problems = reader.problems
    if problems and sheet.merged:
        problems = [*(RowProblem(address, "merged") for address in sheet.merged), *problems]
    if not problems and not rows:
        problems = [RowProblem("", "no_rows")]
    if problems:
        raise LedgerRefused(problems)
    return Ledger(tuple(rows), examples)


class _Reader(Generic[R]):
    """One pass over the rows. Each reader of a cell gives the value, or notes a problem and gives None."""

    def __init__(self, year: int, products: frozenset[str], allocations: Mapping[str, R]) -> None:
        self.year, self.products, self.allocations = year, products, allocations
        self.problems: list[RowProblem] = []
        self.seen: dict[tuple[object, ...], int] = {}

    def row(self, number: int, cells: Mapping[str, Cell]) -> Row[R] | None:
        before = len(self.problems)
        item = self.text(cells["item"], "item")
        nature = self.known(cells["nature"], NATURE_OF, "unknown_nature")
        line = self.line(cells["business_line"])
        funding = self.known(cells["funding"], FUNDING_OF, "unknown_funding")
        self.check_year(cells["year"])
        amount = self.amount(cells["amount"])
        chosen = cells.get("allocation", Cell("", "", "empty"))
        allocation = self.allocation(chosen, line, cells["business_line"])
        voucher = self.text(cells["voucher"], "voucher")
        if len(self.problems) > before:
            return None
        key = (item, nature, line, funding, amount, plain(chosen.text), voucher)
        first = self.seen.setdefault(key, number)
        if first != number:
            self.note(cells["item"], "duplicate", row=first)
            return None
        assert amount is not None
        return Row(number, item, nature, line, funding, amount, voucher, allocation)

    def note(self, cell: Cell, code: str, **values: object) -> None:
        self.problems.append(RowProblem(cell.address, code, values))

    def content(self, cell: Cell) -> str | None:
        """The cell's text; None, with the problem noted, where it is empty, a formula or an error."""
        if cell.kind == "empty" or not cell.text:
            self.note(cell, "missing")
        elif cell.kind == "formula":
            self.note(cell, "formula")
        elif cell.kind == "error":
            self.note(cell, "error_value", value=cell.text[:20])
        else:
            return cell.text
        return None

    def text(self, cell: Cell, column: str) -> str:
        text = self.content(cell)
        if text is None:
            return ""
        if len(text) > LENGTHS[column]:
            self.note(cell, "too_long", most=LENGTHS[column])
        elif any(unicodedata.category(sign)[0] == "C" for sign in text):
            self.note(cell, "bad_characters")
        return text

    def known(self, cell: Cell, words: Mapping[str, str], problem: str) -> str:
        text = self.content(cell)
        if text is None:
            return ""
        found = words.get(plain(text), "")
        if not found:
            self.note(cell, problem, value=text[:40])
        return found

    def line(self, cell: Cell) -> str:
        """The business line: ours, a product's under it, ``shared``, or whatever the operator calls another business."""
        text = self.text(cell, "business_line")
        code = LINE_OF.get(plain(text), "")
        if code or not text:
            return code
        head, point, product = plain(text).partition(".")
        if point and LINE_OF.get(head) == PUBLIC_DATA:
            if product not in self.products:
                self.note(cell, "unknown_product", value=text[:60])
            return f"{PUBLIC_DATA}.{product}"
        return text

    def check_year(self, cell: Cell) -> None:
        text = self.content(cell)
        if text is None:
            return
        found = YEAR.fullmatch(plain(text)) if cell.kind != "date" else None
        if found is None:
            self.note(cell, "not_year", value=text[:20])
        elif int(found[1]) != self.year:
            self.note(cell, "wrong_year", value=found[1], year=self.year)

    def amount(self, cell: Cell) -> int | None:
        text = self.content(cell)
        if text is None:
            return None
        digits = plain(text).removeprefix("¥").removeprefix("￥")
        if cell.kind == "date" or not AMOUNT.fullmatch(digits):
            self.note(cell, "not_number", value=text[:40])
            return None
        return self.in_bounds(cell, digits.replace(",", ""))

    def in_bounds(self, cell: Cell, digits: str) -> int | None:
        whole, _point, decimals = digits.partition(".")
        if decimals.rstrip("0")[2:]:
            self.note(cell, "decimals", value=digits[:40])
        elif digits.startswith("-") or not int(whole + decimals):
            self.note(cell, "not_positive")
        elif len(whole) > 18 or scaled(f"{whole}.{decimals[:2]}", 2) > MOST_MINOR:
            self.note(cell, "absurd", most=yuan(MOST_MINOR))
        else:
            return scaled(f"{whole}.{decimals[:2]}", 2)
        return None

    def allocation(self, cell: Cell, line: str, line_cell: Cell) -> R | None:
        if cell.kind in ("formula", "error"):
            self.content(cell)
            return None
        if not cell.text:
            if line == SHARED:
                self.note(cell if cell.address else line_cell, "no_allocation")
            return None
        found = self.allocations.get(plain(cell.text))
        if found is None:
            self.note(cell, "unknown_allocation", value=cell.text[:60])
        elif line and line != SHARED:
            self.note(cell, "allocation_of_one_line")
        return found
