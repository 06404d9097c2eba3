"""What the pages of equal treatment read, for a regulator's region, and as rows of files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from market.storefront.charts import Chart, bar_chart
from market.storefront.names import purpose_name
from market.storefront.templatetags.gongshu import local
from pricing.bodies import of_region, stem
from pricing.models import SupplyRefusal
from pricing.tariffs.supply import refusals_of
from products.models import Organisation
from products.organisations.models import OrganisationKind
from settlement.models import EqualTreatmentFlag
from settlement.oversight.concentration import Row, by_operator, months_known
from settlement.oversight.equal_treatment import flags_of

FLAG_COLUMNS = ("month", "operator", "product", "purpose", "state", "found_at", "explanation", "decision_reason")
SIDE_COLUMNS = ("organisation", "entitlement", "units", "gross", "discount", "payable", "deserved", "effective_unit_price")
REFUSAL_COLUMNS = ("operator", "product", "organisation", "uscc", "ground", "reason", "refused_at", "lifted_at", "lifted_reason")
CONCENTRATION_COLUMNS = (
    *("operator", "sector", "buyers", "revenue_net", "hhi", "top_three", "small_buyers", "small_revenue"),
    *("without_size", "free_share"),
)


def flags_before(office: Organisation) -> QuerySet[EqualTreatmentFlag]:
    """A price regulator's own; for the data bureau those of its region."""
    if office.kind == OrganisationKind.PRICE_REGULATOR:
        return flags_of(regulator=office)
    return flags_of().filter(of_region(stem(office.region), "product__authorisation"))


def refusals_before(office: Organisation) -> QuerySet[SupplyRefusal]:
    return refusals_of().filter(of_region(stem(office.region), "product__authorisation"))


def operators_before(office: Organisation) -> list[int]:
    """Operators with a product in the office's region."""
    region = of_region(stem(office.region), "products__authorisation")
    return list(Organisation.objects.filter(region, kind=OrganisationKind.OPERATOR).values_list("id", flat=True).distinct())


def span_asked(query: dict[str, str]) -> tuple[date, date] | None:
    """The months from ``from`` to ``to`` (2026-01), else all that were charged; None where none was."""
    known = months_known()
    if known is None:
        return None
    first, last = (_month(query.get(name, "")) or month for name, month in zip(("from", "to"), known, strict=True))
    return (first, last) if first <= last else known


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def concentration_rows(span: tuple[date, date] | None, operators: list[int] | None = None) -> list[Row]:
    return by_operator(from_month=span[0], to_month=span[1], operators=operators) if span else []


def chart_of(rows: Iterable[Row]) -> Chart:
    """The index of each operator's whole market as bars."""
    shown = [row for row in rows if not row.sector and row.figures.hhi is not None]
    return bar_chart(
        title=_("Concentration of buyers (HHI) by operator"),
        labels=[local(row.operator) for row in shown],
        values=[row.figures.hhi or Decimal(0) for row in shown],
        label_head=_("Operator"),
        value_head=_("HHI"),
        note=_("Up to 1,500 unconcentrated, above 2,500 highly concentrated; 10,000 is a single buyer."),
    )


def flag_rows(flags: Iterable[EqualTreatmentFlag]) -> tuple[list[str], list[list[object]]]:
    header = [*FLAG_COLUMNS, *(f"{side}_{name}" for side in ("first", "second") for name in SIDE_COLUMNS)]
    return header, [
        [
            f"{flag.month:%Y-%m}",
            flag.product.operator.name,
            flag.product.code,
            flag.purpose,
            flag.state,
            flag.found_at.isoformat(),
            flag.explanation,
            flag.decision_reason,
            *(_side(flag.facts[side], name) for side in ("first", "second") for name in SIDE_COLUMNS),
        ]
        for flag in flags
    ]


def _side(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name, "")
    return ";".join(f"{code}={amount}" for code, amount in value.items()) if isinstance(value, dict) else str(value)


def refusal_rows(refusals: Iterable[SupplyRefusal]) -> tuple[list[str], list[list[object]]]:
    return list(REFUSAL_COLUMNS), [
        [
            refusal.product.operator.name,
            refusal.product.code,
            refusal.organisation.name,
            refusal.organisation.uscc,
            refusal.ground,
            refusal.reason,
            refusal.refused_at.isoformat(),
            refusal.lifted_at.isoformat() if refusal.lifted_at else "",
            refusal.lifted_reason,
        ]
        for refusal in refusals
    ]


def concentration_table(rows: Iterable[Row]) -> tuple[list[str], list[list[object]]]:
    return list(CONCENTRATION_COLUMNS), [
        [
            row.operator.name,
            purpose_name(row.sector) if row.sector else "",
            row.figures.buyers,
            Decimal(row.figures.revenue).scaleb(-2),
            *(getattr(row.figures, name) for name in ("hhi", "top_three", "small_buyers", "small_revenue", "without_size")),
            row.free_share,
        ]
        for row in rows
    ]
