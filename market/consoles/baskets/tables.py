"""A set of caps as the pages show it: rows with what each way proposes, changes against today, totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.http import QueryDict

from pricing.models import PermittedRevenue
from pricing.revenue.basket_rows import BasketRow
from pricing.revenue.basket_sources import Proposal, proposals
from pricing.revenue.cap_reports import basis_text
from pricing.revenue.cap_tests import Tested
from products.models import DataProduct

INPUTS = ("expected", "capacity", "cost_share", "elasticity", "cap")
MOST_TYPED = 100  # rows that a form takes; larger sets go by file
MOST_COMPARED = 3000


@dataclass(frozen=True)
class Offer:
    """What a way proposes for a row, and by how many per cent that differs from the cap in force (None: none is)."""

    cap: str
    change: str


@dataclass(frozen=True)
class ShownRow:
    """A row for people: ``wrong`` has what is wrong with it by field."""

    number: int
    row: BasketRow
    product: DataProduct | None
    basis: str
    offers: tuple[Offer, ...]
    has_floor: bool
    change: str
    net: str
    wrong: Mapping[str, str]

    @property
    def place(self) -> str:
        return "|".join(self.row.place)


def typed_rows(post: QueryDict) -> list[dict[str, str]]:
    """The rows of the form: ``place`` names each, the numbers stand beside it."""
    found = []
    for index, place in enumerate(post.getlist("place")):
        names = dict(zip(("product", "purpose_class", "basis", "flat_period"), [*place.split("|"), "", "", ""], strict=False))
        found.append(names | {name: post.get(f"{name}-{index}", "") for name in INPUTS})
    return found


def merged_rows(rows: Sequence[Mapping[str, str]], post: QueryDict) -> list[dict[str, str]]:
    """A set's rows with the caps of the page that was sent; the other pages stay as they are."""
    typed = {_place(row): row["cap"] for row in typed_rows(post)}
    return [{**row, "cap": typed.get(_place(row), row["cap"])} for row in rows]


def _place(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("product", "purpose_class", "basis", "flat_period"))


def as_typed(rows: Sequence[Mapping[str, str]]) -> list[BasketRow]:
    """What was typed as rows, right or wrong, so that a refused form shows it again."""
    names = ("product", "purpose_class", "basis", "flat_period", *INPUTS)
    return [BasketRow(**{name: str(row.get(name, "")) for name in names}) for row in rows]


def compared(*, permitted: PermittedRevenue, rows: Sequence[BasketRow], start: date) -> list[Proposal]:
    """The three ways for rows that have volumes; none for a set too large to work out on every look."""
    if len(rows) > MOST_COMPARED or not rows:
        return []
    return proposals(permitted=permitted, rows=rows, start=start)


def shown(
    rows: Sequence[BasketRow],
    *,
    first: int = 0,
    found: Sequence[Proposal] = (),
    test: Mapping[str, Any] | None = None,
    wrong: Mapping[int, Mapping[str, str]] | None = None,
    last: int | None = None,
) -> list[ShownRow]:
    """The rows from ``first`` to ``last`` (exclusive) as the table has them."""
    part = rows[first:last]
    products = {p.code: p for p in DataProduct.objects.filter(code__in={row.product for row in part})}
    tested = {(t["product"], t["basis"], t["period"], *t["classes"]): t for t in (test or {}).get("rows", ()) if t["new"]}
    return [_shown(number, row, products.get(row.product), found, tested, wrong or {}) for number, row in enumerate(part, first)]


def _shown(
    number: int,
    row: BasketRow,
    product: DataProduct | None,
    found: Sequence[Proposal],
    tested: Mapping[tuple[str, ...], Mapping[str, Any]],
    wrong: Mapping[int, Mapping[str, str]],
) -> ShownRow:
    line = tested.get((row.product, row.basis, row.flat_period, row.purpose_class), {})
    offers = tuple(Offer(p.rows[number].cap, change(row.before, p.rows[number].cap)) if p.rows else Offer("", "") for p in found)
    basis = basis_text(row.basis, row.flat_period) if row.basis else ""
    return ShownRow(
        number,
        row,
        product,
        basis,
        offers,
        bool(line.get("floor")),
        change(row.before, row.cap),
        line.get("net", ""),
        wrong.get(number, {}),
    )


def change(before: str, after: str) -> str:
    """Per cent with one decimal and its sign: +12.5; empty where there is nothing to compare."""
    if not before or not after or not Decimal(before):
        return ""
    percent = (Decimal(after) / Decimal(before) - 1) * 100
    return f"{percent.quantize(Decimal('0.1'), ROUND_HALF_UP):+}"


def totals(test: Tested) -> dict[str, str]:
    """The sums of a proposal as the kept test has them, without its rows."""
    result = test.result
    facts = test.facts(at=test.permitted.drafted_at, products=())
    room = result.frame.permitted_minor - result.net_minor
    return facts | {"room": f"{Decimal(max(room, 0)) / 100:.2f}"}
