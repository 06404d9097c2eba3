"""The operator's overview, in a fixed number of queries however many products there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Prefetch, QuerySet

from market.storefront.pricetags import rows_of_component, tariffs_of
from pricing.revenue.models import Cap
from pricing.selectors import PriceGap, PriceState
from pricing.tariffs.models import Plan, Tariff
from pricing.tariffs.selectors import charged_classes
from products.catalogue.listing_gate import RULES, Facts, Gap
from products.catalogue.models import DataProduct, ProductState, Regime, Release
from products.catalogue.redevelopment import NO_ORIGIN, origin_of
from products.organisations.models import Organisation
from products.record.clock import business_date, day_start
from products.registry.models import DataResource
from settlement.entitlements.models import Entitlement
from settlement.metering.models import Refusal
from settlement.metering.selectors import product_calls


@dataclass(frozen=True)
class PriceLine:
    """One component of a plan's tariff in force: its highest price, yuan per unit, and the cap that holds for it."""

    plan: Plan
    label: str
    highest: Decimal
    unit: str
    cap: Decimal | None


@dataclass(frozen=True)
class ProductRow:
    product: DataProduct
    gaps: list[Gap]
    prices: list[PriceLine]
    calls: int
    free_calls: int
    entitlements: int
    refusals: int

    @property
    def is_waiting(self) -> bool:
        """Whether the gaps are worth telling: a delisted product never comes back."""
        return self.product.state != ProductState.DELISTED and bool(self.gaps)


@dataclass(frozen=True)
class Totals:
    listed: int
    waiting: int
    calls: int
    free_calls: int
    refusals: int


def products_of(*, operator: Organisation) -> QuerySet[DataProduct]:
    """The operator's products with all that the listing rules and the overview read."""
    active = Release.objects.filter(state=Release.State.ACTIVE).defer("artifact")
    return (
        DataProduct.objects.filter(operator=operator)
        .select_related("operator", "authorisation")
        .prefetch_related(
            "authorisation__scope_items",
            Prefetch("resources", DataResource.objects.order_by("code").prefetch_related("registrations")),
            "reviews",
            Prefetch("releases", active, to_attr="active_releases"),
            "plans",
            "built_on",
        )
        .order_by("name_key", "id")
    )


def product_rows(*, products: Sequence[DataProduct], at: datetime) -> list[ProductRow]:
    """What the overview shows of each product: gaps, prices against caps, this month's usage, entitlements, refusals."""
    day = business_date(at)
    ids = [product.pk for product in products]
    tariffs = tariffs_of([plan for product in products for plan in product.plans.all()], day)
    caps = _caps(ids, day)
    calls, free = product_calls(product_ids=ids, month=day.replace(day=1))
    sold = _counts(Entitlement.objects.filter(product__in=ids, valid_to__gt=at).exclude(state=Entitlement.State.ENDED))
    refused = _counts(Refusal.objects.filter(product__in=ids, at__gte=day_start(day.replace(day=1))))
    return [
        ProductRow(
            product=product,
            gaps=gaps_of(product, day, _price(product, tariffs)),
            prices=price_lines(product, tariffs, caps),
            calls=calls.get(product.pk, 0),
            free_calls=free.get(product.pk, 0),
            entitlements=sold.get(product.pk, 0),
            refusals=refused.get(product.pk, 0),
        )
        for product in products
    ]


def totals(rows: Sequence[ProductRow]) -> Totals:
    return Totals(
        listed=sum(row.product.state == ProductState.LISTED for row in rows),
        waiting=sum(row.is_waiting for row in rows),
        calls=sum(row.calls for row in rows),
        free_calls=sum(row.free_calls for row in rows),
        refusals=sum(row.refusals for row in rows),
    )


def gaps_of(product: DataProduct, day: date, price: PriceState) -> list[Gap]:
    """The listing gate's rules over a product of ``products_of``, without a query of their own."""
    authorisation, resources = product.authorisation, list(product.resources.all())
    facts = Facts(
        product=product,
        authorisation=authorisation,
        scope=list(authorisation.scope_items.all()) if authorisation else [],
        resources=resources,
        registrations=[entry for resource in resources for entry in resource.registrations.all()],
        reviews=sorted(product.reviews.all(), key=lambda review: (review.requested_at, review.pk)),
        release=next(iter(product.active_releases), None),
        day=day,
        price=price,
        origin=origin_of(product) if product.built_on.all() else NO_ORIGIN,
    )
    return [gap for rule in RULES for gap in rule(facts)]


def price_lines(product: DataProduct, tariffs: dict[int, Tariff], caps: dict[tuple, Decimal]) -> list[PriceLine]:
    """The collected components of the product's plans, highest price first to be compared with the cap."""
    lines = []
    for plan in product.plans.all():
        document = tariffs[plan.pk].document if plan.pk in tariffs else {"components": []}
        for component in document["components"]:
            if not component.get("collected", True):
                continue
            rows = rows_of_component(component)
            period = component.get("period", "") if component["basis"] == "periods" else ""
            found = [caps.get((product.pk, name, component["basis"], period)) for name in charged_classes(plan.purposes)]
            known = [cap for cap in found if cap is not None]
            lines.append(PriceLine(plan, rows[0].label, max(row.price for row in rows), rows[0].unit, min(known, default=None)))
    return lines


def caps_of(*, products: Sequence[DataProduct], on: date) -> dict[tuple, Decimal]:
    """The caps in force, by (product, purpose class, basis, flat period)."""
    return _caps([product.pk for product in products], on)


def _caps(ids: Sequence[int], day: date) -> dict[tuple, Decimal]:
    found = Cap.objects.filter(product__in=ids, period__contains=day)
    return {(cap.product_id, cap.purpose_class, cap.basis, cap.flat_period): cap.amount for cap in found}


def _price(product: DataProduct, tariffs: dict[int, Tariff]) -> PriceState:
    if product.regime == Regime.FREE or not charged_classes(product.purposes):
        return PriceState("free")
    own = [plan for plan in product.plans.all() if plan.state == Plan.State.OPEN and plan.bundle_id is None]
    if any(plan.pk in tariffs for plan in own):
        return PriceState("priced")
    return PriceState("missing", (PriceGap("no_price", ""),))


def _counts(found: QuerySet) -> dict[int, int]:
    return dict(found.order_by().values_list("product").annotate(rows=Count("*")))
