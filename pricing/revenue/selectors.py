"""Reads of caps: which are in force, and as the cap document that `check_cap` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from pricing.revenue.models import Cap, CapFiling
from products.catalogue.models import DataProduct


@dataclass(frozen=True)
class CapVersion:
    """The caps of a product for a purpose class that hold together from ``start`` until ``end`` (exclusive; None: open)."""

    purpose_class: str
    start: date
    end: date | None
    caps: tuple[Cap, ...]

    @property
    def document(self) -> dict[str, Any]:
        return cap_document(self.caps)


def caps_in_force(*, product: DataProduct, purpose_class: str, on: date) -> list[Cap]:
    """The caps of a product for uses of a purpose class on a business date, with their filing, by basis and period."""
    found = Cap.objects.filter(product=product, purpose_class=purpose_class, period__contains=on)
    return list(found.select_related("filing").order_by("basis", "flat_period"))


def cap_versions(*, product: DataProduct, purpose_class: str, from_date: date, to_date: date | None = None) -> list[CapVersion]:
    """The cap sets that hold one after the other in [from_date, to_date), the first cut to begin at from_date."""
    rows = Cap.objects.filter(Q(period__endswith__gt=from_date) | Q(period__upper_inf=True), product=product)
    rows = rows.filter(purpose_class=purpose_class).select_related("filing").order_by("period", "basis", "flat_period")
    groups: dict[tuple[date, date | None], list[Cap]] = {}
    for cap in rows:
        start = max(cap.period.lower, from_date)
        if to_date is None or start < to_date:
            groups.setdefault((start, cap.period.upper), []).append(cap)
    return [CapVersion(purpose_class, start, end, tuple(caps)) for (start, end), caps in groups.items()]


def cap_document(caps: Iterable[Cap]) -> dict[str, Any]:
    """Cap rows as the cap document of design.md section 7."""
    entries = []
    for cap in caps:
        entry = {"basis": cap.basis, "cap": written(cap.amount, 2 if cap.basis == "periods" else 6)}
        entries.append(entry | ({"period": cap.flat_period} if cap.basis == "periods" else {}))
    return {"caps": entries}


def written(amount: Decimal, places: int) -> str:
    """A decimal in plain writing, at least two and at most ``places`` decimals: 0.500000 → 0.50."""
    whole, _, decimals = f"{amount:.{places}f}".partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def cap_filings_of(*, authorising_body_ids: Sequence[int]) -> QuerySet[CapFiling]:
    """The cap filings of authorising bodies, the latest first."""
    found = CapFiling.objects.filter(authorising_body__in=authorising_body_ids)
    return found.select_related("product", "product__operator", "drafted_by", "approved_by").order_by("-drafted_at", "-id")
