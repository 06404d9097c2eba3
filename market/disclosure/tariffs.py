"""The public price list: every item of every operator with its cap, its document, its date and where to complain (domain.md R59).

Rows are those of the capability list (capabilities.py) between the operator's columns and the columns of oversight. The columns
are stable (docs/disclosure.md).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from market.disclosure.capabilities import COLUMNS as CAPABILITY_COLUMNS
from market.disclosure.capabilities import Entry, Priced, entries_of
from market.disclosure.exports import harmless
from pricing.bodies import nearest
from products.catalogue.models import DataProduct, ProductState, Regime
from products.catalogue.search import query_terms
from products.models import Organisation, Purpose
from products.organisations.models import OrganisationKind, OrganisationState

ON_SALE = (ProductState.LISTED, ProductState.SUSPENDED)
HOTLINE = "12315"  # the national hotline for complaints about prices, where a body names no channel of its own
OPERATOR_COLUMNS = ("operator_uscc", "operator", "operator_en", "operator_slug")
OVERSIGHT_COLUMNS = ("tariff_version", "standing", "complaint_channel", "price_regulator", "regulator_complaint_channel")
COLUMNS = (*OPERATOR_COLUMNS, *CAPABILITY_COLUMNS, *OVERSIGHT_COLUMNS)


@dataclass(frozen=True)
class Wanted:
    """What a reader looks for; empty fields do not narrow. ``sector`` is a purpose code of two parts, industry.finance."""

    words: str = ""
    operator: str = ""
    sector: str = ""
    regime: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], operator: str = "") -> Wanted:
        given = {name: value.replace("\0", "").strip() for name, value in query.items()}  # the database takes no NUL
        return cls(
            words=given.get("q", "")[:60],
            operator=operator or given.get("operator", "")[:60],
            sector=given.get("sector", "")[:80],
            regime=given["regime"] if given.get("regime") in Regime.values else "",
        )


@dataclass(frozen=True)
class Item:
    """A product of the price list with its prices and the price regulator that oversees them."""

    entry: Entry
    regulator: Organisation | None

    @property
    def product(self) -> DataProduct:
        return self.entry.product


def products_wanted(wanted: Wanted) -> QuerySet[DataProduct]:
    """Products on sale of verified operators, by operator and name; no query yet but one for a sector."""
    found = DataProduct.objects.filter(state__in=ON_SALE, operator__state=OrganisationState.VERIFIED)
    if wanted.words:
        terms = query_terms(wanted.words)
        found = found.filter(search_terms__contains=terms) if terms else found.none()
    if wanted.operator:
        found = found.filter(operator__slug=wanted.operator)
    if wanted.regime:
        found = found.filter(regime=wanted.regime)
    if wanted.sector:
        found = found.filter(purposes__overlap=codes_of(wanted.sector))
    related = found.select_related("operator", "authorisation__authorising_body")
    return related.order_by("operator__name_key", "operator_id", "name_key", "id")


def codes_of(sector: str) -> list[str]:
    """The sector's code, the codes below it, and the class above it, which covers it."""
    below = Purpose.objects.filter(Q(code=sector) | Q(code__startswith=f"{sector}.")).values_list("code", flat=True)
    return [*below, sector.split(".", 1)[0]]


def sectors() -> list[Purpose]:
    """Purposes of two parts, to filter by."""
    return list(Purpose.objects.filter(code__contains=".").exclude(code__regex=r"\..*\.").order_by("code"))


def items_of(products: QuerySet[DataProduct], *, on: date) -> list[Item]:
    """The products (a page of them) with prices in force and upcoming, and their regulators; five queries."""
    regulators = list(
        Organisation.objects.filter(kind=OrganisationKind.PRICE_REGULATOR, state=OrganisationState.VERIFIED).order_by("id")
    )
    entries = entries_of(products, on=on, with_later=True)
    return [Item(entry, regulator_among(regulators, entry.product)) for entry in entries]


def regulator_among(regulators: Sequence[Organisation], product: DataProduct) -> Organisation | None:
    """The price regulator nearest to the product's region, among those read already; None without an authorisation."""
    authorisation = product.authorisation
    if authorisation is None:
        return None
    return next(iter(nearest(regulators, authorisation.region or authorisation.authorising_body.region)), None)


def channel(body: Organisation | None) -> str:
    """Where to complain: the body's own channel, else the national hotline."""
    return (body.complaint_contact if body else "") or HOTLINE


def rows_of(items: Iterable[Item], on: date) -> list[dict[str, str]]:
    """The price list as rows of text, one a price step, in the order of COLUMNS."""
    return [_row(item, priced, on) for item in items for priced in item.entry.prices]


def _row(item: Item, priced: Priced, on: date) -> dict[str, str]:
    operator, tariff = item.product.operator, priced.tariff
    values = {
        "operator_uscc": operator.uscc,
        "operator": operator.name,
        "operator_en": operator.name_en,
        "operator_slug": operator.slug,
        "tariff_version": str(tariff.version) if tariff else "",
        "standing": "upcoming" if tariff and tariff.period.lower > on else "in_force",
        "complaint_channel": channel(operator),
        "price_regulator": item.regulator.name if item.regulator else "",
        "regulator_complaint_channel": channel(item.regulator),
    } | asdict(priced.row)
    return {name: values[name] for name in COLUMNS}


def as_json(rows: Sequence[dict[str, str]], on: date, url: str) -> bytes:
    head = {"as_of": on.isoformat(), "currency": "CNY", "url": f"{settings.PUBLIC_URL}{url}", "columns": list(COLUMNS)}
    return json.dumps(head | {"tariffs": rows}, ensure_ascii=False, indent=1).encode()


def as_csv(rows: Sequence[dict[str, str]], on: date, url: str) -> bytes:
    """UTF-8 with a byte-order mark, which Excel needs to read Chinese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


FORMATS: dict[str, tuple[str, Any]] = {
    "json": ("application/json; charset=utf-8", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}
