"""The days on which products were stopped in an emergency: time fees are not charged for them (domain.md scenario 72).

A day that a stop touches counts as a whole, however short the stop; two stops on one day are one day. Stops of a product or of
its operator count, those of a buyer do not (decision 0057). A stop that holds reaches to the end of what is asked for: a month
closes only once it is over, so that its days are then known for good.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from products.record.clock import business_date, day_start
from settlement.billing.models import Charge
from settlement.entitlements.models import EmergencyStop

Run = tuple[date, date]  # first day, first day after
ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


class StoppedDays:
    """Runs of stopped days by product and by operator; one query."""

    def __init__(self, by_product: dict[int, list[Run]], by_operator: dict[int, list[Run]]) -> None:
        self._by_product, self._by_operator = by_product, by_operator

    @classmethod
    def of(cls, since: date, until: date) -> StoppedDays:
        """Of [since, until)."""
        stops = EmergencyStop.objects.exclude(kind=EmergencyStop.Kind.BUYER).filter(started_at__lt=day_start(until))
        stops = stops.exclude(lifted_at__lte=day_start(since)).order_by("id")
        by_product: dict[int, list[Run]] = defaultdict(list)
        by_operator: dict[int, list[Run]] = defaultdict(list)
        for product, operator, start, end in stops.values_list("product_id", "organisation_id", "started_at", "lifted_at"):
            by = by_operator if product is None else by_product
            by[operator if product is None else product].append(days_of(start, end, until))
        return cls(dict(by_product), dict(by_operator))

    def runs(self, *, product_id: int, operator_id: int) -> list[Run]:
        """Whole stretches in order, none touching the next."""
        return merged([*self._by_product.get(product_id, ()), *self._by_operator.get(operator_id, ())])


def days_of(started_at: datetime, lifted_at: datetime | None, until: date) -> Run:
    """Every day that a stop touches; one that is lifted on the stroke of midnight does not touch the new day."""
    first = business_date(started_at)
    last = until if lifted_at is None else business_date(lifted_at - INSTANT) + ONE_DAY
    return first, max(first + ONE_DAY, last)


def merged(runs: Iterable[Run]) -> list[Run]:
    """The same days in as few runs as they need."""
    found: list[Run] = []
    for start, end in sorted(runs):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def is_stopped(day: date, runs: Iterable[Run]) -> bool:
    return any(start <= day < end for start, end in runs)


def why_not_charged(charge: Charge) -> str:
    """Which days of a charge cost no fee for time, and the public reasons of the stops that touched them."""
    holder = charge.entitlement
    named = Q(product=holder.product_id) | Q(kind=EmergencyStop.Kind.OPERATOR, organisation=holder.operator_id)
    stops = EmergencyStop.objects.filter(named, started_at__lt=day_start(charge.to_date))
    stops = stops.exclude(lifted_at__lte=day_start(charge.from_date)).order_by("started_at", "id")
    reasons = dict.fromkeys(stops.values_list("public_reason", flat=True))
    facts = {"first": charge.from_date, "last": charge.to_date - ONE_DAY, "reasons": "; ".join(reasons)}
    return _("Emergency stop, %(first)s to %(last)s: fees for time are not charged (%(reasons)s)") % facts
