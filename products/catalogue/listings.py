"""Listings as data exchanges publish them, a CSV row each: what such a row says, or why it is skipped. Pure.

Columns: ``title``, ``provider``, ``description``, ``category``, ``price_mode``, ``price`` are needed; ``platform``, ``currency``
and ``update_frequency`` are used where they are there; others are ignored. Some exchanges do not say who provides: ``provider``
may be empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused

NEEDED = ("title", "provider", "description", "category", "price_mode", "price")
PRICE_MODES = ("free", "negotiation", "one-off", "subscription", "usage-based")
YUAN = ("", "RMB", "CNY")
LONGEST_TITLE = 200


class ListingsUnreadable(Refused):
    """The file is not a CSV of listings at all."""

    code = "listings_unreadable"


@dataclass(frozen=True, slots=True)
class ForeignListing:
    """A listing of another market. ``price`` is in yuan, None where it is not stated (0 in the file)."""

    line: int
    platform: str
    title: str
    provider: str
    description: str
    category: str
    price_mode: str
    price: Decimal | None
    update_frequency: str

    @property
    def code(self) -> str:
        """The same listing has the same code in every import: a digest of platform, title and provider."""
        named = "\n".join((self.platform, self.title, self.provider))
        return "import-" + sha256(named.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was left out: the line on which it begins, and why."""

    line: int
    reason: str | Promise

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


def read_listings(lines: Iterable[str]) -> Iterator[ForeignListing | Skipped]:
    """Each row of the file in its order. Raises ``ListingsUnreadable`` where a needed column is missing."""
    reader = csv.DictReader(lines, strict=True)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise ListingsUnreadable(_("The file has no column %(names)s.") % {"names": ", ".join(missing)})
    seen: dict[str, int] = {}
    begins = reader.line_num + 1
    try:
        for row in reader:
            found = _listing(row, begins)
            if isinstance(found, ForeignListing) and (first := seen.setdefault(found.code, begins)) != begins:
                found = Skipped(begins, _("the same platform, title and provider as line %(line)s") % {"line": first})
            yield found
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ListingsUnreadable(_("Line %(line)s is not CSV: %(why)s.") % {"line": begins, "why": error}) from error


def _listing(row: dict[str, str | None], line: int) -> ForeignListing | Skipped:
    if None in row.values() or None in row:
        return Skipped(line, _("not as many cells as the file has columns"))
    text = {name: (value or "").strip() for name, value in row.items()}
    price = _yuan(text["price"])
    for is_wrong, reason in (
        (not text["title"], _("no title")),
        (len(text["title"]) > LONGEST_TITLE, _("the title is longer than %(count)s characters") % {"count": LONGEST_TITLE}),
        (text["price_mode"] not in PRICE_MODES, _("unknown price mode %(mode)s") % {"mode": text["price_mode"]}),
        (price is None, _("the price %(price)s is not an amount") % {"price": text["price"]}),
        (text.get("currency", "") not in YUAN, _("the price is not in yuan")),
    ):
        if is_wrong:
            return Skipped(line, reason)
    return ForeignListing(
        line=line,
        platform=text.get("platform", ""),
        title=text["title"],
        provider=text["provider"],
        description=text["description"],
        category=text["category"],
        price_mode=text["price_mode"],
        price=price or None,
        update_frequency=text.get("update_frequency", "")[:20],
    )


def _yuan(text: str) -> Decimal | None:
    try:
        price = Decimal(text or "0")
    except InvalidOperation:
        return None
    return price if price.is_finite() and price >= 0 else None
