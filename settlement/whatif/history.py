"""Real history as arrays: what every entitlement used in a month, from the stored inputs of its charges.

A charge keeps the usage document that was rated. Where late use was billed afterwards, the last document has all of it, and the
charges of that part of the month add up to what it costs; so one row here is one entitlement × month of use × part of the month.
Replaying the tariffs in force must give the charges: ``History.mismatches`` names what does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from django.db import connection
from django.utils.translation import gettext_lazy as _

from pricing.documents import parse_tariff
from pricing.rules import Tariff as Terms
from pricing.rules.exact import scaled, yuan
from pricing.rules.terms import Tax
from pricing.simulation import Book, Layout, Ratings, Rows, compile_book, rate
from pricing.simulation.book import Ints
from pricing.simulation.rows import day_number, quantities
from pricing.tariffs.models import Tariff
from products.record.clock import business_date
from products.record.refusals import Refused
from settlement.billing.models import BillingMonth, Charge
from settlement.billing.rating import drafts
from settlement.billing.rules import with_stops
from settlement.billing.usage import gather
from settlement.entitlements.models import Entitlement
from settlement.sql import query
from settlement.whatif.scope import NothingToReplay, Scope

MOST_ROWS = 200_000
NOTHING = Terms((), Tax(0, True))  # the use of a product that is free for all: counted, worth nothing
AMOUNTS = ("total", "net", "vat", "free_value")


class MonthNotClosed(Refused):
    code = "what_if_month_not_closed"


class TooMuchHistory(Refused):
    code = "what_if_too_much_history"


@dataclass(slots=True)
class Part:
    """One entitlement, month of use and part of the month, as it was billed; amounts in fen."""

    entitlement: int
    month: date
    tariff: int | None
    start: date
    buyer: int
    operator: int
    product: int
    code: str
    purposes: tuple[str, ...]
    usage: dict[str, Any]
    amounts: list[int]
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A part whose replay is not what was charged: its entitlement, month, and both amounts in yuan."""

    entitlement: str
    month: str
    name: str
    charged: str
    replayed: str


@dataclass(slots=True)
class History:
    """Rows with their tariffs as they were, what was charged, and who used it. Arrays are one entry a row."""

    scope: Scope
    tariffs: list[Tariff | None]
    book: Book
    rows: Rows
    layout: Layout
    charged: dict[str, Ints]
    month: Ints
    buyer: Ints
    operator: Ints
    product: Ints
    entitlement: Ints
    is_running: Any
    codes: list[str]
    purposes: list[tuple[str, ...]]
    ratings: Ratings = field(init=False)

    def __post_init__(self) -> None:
        self.ratings = rate(self.book, self.rows, self.layout)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def months(self) -> list[date]:
        return self.scope.months()

    def digest(self) -> str:
        """SHA-256 over everything that the replay starts from: the same again gives the same results."""
        found = hashlib.sha256()
        for tariff in self.tariffs:
            found.update((tariff.digest if tariff else "-").encode())
        rows = self.rows
        for column in (rows.tariff, rows.units, rows.before, rows.start, rows.end, rows.anchor, rows.reasons, rows.is_free):
            found.update(repr(column.tolist()).encode() if column.dtype == object else column.tobytes())
        for column in (self.month, self.buyer, self.product, self.entitlement):
            found.update(column.tobytes())
        found.update(repr(rows.reason_sets and [sorted(reasons) for reasons in rows.reason_sets]).encode())
        return found.hexdigest()

    def mismatches(self) -> list[Mismatch]:
        """Every row whose replay under the tariff that was in force differs from what was charged; empty: exact."""
        found = []
        for name in AMOUNTS:
            replayed = getattr(self.ratings, name)
            for row in np.flatnonzero(replayed != self.charged[name]).tolist():
                month = self.months[int(self.month[row])]
                amounts = yuan(int(self.charged[name][row])), yuan(int(replayed[row]))
                found.append(Mismatch(self.codes[row], f"{month:%Y-%m}", name, *amounts))
        return found


