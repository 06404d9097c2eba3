"""From work to charges: paid work under its own tariff versions, free use valued as if it were charged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from pricing.rules import Line, Rated
from settlement.billing import rules
from settlement.billing.models import Charge
from settlement.billing.rules import Rating, Segment
from settlement.billing.usage import Holder, TariffBook, Version, Work, added

NO_TARIFF = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A charge to be written. ``version`` is None where a free product has no price at all."""

    holder: Holder
    service_month: date
    version: Version | None
    rating: Rating

    @property
    def order(self) -> tuple[str, date, date]:
        return self.holder.code, self.service_month, self.rating.segment.start

    @property
    def inputs_digest(self) -> str:
        tariff = self.version.digest if self.version else ""
        return rules.digest([self.holder.code, self.service_month.isoformat(), tariff, self.rating.usage])


def drafts(works: Sequence[Work], book: TariffBook, month: date) -> Iterator[Draft]:
    """Every charge of the month, in the order of the work; late work that changes nothing gives none."""
    terms = {number: version.terms for number, version in book.by_id.items()}
    valued = _tariffs_of_earlier_values(works, month)
    for work in works:
        is_late = work.service_month < month
        ratings = _paid(work, terms, is_late) if work.holder.plan_id is not None else _free(work, book, valued, is_late)
        for rating in ratings:
            if not (is_late and rating.is_empty):
                yield Draft(work.holder, work.service_month, book.by_id.get(rating.segment.tariff_id), rating)


def _paid(work: Work, terms: dict, is_late: bool) -> list[Rating]:
    return rules.rate_month(
        month=work.service_month,
        segments=work.segments,
        tariffs=terms,
        anchor=work.holder.anchor_date,
        discounts=work.holder.discounts,
        is_free=False,
        is_late=is_late,
        span_before=work.span_before,
    )


def _free(work: Work, book: TariffBook, valued: dict[tuple[int, date], int | None], is_late: bool) -> list[Rating]:
    """One value per grant and month: the dearest of the product's tariffs for this use (decision 0020); once chosen, kept."""
    holder, month = work.holder, work.service_month
    key = (holder.id, month)
    versions = book.of_month(book.on_sale[holder.product_id], month)
    if key in valued:
        versions = [version for number, version in book.by_id.items() if number == valued[key]]
    start, end = holder.days(month)
    if start >= end:
        start, end = month, rules.next_month(month)
    units, billed = added(s.units for s in work.slices), added(s.billed for s in work.slices)
    candidates = []
    for version in versions:
        segment = Segment(version.id, start, end, _known(units, version), _known(billed, version))
        candidates += rules.rate_month(
            month=month,
            segments=[segment],
            tariffs={version.id: version.terms},
            anchor=holder.anchor_date,
            discounts=(),
            is_free=True,
            is_late=is_late,
            span_before={},
        )
    if candidates:
        return [max(candidates, key=lambda rating: (rating.rated.free_value_minor, -rating.segment.tariff_id))]
    return [_without_price(Segment(NO_TARIFF, start, end, units, billed), is_late)]


def _known(units: dict[str, int], version: Version) -> dict[str, int]:
    return {code: number for code, number in units.items() if code in version.metered}


def _without_price(segment: Segment, is_late: bool) -> Rating:
    """A product that is free for all has no tariff: its use is counted, its value is zero."""
    new = {code: units - segment.billed.get(code, 0) for code, units in sorted(segment.units.items())}
    lines = tuple(Line(code, units, 0, 0, 0) for code, units in new.items() if units or not is_late)
    base = {"from": segment.start.isoformat(), "to": segment.end.isoformat(), "free": True, "discounts": [], "before": {}}
    usage = {**base, "anchor": None, "units": {line.component: rules.quantity(line.units_micro) for line in lines}}
    return Rating(segment, usage, Rated(lines, 0, 0, 0, 0))


def _tariffs_of_earlier_values(works: Sequence[Work], month: date) -> dict[tuple[int, date], int | None]:
    """The tariff by which a grant's service month was valued when it closed, for late use of it."""
    late = [work for work in works if work.holder.plan_id is None and work.service_month < month]
    if not late:
        return {}
    wanted = Q(entitlement__in={work.holder.id for work in late}, service_month__in={work.service_month for work in late})
    rows = Charge.objects.filter(wanted).order_by("-id").values_list("entitlement_id", "service_month", "tariff_id")
    return {(holder, service): tariff for holder, service, tariff in rows}
