"""Finding products: listed ones, by words and filters, page by page, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from products.catalogue.models import DataProduct, ProductState, Regime
from products.catalogue.search import query_terms
from products.organisations.models import Organisation, OrganisationKind
from products.registry.models import ProductType, Purpose, PurposeClass

PAGE_SIZE = 20
COUNT_LIMIT = 10_000
OPERATORS_SHOWN = 60


@dataclass(frozen=True)
class Wanted:
    """What a reader looks for; empty fields do not narrow. Values that no filter knows are dropped."""

    words: str = ""
    type: str = ""
    purpose_class: str = ""
    operator: str = ""
    regime: str = ""

    @classmethod
    def from_query(cls, query: dict[str, str]) -> Wanted:
        def known(name: str, values: list[str]) -> str:
            return query[name] if query.get(name) in values else ""

        return cls(
            words=query.get("q", "").strip()[:60],
            type=known("type", ProductType.values),
            purpose_class=known("purpose", PurposeClass.values),
            operator=query.get("operator", "")[:60],
            regime=known("regime", Regime.values),
        )


@dataclass(frozen=True)
class Found:
    """A page of products. ``count`` is exact up to COUNT_LIMIT; ``has_more`` says that there are more than that."""

    products: list[DataProduct]
    count: int
    has_more: bool
    number: int
    pages: int

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.pages


def find(wanted: Wanted, number: int) -> Found:
    """The asked page; a number outside gives the nearest one. Two queries, one more for a purpose class."""
    rows = _rows(wanted)
    counted = rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()
    count = min(counted, COUNT_LIMIT)
    pages = max(1, -(-count // PAGE_SIZE))
    number = min(max(1, number), pages)
    start = (number - 1) * PAGE_SIZE
    shown = rows.select_related("operator").defer("description", "description_en", "search_terms")
    page = list(shown.order_by("name_key", "id")[start : start + PAGE_SIZE])
    return Found(page, count, counted > COUNT_LIMIT, number, pages)


def _rows(wanted: Wanted) -> QuerySet[DataProduct]:
    rows = DataProduct.objects.filter(state=ProductState.LISTED)
    if wanted.words:
        terms = query_terms(wanted.words)
        rows = rows.filter(search_terms__contains=terms) if terms else rows.none()
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.regime:
        rows = rows.filter(regime=wanted.regime)
    if wanted.operator:
        rows = rows.filter(operator__slug=wanted.operator)
    if wanted.purpose_class:
        codes = Purpose.objects.filter(purpose_class=wanted.purpose_class).values_list("code", flat=True)
        rows = rows.filter(purposes__overlap=list(codes))
    return rows


def operators() -> list[Organisation]:
    """Operators to filter by, by name."""
    found = Organisation.objects.filter(kind=OrganisationKind.OPERATOR).only("name", "name_en", "slug", "name_key")
    return list(found.order_by("name_key", "id")[:OPERATORS_SHOWN])