# --- loading --------------------------------------------------------------------------------------------------------------------


def load(*, scope: Scope, at: datetime, most: int = MOST_ROWS) -> History:
    """The history of a scope. Raises MonthNotClosed, TooMuchHistory, NothingToReplay.

    Running months are rated as they stand, as if they were closed now.
    """
    products = scope.products()
    if not products:
        raise NothingToReplay(_("There is no product here yet."), field="operator")
    running = _check_months(scope, business_date(at))
    count = Charge.objects.filter(
        entitlement__product__in=products, service_month__gte=scope.from_month, service_month__lt=scope.to_month
    ).count()
    if count > most:
        raise TooMuchHistory(
            _("These months hold %(count)s charges; the bench takes at most %(most)s at once. Choose fewer months.")
            % {"count": f"{count:,}", "most": f"{most:,}"},
            field="from_month",
        )
    parts = _merged([*_charged(scope, list(products)), *_running(scope, running, set(products))])
    if not parts:
        raise NothingToReplay(_("Nothing was used and nothing was charged in these months."), field="from_month")
    return build(scope, parts)


def _check_months(scope: Scope, today: date) -> list[date]:
    """The months that are not closed, where the scope wants them."""
    states = dict(BillingMonth.objects.filter(month__in=scope.months()).values_list("month", "state"))
    first = BillingMonth.objects.order_by("month").values_list("month", flat=True).first()
    before = [m for m in scope.months() if first is None or m < first]
    open_ = [m for m in scope.months() if m not in before and states.get(m) != BillingMonth.State.CLOSED]
    later = [month for month in open_ if month > today]
    if later or (open_ and not scope.with_running) or len(before) == len(scope.months()):
        wrong = (later or open_ or before)[0]
        raise MonthNotClosed(
            _("%(month)s is not closed. Choose closed months, or let running ones count as they stand.")
            % {"month": f"{wrong:%Y-%m}"},
            field="to_month",
        )
    return open_


def _charged(scope: Scope, products: Sequence[int]) -> Iterator[Part]:
    with connection.cursor() as cursor:
        cursor.execute(
            query("what_if_charges"), {"products": products, "from_month": scope.from_month, "to_month": scope.to_month}
        )
        for row in cursor:
            entitlement, month, tariff, start, buyer, operator, product, code, purposes, usage, *amounts = row
            document = usage if isinstance(usage, dict) else json.loads(usage)
            fen = [int(amount.scaleb(2)) for amount in amounts]
            yield Part(entitlement, month, tariff, start, buyer, operator, product, code, tuple(purposes), document, fen)


def _running(scope: Scope, months: Sequence[date], products: set[int]) -> Iterator[Part]:
    """What the months that are not closed hold so far, as the close would rate it now."""
    for month in months:
        works, book = gather(month, sorted(products))
        purposes = dict(Entitlement.objects.filter(pk__in={work.holder.id for work in works}).values_list("pk", "purposes"))
        for draft in drafts(works, book, month):
            holder, rated = draft.holder, draft.rating.rated
            if not scope.from_month <= draft.service_month < scope.to_month:
                continue
            yield Part(
                holder.id,
                draft.service_month,
                draft.version.id if draft.version else None,
                draft.rating.segment.start,
                holder.organisation_id,
                holder.operator_id,
                holder.product_id,
                holder.code,
                tuple(purposes[holder.id]),
                draft.rating.usage,
                [getattr(rated, f"{name}_minor") for name in AMOUNTS],
                is_running=True,
            )


