"""Revenue of a replay against the maximum permitted revenue of the operations that it touches (F1, F4): net of VAT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.models import PermittedRevenue
from pricing.rules.exact import half_up
from products.models import DataProduct
from settlement.billing.rules import next_month
from settlement.whatif.history import History


@dataclass(frozen=True, slots=True)
class Against:
    """An operation whose permitted revenue covers some of the months: the amount for those months by days, and both revenues."""

    authorisation: str
    period: str
    months: int
    whole_minor: int
    permitted_minor: int
    in_force_minor: int
    draft_minor: int


def against(
    history: History, products: Mapping[int, DataProduct], nets: tuple[NDArray[Any], NDArray[Any]]
) -> tuple[Against, ...]:
    """One entry a determined permitted revenue; products at market prices are outside it."""
    guided = {pk: product.authorisation_id for pk, product in products.items() if product.regime != "market"}
    stored = PermittedRevenue.objects.filter(
        authorisation__in={a for a in guided.values() if a is not None},
        state__in=["determined", "closed"],
        period__overlap=(history.scope.from_month, history.scope.to_month),
    )
    found = []
    for permitted in stored.select_related("authorisation").order_by("authorisation__number", "period", "id"):
        lower, upper = permitted.period.lower, permitted.period.upper
        months = [n for n, month in enumerate(history.months) if lower <= month and next_month(month) <= upper]
        if not months:
            continue
        days = sum((next_month(history.months[n]) - history.months[n]).days for n in months)
        mine = [pk for pk, authorisation in guided.items() if authorisation == permitted.authorisation_id]
        rows = np.isin(history.month, months) & np.isin(history.product, mine)
        found.append(
            Against(
                authorisation=permitted.authorisation.number,
                period=_period(lower, upper),
                months=len(months),
                whole_minor=permitted.amount_minor,
                permitted_minor=half_up(permitted.amount_minor * days, (upper - lower).days),
                in_force_minor=int(nets[0][rows].sum()),
                draft_minor=int(nets[1][rows].sum()),
            )
        )
    return tuple(found)


def _period(lower: date, upper: date) -> str:
    last = date.fromordinal(upper.toordinal() - 1)
    return f"{lower.isoformat()} – {last.isoformat()}"
