"""Concentration and the share of small enterprises, by operator, sector and time; and resources held by one operator alone.

Revenue is what was invoiced for paid use, net of VAT, by service month. The free share (R13) is the value of free use in the
value of all use. Public pages get ``public()``, which keeps back what would tell what one buyer buys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Q, Sum

from products.organisations.models import Organisation
from products.registry.models import Authorisation, ScopeItem
from settlement.billing.models import Charge
from settlement.oversight.concentration_rules import Concentration, Paid, concentration, part


@dataclass(frozen=True, slots=True)
class Row:
    """An operator's market in a sector (empty: all of it) from the first month to the last, both included."""

    operator: Organisation
    sector: str
    figures: Concentration
    free_share: Decimal | None


@dataclass(frozen=True, slots=True)
class Exclusive:
    """A resource all of whose authorisations in force are one operator's."""

    code: str
    name: str
    name_en: str
    operator: str
    operator_en: str
    authorisations: int


def by_operator(*, from_month: date, to_month: date, operators: Sequence[int] | None = None) -> list[Row]:
    """Each operator's whole market and its sectors, by operator and sector; three queries."""
    charges = Charge.objects.filter(service_month__gte=from_month, service_month__lte=to_month)
    if operators is not None:
        charges = charges.filter(entitlement__operator__in=operators)
    named = charges.order_by().values(
        purpose=F("entitlement__purposes__0"),
        operator=F("entitlement__operator"),
        buyer=F("entitlement__organisation"),
        size=F("entitlement__organisation__size"),
    )
    paid: dict[tuple[int, str], dict[tuple[int, str], int]] = defaultdict(lambda: defaultdict(int))
    free: dict[tuple[int, str], int] = defaultdict(int)
    value: dict[tuple[int, str], int] = defaultdict(int)
    for row in named.annotate(net=Sum("net"), total=Sum("total"), free=Sum("free_value")):
        for key in ((row["operator"], ""), (row["operator"], sector_of(row["purpose"]))):
            paid[key][row["buyer"], row["size"]] += fen(row["net"])
            free[key] += fen(row["free"])
            value[key] += fen(row["total"]) + fen(row["free"])
    parties = Organisation.objects.in_bulk({operator for operator, _sector in paid})
    ordered = sorted(paid, key=lambda key: (parties[key[0]].name_key, key))
    return [
        Row(
            parties[key[0]],
            key[1],
            concentration(Paid(buyer, size, amount) for (buyer, size), amount in paid[key].items()),
            part(free[key], value[key]),
        )
        for key in ordered
    ]


def public(rows: Iterable[Row]) -> list[tuple[Row, bool]]:
    """Rows with whether their figures may be shown to all.

    Where one sector of an operator is kept back, so is the smallest other one: the whole less the rest would tell it.
    """
    by: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by[row.operator.pk].append(row)
    found = []
    for group in by.values():
        sectors = [row for row in group if row.sector and row.figures.buyers]
        hidden = {row.sector for row in sectors if not row.figures.is_public}
        if len(hidden) == 1 and len(sectors) > 1:
            hidden.add(min((row for row in sectors if row.sector not in hidden), key=lambda row: row.figures.revenue).sector)
        found += [(row, row.figures.is_public and row.sector not in hidden) for row in group]
    return found


def exclusive_resources(*, on: date, operators: Sequence[int] | None = None) -> list[Exclusive]:
    """Resources that only one operator may build on, of those that any may (R91); one query."""
    scope = ScopeItem.objects.filter(
        authorisation__state=Authorisation.State.ACTIVE, authorisation__from_date__lte=on, authorisation__to_date__gte=on
    )
    held = (
        scope.order_by()
        .values("resource__code", "resource__name", "resource__name_en")
        .annotate(
            holders=Count("authorisation__operator", distinct=True),
            authorisations=Count("authorisation", distinct=True),
        )
        .filter(holders=1)
    )
    alone = {row["resource__code"]: row for row in held}
    named = scope.filter(resource__code__in=list(alone))
    if operators is not None:
        named = named.filter(authorisation__operator__in=operators)
    pairs = named.values_list("resource__code", "authorisation__operator__name", "authorisation__operator__name_en").distinct()
    return [
        Exclusive(
            code,
            alone[code]["resource__name"],
            alone[code]["resource__name_en"],
            operator,
            operator_en,
            alone[code]["authorisations"],
        )
        for code, operator, operator_en in pairs.order_by("resource__code", "authorisation__operator__name")
    ]


def months_known() -> tuple[date, date] | None:
    """The first and the last service month that was charged."""
    months = Charge.objects.filter(Q(invoice__isnull=False) | Q(free_value__gt=0)).order_by("service_month")
    first, last = months.values_list("service_month", flat=True).first(), months.values_list("service_month", flat=True).last()
    return (first, last) if first and last else None


def sector_of(purpose: str) -> str:
    """industry.finance.pre_loan → industry.finance"""
    return ".".join(purpose.split(".")[:2])


def fen(amount: Decimal) -> int:
    return int(amount.scaleb(2))
