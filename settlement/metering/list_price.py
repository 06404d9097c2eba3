"""The list price of one use: what it added, exactly, where tiers, packages and included units count what was used before it.

f(before + units) − f(before) of the tariff in force (design.md section 7), before discounts, minimum and maximum, and not
rounded: the fen are rounded once, on the bill, over all use together. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pricing.documents import parse_tariff
from pricing.rules import Component, Flat
from pricing.rules.exact import MICRO, plain
from pricing.rules.periods import period_of
from pricing.rules.terms import BASES
from products.record.clock import business_date, day_start

PICO_PLACES = 12


def span_starts(
    tariff: Mapping[str, Any],
    units: Mapping[str, str],
    *,
    time: datetime,
    anchor: date,
    valid_from: datetime,
    is_free: bool,
) -> dict[str, datetime]:
    """Since when the counter of each component counts that this use moves: the month, the entitlement's year, its term.

    Free use is valued month by month, as the close does it.
    """
    day = business_date(time)
    firsts = {"month": day.replace(day=1), "year": period_of(day, "year", anchor)[0], "term": business_date(valid_from)}
    found = {}
    for component in _metered(tariff):
        if component.code in units:
            found[component.code] = day_start(firsts["month" if is_free else component.counts_over])
    return found


def list_price(tariff: Mapping[str, Any], units: Mapping[str, str], before: Mapping[str, Decimal]) -> str | None:
    """Yuan, a decimal string with at least two places; None where the tariff does not know a component.

    What the plan covers (a basis that no component prices) and what is not collected costs nothing.
    """
    components = {component.code: component for component in _metered(tariff)}
    pico = 0
    for code, quantity in units.items():
        component = components.get(code)
        if component is None:
            if code not in BASES:
                return None
        elif component.is_collected:
            counted = int(before.get(code, Decimal(0)) * MICRO)
            pico += component.value(counted + int(Decimal(quantity) * MICRO)) - component.value(counted)
    return plain(pico, PICO_PLACES, 2)


def _metered(tariff: Mapping[str, Any]) -> list[Component]:
    return [component for component in parse_tariff(tariff).components if not isinstance(component.price, Flat)]
