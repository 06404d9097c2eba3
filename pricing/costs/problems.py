"""What is wrong with a cost ledger file: one list, each entry with its cell, the rule, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pricing.costs.words import COLUMNS
from products.record.refusals import Refused

MOST_SHOWN = 1_000
TEXTS: dict[str, str | Promise] = {
    "unreadable": _("The file cannot be read. Save it anew from the template as .xlsx without macros, or as CSV."),
    "not_text": _("The CSV is neither UTF-8 nor GB18030. Save it as “CSV UTF-8”."),
    "unpacks_too_far": _("The file unpacks to more than a ledger needs. Copy the rows into a fresh template."),
    "sheet_missing": _("The workbook has no sheet “%(sheet)s”. Fill in the sheet of that name in the template."),
    "sheet_hidden": _("The sheet “%(sheet)s” is hidden. Show it, so that the file says what people see."),
    "no_rows": _("The file has no cost rows under its headings. Example rows do not count."),
    "too_many_rows": _("A ledger has at most %(most)s rows. Sum up small vouchers of one item."),
    "outside_columns": _("There is content outside the columns of the template. It is not read: remove it."),
    "unknown_heading": _("The heading “%(value)s” is not known. Use the headings of the template; remove other columns."),
    "heading_twice": _("The heading “%(value)s” stands here a second time. Keep one."),
    "heading_missing": _("The column “%(column)s” is missing. Use the headings of the template."),
    "merged": _("Merged cells leave rows without content. Undo the merging and fill in every row."),
    "formula": _("A formula: its value may change after filing. Paste it as a value."),
    "error_value": _("The cell shows an error (%(value)s). Put the value itself here."),
    "missing": _("This is empty. Every row needs item, nature, business line, funding source, year, amount and evidence."),
    "too_long": _("At most %(most)s characters."),
    "bad_characters": _("There are control characters in this text. Type it anew."),
    "unknown_nature": _("“%(value)s” is no nature of cost. Choose from the list of the template."),
    "unknown_funding": _("“%(value)s” is no source of funding. Choose from the list of the template."),
    "unknown_product": _("“%(value)s”: you have no product with this code. Use public_data, or public_data.<product code>."),
    "not_year": _("“%(value)s” is no year. Write four digits, for example 2025."),
    "wrong_year": _("This row is of %(value)s, the filing of %(year)s. File each accounting year by itself."),
    "not_number": _("“%(value)s” is no amount. Write yuan in digits, for example 12345.67, without units or words."),
    "decimals": _("“%(value)s” has more than two decimals. Round it to the fen."),
    "not_positive": _("An amount is above zero. Leave the row out, or net a refund with its cost."),
    "absurd": _("More than %(most)s yuan in one row. Check the unit: amounts are in yuan, not in fen."),
    "no_allocation": _("A shared cost needs an allocation rule. Name one of your rules, or a single business line."),
    "allocation_of_one_line": _("An allocation rule is for shared costs. Make the business line “shared”, or remove the rule."),
    "unknown_allocation": _("“%(value)s” is none of your allocation rules. Make the rule first; a version is written code v2."),
    "duplicate": _("The same as row %(row)s. Remove it, or tell the two apart by item or evidence."),
    "more": _("There are more problems than these %(most)s. Correct them and upload again to see the rest."),
}


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong: the cell (``B7``; empty for the whole file), the rule's stable code, and the values of its sentence."""

    cell: str
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence in the reader's language."""
        values = dict(self.values)
        if "column" in values:
            values["column"] = COLUMNS[values["column"]][0]
        return str(TEXTS[self.code]) % values if values else str(TEXTS[self.code])


class LedgerRefused(Refused):
    """The file cannot be filed; ``problems`` lists all that is wrong. Nothing of it is kept."""

    code = "cost_ledger_refused"

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        found = list(problems)
        if len(found) > MOST_SHOWN:
            found = [*found[:MOST_SHOWN], RowProblem("", "more", {"most": MOST_SHOWN})]
        self.problems = tuple(found)
        message = _("%(count)s cells or rows must be corrected first. Nothing was kept.") % {"count": len(problems)}
        super().__init__(message, field="file")
