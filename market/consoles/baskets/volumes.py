"""Expected charged volumes of a year, as the market knows them: forecasts where there are any, else what was metered."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_UP, Decimal

from pricing.documents import parse_tariff
from pricing.models import Plan, Tariff
from pricing.revenue.basket_rows import Place, chargeable, classes_of
from pricing.rules import Component, Flat
from products.models import DataProduct
from products.registry.models import Authorisation
from settlement.models import Entitlement
from settlement.oversight.forecasts import expected_year, monthly_units

Metered = dict[tuple[int, str], dict[date, Decimal]]  # (product id, component) → month → units
PERIODS_A_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


def expected_volumes(*, authorisation: Authorisation, on: date) -> dict[Place, tuple[str, str]]:
    """(expected, capacity) by place. A forecast knows no purpose class: it goes to the first charged class of its product."""
    metered = monthly_units(before=on.replace(day=1))
    found: dict[Place, tuple[str, str]] = {}
    for product in chargeable(authorisation):
        classes = classes_of(product)
        if not classes:
            continue
        for (basis, period), units in _of_product(product, on, metered).items():
            if units > 0:
                found[product.code, classes[0], basis, period] = (str(units.quantize(Decimal(1), ROUND_UP)), "")
    return found


def _of_product(
    product: DataProduct, on: date, metered: dict[tuple[int, str], dict[date, Decimal]]
) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    seen: set[str] = set()
    for plan in Plan.objects.filter(product=product).order_by("id"):
        tariff = Tariff.objects.filter(plan=plan).order_by("-version").first()
        for part in parse_tariff(tariff.document).components if tariff else ():
            if not part.is_collected or (part.code in seen and not isinstance(part.price, Flat)):
                continue
            seen.add(part.code)
            key = ("periods", part.price.period) if isinstance(part.price, Flat) else (part.basis, "")
            sums[key] = sums.get(key, Decimal(0)) + _units(product, plan, part, on, metered)
    return sums


def _units(product: DataProduct, plan: Plan, part: Component, on: date, metered: Metered) -> Decimal:
    """A year's units of a component: holders × periods for a fee, else the forecast, else the metered months as a year."""
    if isinstance(part.price, Flat):
        held = Entitlement.objects.filter(plan=plan, state=Entitlement.State.ACTIVE).count()
        return Decimal(held * PERIODS_A_YEAR[part.price.period])
    forecast = expected_year(product=product, component=part.code, on=on).middle
    if forecast is not None:
        return Decimal(str(forecast))
    months = metered.get((product.pk, part.code), {})
    last = sorted(months)[-12:]
    return sum((months[month] for month in last), Decimal(0)) * 12 / len(last) if last else Decimal(0)
