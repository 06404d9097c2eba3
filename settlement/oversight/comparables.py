"""Prices in force as the hedonic model sees them, and what it says of them. Prices are public: everybody may be compared.

The price of a product is what its dearest plan asks a unit at the usual volume (1 000 calls or records, one delivery), before
discounts and with VAT as the tariff has it; a product without metered components is priced by the year. Only prices on the same
charging basis are compared. Fits are kept by a digest of their input, so that a page fits once after a change.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from pricing.estimation.comparables import LEAST_PRICED, Item, Market, Near, market, nearest
from pricing.quote import quote
from pricing.tariffs.models import IN_FORCE_STATES, Tariff
from products.catalogue.models import DataProduct, ProductState, Release

USUAL_UNITS = {"products": "1", "calls": "1000", "records": "1000", "bytes": "1000"}
A_YEAR = {"from": "2026-01-01", "to": "2027-01-01"}  # any common year: flat prices are compared by the year
DAYS_OLD = {"realtime": 0, "daily": 1, "weekly": 7, "monthly": 30, "quarterly": 91, "yearly": 365}
ALIKE = ("type", "sector")
KEPT_SECONDS = 86_400


@dataclass(frozen=True)
class Price:
    """What one product asks on one charging basis: yuan a unit (a year for periods), by its dearest plan."""

    product: DataProduct
    basis: str
    amount: Decimal
    plan: str
    key: str


@dataclass(frozen=True)
class Prices:
    """All prices in force on a day, each with its features, by charging basis; and what the model says of each basis."""

    prices: dict[str, Price]
    items: dict[str, tuple[Item, ...]]
    markets: dict[str, Market]

    def near(self, key: str) -> tuple[Near, ...]:
        return nearest(self.items[self.prices[key].basis], key)


def prices_in_force(*, on: date) -> Prices:
    """Every listed product with a price on a day. Three queries; no fit where nothing changed since the last."""
    found = _prices(on)
    facts = _facts({price.product.pk for price in found})
    items: dict[str, list[Item]] = defaultdict(list)
    for price in found:
        items[price.basis].append(_item(price, facts))
    kept = {basis: tuple(rows) for basis, rows in items.items()}
    markets = {basis: _market(rows) for basis, rows in sorted(kept.items())}
    return Prices({price.key: price for price in found}, kept, markets)


def _market(items: tuple[Item, ...]) -> Market:
    if len(items) < LEAST_PRICED:
        return Market({}, len(items), reason="too_little_data")
    digest = hashlib.sha256(repr(sorted(items, key=lambda item: item.key)).encode()).hexdigest()
    return cache.get_or_set(f"comparables/1/{digest}", lambda: market(items, alike=ALIKE), KEPT_SECONDS)


def _prices(on: date) -> list[Price]:
    tariffs = Tariff.objects.filter(
        period__contains=on, state__in=IN_FORCE_STATES, plan__state="open", plan__product__state=ProductState.LISTED
    )
    related = tariffs.select_related("plan__product__operator", "plan__product__authorisation__authorising_body")
    dearest: dict[str, Price] = {}
    for tariff in related.order_by("plan__product__code", "plan__code", "id"):
        product = tariff.plan.product
        for basis, amount in unit_prices(tariff.document).items():
            key = f"{product.code}/{basis}"
            if amount > 0 and (key not in dearest or amount > dearest[key].amount):
                dearest[key] = Price(product, basis, amount, tariff.plan.code, key)
    return list(dearest.values())


def unit_prices(document: dict[str, Any]) -> dict[str, Decimal]:
    """Yuan a unit by charging basis at the usual volume, collected components only; periods (a year) where nothing is metered."""
    collected = [one for one in document["components"] if one.get("collected", True)]
    metered = [one for one in collected if one["model"] != "flat"]
    units = {one["code"]: USUAL_UNITS[one["basis"]] for one in metered}
    plain = {**document, "minimum": None, "maximum": None}
    lines = {line["component"]: Decimal(line["gross"]) for line in quote(plain, {"units": units, **A_YEAR})["lines"]}
    if not metered:
        return {"periods": sum((lines[one["code"]] for one in collected), Decimal(0))} if collected else {}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in metered:
        sums[one["basis"]] += lines[one["code"]] / Decimal(USUAL_UNITS[one["basis"]])
    return dict(sums)


@dataclass(frozen=True)
class _Facts:
    documented: float | None
    answered: float | None


def _facts(product_ids: set[int]) -> dict[int, _Facts]:
    """What the public record says of products: documented fields of their resources, fields in an answer."""
    columns: dict[int, list[bool]] = defaultdict(list)
    rows = DataProduct.resources.through.objects.filter(dataproduct_id__in=product_ids)
    for product_id, dictionary in rows.values_list("dataproduct_id", "dataresource__dictionary"):
        columns[product_id] += [bool(field.get("meaning")) for field in dictionary or [] if isinstance(field, dict)]
    schemas = dict(Release.objects.filter(product_id__in=product_ids, state="active").values_list("product_id", "output_schema"))
    return {
        pk: _Facts(
            100 * sum(columns[pk]) / len(columns[pk]) if columns[pk] else None,
            float(count) if (count := _leaves(schemas.get(pk))) else None,
        )
        for pk in product_ids
    }


def _leaves(schema: Any) -> int:
    """How many fields an answer has, nested ones counted."""
    if not isinstance(schema, dict):
        return 0
    inner = [*(schema.get("properties") or {}).values()]
    inner += [schema["items"]] if isinstance(schema.get("items"), dict) else []
    return sum(max(1, _leaves(one)) for one in inner)


def _item(price: Price, facts: dict[int, _Facts]) -> Item:
    product, known = price.product, facts[price.product.pk]
    days = DAYS_OLD.get(product.update_frequency)
    numbers = {
        "freshness": None if days is None else round(math.log1p(days), 6),
        "quality": known.documented,
        "granularity": None if known.answered is None else round(math.log(known.answered), 6),
    }
    kinds = {"type": product.type, "sector": sector_of(product.purposes)}
    return Item(price.key, float(price.amount), kinds, numbers, group=product.code)


def sector_of(purposes: Sequence[str]) -> str:
    """The second part of the first purpose that may be charged; empty where there is none."""
    charged = [purpose.split(".") for purpose in purposes if purpose.startswith(("industry.", "sector."))]
    return charged[0][1] if charged else ""
