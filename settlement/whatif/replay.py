"""A history replayed under a draft, through the same engine that rated it: exact, as if nobody had used more or less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from pricing.rules import Component, Flat
from pricing.rules import Tariff as Terms
from pricing.simulation import Book, Layout, Ratings, Rows, compile_book, rate
from pricing.simulation.book import ints
from pricing.tariffs.price_list import UNIT_WORDS
from products.models import Organisation
from products.record.refusals import Refused
from settlement.whatif.columns import distinct
from settlement.whatif.drafts import REASON, Draft, terms_under
from settlement.whatif.history import NOTHING, History

SPAN_WORDS = {"month": UNIT_WORDS["month"], "year": UNIT_WORDS["year"], "term": _("whole term")}


class UsageWithoutPrice(Refused):
    """The drafted tariff has no component for something that was used."""

    code = "what_if_usage_without_price"


class CounterChanged(Refused):
    """The drafted tariff counts over another span than the history knows."""

    code = "what_if_counter_changed"


@dataclass(frozen=True, slots=True)
class Replay:
    """The ratings of every row under the draft. ``waived`` is what a free quota took off a charged row, with tax, in fen."""

    draft: Draft
    book: Book
    rows: Rows
    ratings: Ratings
    waived: NDArray[Any]
    became_free: int
    stayed_charged: int
    documents: dict[int, dict[str, Any]]

    @property
    def free_value(self) -> NDArray[Any]:
        """What is used without charge would have cost, by row."""
        return self.ratings.free_value + self.waived


def replay(*, history: History, draft: Draft, on: date) -> Replay:
    """The history under a draft; caps in force are those ``on``.

    Raises the refusals of drafts.py, UsageWithoutPrice, CounterChanged.
    """
    terms, documents = [], {}
    for number, tariff in enumerate(history.tariffs):
        if tariff is None:
            terms.append(NOTHING)
            continue
        drafted, document = terms_under(draft, tariff, on=on)
        terms.append(drafted)
        if document != tariff.document:
            documents[number] = document
    book = compile_book(terms)
    rows = _with_components(history, terms, book)
    rows, became, stayed = _with_free_purposes(rows, history, draft)
    rows = _with_discount(rows, history, draft)
    layout = Layout.of(book, rows.tariff)
    ratings = rate(book, rows, layout)
    waived: NDArray[Any] = np.zeros(len(rows), np.int64)
    if draft.quota_micro:
        without = ratings
        rows = _with_quota(rows, book, layout, draft)
        ratings = rate(book, rows, layout)
        waived = without.total - ratings.total
    return Replay(draft, book, rows, ratings, waived, became, stayed, documents)


# --- components -----------------------------------------------------------------------------------------------------------------


def _with_components(history: History, terms: list[Terms], book: Book) -> Rows:
    """The rows with the units of each new component: those of its code, else of the one old component of its basis."""
    pairs = [(old, new, _sources(old.components, new.components)) for old, new in zip(history.book.tariffs, terms, strict=True)]
    if all(list(sources) == list(range(len(old.components))) for old, _new, sources in pairs):
        return history.rows
    _refuse_lost_units(history, pairs)
    offsets = ints([source for _old, _new, sources in pairs for source in sources])
    layout = Layout.of(book, history.rows.tariff)
    source = offsets[layout.component]
    line = history.layout.first[layout.row] + np.maximum(source, 0)
    line = np.minimum(line, max(len(history.rows.units) - 1, 0))
    return replace(
        history.rows,
        units=np.where(source >= 0, history.rows.units[line], 0),
        before=np.where(source >= 0, history.rows.before[line], 0),
    )


def _sources(old: tuple[Component, ...], new: tuple[Component, ...]) -> list[int]:
    """For each new component the place of the old one whose units it prices; −1: none."""
    by_code = {component.code: place for place, component in enumerate(old) if not isinstance(component.price, Flat)}
    wanted = {component.code for component in new}
    found = []
    for place, component in enumerate(new):
        if isinstance(component.price, Flat):
            found.append(place if place < len(old) and isinstance(old[place].price, Flat) else -1)
            continue
        source = by_code.get(component.code)
        if source is None:
            alike = [p for code, p in by_code.items() if old[p].basis == component.basis and code not in wanted]
            source = alike[0] if len(alike) == 1 else -1
        if source >= 0 and old[source].counts_over != component.counts_over:
            raise CounterChanged(
                _("Component “%(code)s” counted over a %(old)s and would count over a %(new)s; the history has no such counters.")
                % {"code": component.code, "old": SPAN_WORDS[old[source].counts_over], "new": SPAN_WORDS[component.counts_over]},
                field="document",
            )
        found.append(source)
    return found


def _refuse_lost_units(history: History, pairs: list[tuple[Terms, Terms, list[int]]]) -> None:
    """Used units must be priced by some component of the draft, at 0.00 if they are to be free."""
    for number, (old, _new, sources) in enumerate(pairs):
        for place, component in enumerate(old.components):
            if isinstance(component.price, Flat) or place in sources:
                continue
            lines = history.layout.component == int(history.book.first[number]) + place
            if (history.rows.units[lines] > 0).any():
                tariff = history.tariffs[number]
                raise UsageWithoutPrice(
                    _("Plan “%(plan)s” was used by %(code)s, and the drafted tariff has no price for it.")
                    % {"plan": tariff.plan.name if tariff else "", "code": component.code},
                    field="document",
                )


# --- free use and discounts -----------------------------------------------------------------------------------------------------


def covers(purpose: str, code: str) -> bool:
    """A right to a code covers the code and what is below it, never a sibling."""
    return purpose == code or purpose.startswith(f"{code}.")


def _with_free_purposes(rows: Rows, history: History, draft: Draft) -> tuple[Rows, int, int]:
    """(rows, entitlements that become free, those that stay charged because they hold other purposes too)."""
    if not draft.free_purposes:
        return rows, 0, 0
    reached, mixed = {}, {}
    for purposes in set(history.purposes):
        inside = [any(covers(purpose, code) for code in draft.free_purposes) for purpose in purposes]
        reached[purposes], mixed[purposes] = bool(inside) and all(inside), any(inside) and not all(inside)
    charged = ~rows.is_free
    becomes = np.array([reached[purposes] for purposes in history.purposes], dtype=bool) & charged
    stays = np.array([mixed[purposes] for purposes in history.purposes], dtype=bool) & charged
    became, stayed = (len(distinct(history.entitlement[each])[0]) for each in (becomes, stays))
    return replace(rows, is_free=rows.is_free | becomes), became, stayed


def _with_discount(rows: Rows, history: History, draft: Draft) -> Rows:
    """The drafted discount's reason added to the rows of the buyers that it reaches."""
    if not draft.discount_micro:
        return rows
    reached = np.ones(len(rows), dtype=bool)
    if draft.discount_sizes:
        buyers = Organisation.objects.filter(pk__in=distinct(history.buyer)[0].tolist(), size__in=draft.discount_sizes)
        reached = np.isin(history.buyer, list(buyers.values_list("pk", flat=True)))
    sets = (*rows.reason_sets, *(reasons | {REASON} for reasons in rows.reason_sets))
    return replace(rows, reasons=rows.reasons + np.where(reached, len(rows.reason_sets), 0), reason_sets=sets)


def _with_quota(rows: Rows, book: Book, layout: Layout, draft: Draft) -> Rows:
    """The first units of a month free, for each entitlement: taken off what counts, so that they move no tier."""
    chosen = np.array([c.basis == draft.quota_basis and not isinstance(c.price, Flat) for c in book.components], dtype=bool)
    longer = [c for c, is_chosen in zip(book.components, chosen, strict=True) if is_chosen and c.counts_over != "month"]
    if longer:
        raise CounterChanged(
            _("“%(code)s” counts over a %(span)s; a free quota a month cannot be taken off it.")
            % {"code": longer[0].code, "span": SPAN_WORDS[longer[0].counts_over]},
            field="quota_units",
        )
    lines = chosen[layout.component] & ~rows.is_free[layout.row]
    before: Any = np.maximum(rows.before - draft.quota_micro, 0)
    after: Any = np.maximum(rows.before + rows.units - draft.quota_micro, 0)
    return replace(rows, before=np.where(lines, before, rows.before), units=np.where(lines, after - before, rows.units))