def _merged(parts: Iterable[Part]) -> list[Part]:
    """One part for what was billed on time and late: the last document has all of the use, the amounts add up."""
    found: dict[tuple[int, date, int, date], Part] = {}
    for part in parts:
        part.usage = part.usage.get("all", part.usage)
        key = (part.entitlement, part.month, part.tariff or 0, part.start)
        known = found.setdefault(key, part)
        if known is not part:
            known.usage = part.usage
            known.amounts = [old + new for old, new in zip(known.amounts, part.amounts, strict=True)]
            known.is_running = part.is_running
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1], key[3], key[2]))]


# --- arrays ---------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _micro(text: str) -> int:
    return scaled(text, 6)


@lru_cache(maxsize=8192)
def _day(text: str | None) -> int:
    return day_number(date.fromisoformat(text)) if text else 0


def build(scope: Scope, parts: Sequence[Part]) -> History:
    """The arrays of parts that are sorted by entitlement, month and start."""
    ids = list(dict.fromkeys(part.tariff for part in parts))
    stored = Tariff.objects.select_related("plan__product").in_bulk([number for number in ids if number is not None])
    tariffs = [stored[number] if number is not None else None for number in ids]
    terms = [with_stops(parse_tariff(tariff.document)) if tariff else NOTHING for tariff in tariffs]
    place = {number: index for index, number in enumerate(ids)}
    codes = [[component.code for component in each.components] for each in terms]
    tariff = np.array([place[part.tariff] for part in parts], dtype=np.int64)
    reasons = {reason: number for number, reason in enumerate(dict.fromkeys(tuple(p.usage["discounts"]) for p in parts))}
    lines = [(part.usage, code) for part in parts for code in codes[place[part.tariff]]]
    group, rank = _groups(parts)
    rows = Rows(
        tariff=tariff,
        units=quantities([_micro(usage["units"].get(code, "0")) for usage, code in lines]),
        before=quantities([_micro(usage["before"].get(code, "0")) for usage, code in lines]),
        start=_array(_day(part.usage["from"]) for part in parts),
        end=_array(_day(part.usage["to"]) for part in parts),
        anchor=_array(_day(part.usage["anchor"] or part.usage["from"]) for part in parts),
        reasons=_array(reasons[tuple(part.usage["discounts"])] for part in parts),
        reason_sets=tuple(frozenset(each) for each in reasons),
        is_free=np.array([part.usage["free"] for part in parts], dtype=bool),
        group=group,
        rank=rank,
    )
    months = {month: number for number, month in enumerate(scope.months())}
    book = compile_book(terms)
    return History(
        scope=scope,
        tariffs=tariffs,
        book=book,
        rows=rows,
        layout=Layout.of(book, tariff),
        charged={name: quantities_signed([part.amounts[n] for part in parts]) for n, name in enumerate(AMOUNTS)},
        month=_array(months[part.month] for part in parts),
        buyer=_array(part.buyer for part in parts),
        operator=_array(part.operator for part in parts),
        product=_array(part.product for part in parts),
        entitlement=_array(part.entitlement for part in parts),
        is_running=np.array([part.is_running for part in parts], dtype=bool),
        codes=[part.code for part in parts],
        purposes=[part.purposes for part in parts],
    )


def _array(numbers: Iterable[int]) -> Ints:
    return np.fromiter(numbers, dtype=np.int64)


def quantities_signed(numbers: Sequence[int]) -> Any:
    """int64, or Python integers where an amount is beyond it."""
    return np.array(numbers, dtype=np.int64 if max(map(abs, numbers), default=0) < 2**62 else object)


def _groups(parts: Sequence[Part]) -> tuple[Ints, Ints]:
    """(group, rank): the parts of one month of one entitlement, in order of time."""
    group, rank = np.zeros(len(parts), np.int64), np.zeros(len(parts), np.int64)
    last: tuple[int, date] | None = None
    number, place = -1, 0
    for row, part in enumerate(parts):
        key = (part.entitlement, part.month)
        number, place = (number, place + 1) if key == last else (number + 1, 0)
        last, group[row], rank[row] = key, number, place
    return group, rank
