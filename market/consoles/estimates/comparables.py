"""Comparable prices: what lies outside its band first; for each product the nearest others and why they are near."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from market.consoles.estimates.csv_answer import csv_answer
from market.consoles.estimates.scope import for_console, products_of
from market.consoles.estimates.words import FEATURES, PLACES, feature_value, unit_of
from pricing.estimation.comparables import LEAST_PRICED, Expected, Market, Near
from pricing.tariffs.price_list import BASIS_WORDS
from products.catalogue.models import DataProduct
from products.record import clock
from settlement.oversight.comparables import Price, Prices, prices_in_force

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """A price with its band; None where its basis has too few prices to compare."""

    price: Price
    expected: Expected | None

    @property
    def unit(self) -> str | Promise:
        return unit_of(self.price)

    @property
    def basis(self) -> str | Promise:
        return BASIS_WORDS[self.price.basis]

    @property
    def tone(self) -> str:
        return PLACES[self.expected.place][0] if self.expected else ""

    @property
    def place(self) -> str | Promise:
        return PLACES[self.expected.place][1] if self.expected else ""

    @property
    def off(self) -> float:
        return self.expected.off if self.expected else 0.0

    @property
    def beyond(self) -> str:
        """How far outside its band, in per cent of the edge."""
        return f"{100 * (self.off - 1):,.0f}"


@dataclass(frozen=True)
class Cell:
    """One feature of a near product: its value, whether it is the same, and what the difference does to the price."""

    label: str | Promise
    value: str
    is_same: bool
    percent: str


@dataclass(frozen=True)
class NearRow:
    price: Price
    cells: list[Cell]


@dataclass(frozen=True)
class BasisView:
    """One price of a product with its market and its neighbours."""

    row: Row
    market: Market
    own: list[tuple[str | Promise, str]]
    near: list[NearRow]


@require_safe
@for_console
def comparable_list(request: HttpRequest) -> HttpResponse:
    prices = prices_in_force(on=clock.today())
    rows = _rows(prices, products_of(request.membership.organisation))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": page.object_list,
        "markets": [(BASIS_WORDS[basis], one) for basis, one in prices.markets.items()],
        "least": LEAST_PRICED,
        "namespace": request.resolver_match.namespace,
    }
    return render(request, "market/consoles/estimates/comparables.html", context)


@require_safe
@for_console
def comparable_page(request: HttpRequest, code: str) -> HttpResponse:
    product = get_object_or_404(products_of(request.membership.organisation), code=code)
    prices = prices_in_force(on=clock.today())
    found = [price for price in prices.prices.values() if price.product.pk == product.pk]
    if not found:
        raise Http404
    context = {
        "product": product,
        "views": [_basis_view(prices, price) for price in found],
        "least": LEAST_PRICED,
        "namespace": request.resolver_match.namespace,
    }
    return render(request, "market/consoles/estimates/comparable.html", context)


@require_safe
@for_console
def comparable_csv(request: HttpRequest) -> HttpResponse:
    rows = _rows(prices_in_force(on=clock.today()), products_of(request.membership.organisation))
    header = ["product", "operator", "basis", "plan", "price", "low", "middle", "high", "place"]
    lines = [
        [row.price.product.code, row.price.product.operator.name, row.price.basis, row.price.plan, row.price.amount]
        + ([f"{v:.6g}" for v in (row.expected.low, row.expected.middle, row.expected.high)] if row.expected else [""] * 3)
        + [row.expected.place if row.expected else "too_little_data"]
        for row in rows
    ]
    return csv_answer("comparables.csv", header, lines)


def _rows(prices: Prices, products: QuerySet[DataProduct]) -> list[Row]:
    """One's own products, the furthest outside its band first."""
    seen = set(products.values_list("pk", flat=True))
    rows = [_row(prices, price) for price in prices.prices.values() if price.product.pk in seen]
    return sorted(rows, key=lambda row: (-row.off, row.price.key))


def _row(prices: Prices, price: Price) -> Row:
    return Row(price, prices.markets[price.basis].items.get(price.key))


def _basis_view(prices: Prices, price: Price) -> BasisView:
    own = next(item for item in prices.items[price.basis] if item.key == price.key)
    values = [(label, feature_value(name, own.kinds.get(name, own.numbers.get(name)))) for name, label in FEATURES.items()]
    near = [NearRow(prices.prices[one.key], _cells(one)) for one in prices.near(price.key)]
    return BasisView(_row(prices, price), prices.markets[price.basis], values, near)


def _cells(near: Near) -> list[Cell]:
    found = {why.feature: why for why in near.why}
    return [
        Cell(label, feature_value(name, found[name].other), found[name].is_same, f"{100 * (found[name].factor - 1):+.0f} %")
        for name, label in FEATURES.items()
    ]
