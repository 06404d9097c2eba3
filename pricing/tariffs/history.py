"""What a plan has cost: its versions with what each changed, and which cap cut it. Reads only; the comparison is pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pricing.revenue.models import Cap, CapFiling
from pricing.tariffs.models import IN_FORCE_STATES, Plan, Tariff
from pricing.tariffs.price_list import PriceRow, price_rows

Standing = Literal["in_force", "upcoming", "past", "never"]


@dataclass(frozen=True)
class Change:
    """A price step before and after; None where it was not there, or is not there any more."""

    before: PriceRow | None
    after: PriceRow | None

    @property
    def step(self) -> PriceRow:
        step = self.after or self.before
        assert step is not None
        return step


@dataclass(frozen=True)
class Version:
    """A tariff version: where it stands on the day asked, what it changed, the terms beside the prices that changed.

    ``terms`` are among ``discounts``, ``minimum``, ``maximum``, ``tax``. ``cut_by`` is the cap filing that cut it.
    """

    tariff: Tariff
    standing: Standing
    before: Tariff | None
    changes: tuple[Change, ...]
    terms: tuple[str, ...]
    cut_by: CapFiling | None


def plan_history(*, plan: Plan, on: date) -> list[Version]:
    """All versions of a plan, the latest first, the returned and withdrawn ones too; two queries."""
    tariffs = list(Tariff.objects.filter(plan=plan).order_by("version"))
    cuts = [tariff.period.lower for tariff in tariffs if tariff.clamped_from_id]
    caps = Cap.objects.filter(product=plan.product_id, period__startswith__in=cuts).select_related("filing").order_by("id")
    filings = {cap.period.lower: cap.filing for cap in caps}
    return [_version(tariff, tariffs, filings, on) for tariff in reversed(tariffs)]


def _version(tariff: Tariff, tariffs: list[Tariff], filings: dict[date, CapFiling], on: date) -> Version:
    earlier = [other for other in tariffs if other.version < tariff.version and _held(other, tariff.period.lower)]
    before = earlier[-1] if earlier else None
    old, new = (before.document if before else None), tariff.document
    cut_by = filings.get(tariff.period.lower) if tariff.clamped_from_id else None
    return Version(tariff, standing_of(tariff, on), before, changes(old, new), changed_terms(old, new), cut_by)


def _held(tariff: Tariff, day: date) -> bool:
    """Whether the version was in force until the day, or would have gone on over it."""
    return tariff.state in IN_FORCE_STATES and tariff.period.lower < day


def standing_of(tariff: Tariff, on: date) -> Standing:
    """in_force, upcoming or past on a day; never where it was returned or withdrawn before it began."""
    if tariff.state not in IN_FORCE_STATES:
        return "never"
    if tariff.period.lower > on:
        return "upcoming"
    return "past" if tariff.period.upper is not None and tariff.period.upper <= on else "in_force"


def changes(old: dict[str, Any] | None, new: dict[str, Any]) -> tuple[Change, ...]:
    """The price steps of two documents that differ, in the order of the new one, then what is gone; none without an old one."""
    if old is None:
        return ()
    was, now = ({_place(row): row for row in price_rows(document)} for document in (old, new))
    changed = [Change(was.get(place), row) for place, row in now.items() if was.get(place) != row]
    return (*changed, *(Change(row, None) for place, row in was.items() if place not in now))


def changed_terms(old: dict[str, Any] | None, new: dict[str, Any]) -> tuple[str, ...]:
    """Which of discounts, minimum, maximum and tax differ; none without an old document."""
    if old is None:
        return ()
    return tuple(
        name for name in ("discounts", "minimum", "maximum", "tax") if (old.get(name) or None) != (new.get(name) or None)
    )


def _place(row: PriceRow) -> tuple[str, str, str | None]:
    return row.component, row.unit, row.above
