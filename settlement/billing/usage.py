"""What a closing month has to rate: metered units per entitlement and service month, cut where tariffs change."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pricing.documents import parse_tariff
from pricing.rules import Flat, Tariff
from pricing.rules.periods import period_of
from pricing.rules.terms import BASES
from pricing.tariffs import models as tariff_models
from products.record.clock import business_date, day_start
from products.record.refusals import Refused
from settlement.billing.rules import Segment, cuts, next_month, with_stops
from settlement.billing.stopped import Run, StoppedDays, is_stopped
from settlement.entitlements.models import Entitlement
from settlement.sql import query

NEVER_IN_FORCE = ("returned", "withdrawn")


class TariffMissing(Refused):
    """Charged usage on a day on which its plan had no tariff."""

    code = "tariff-missing"


class UsageNotInTariff(Refused):
    """Charged usage names a component that its tariff does not price."""

    code = "usage-not-in-tariff"


@dataclass(frozen=True, slots=True)
class Version:
    """A tariff version: its dates (``end`` exclusive, None while open) and its parsed terms."""

    id: int
    plan_id: int
    product_id: int
    start: date
    end: date | None
    digest: str
    terms: Tariff
    labels: dict[str, str]

    @property
    def metered(self) -> frozenset[str]:
        return frozenset(c.code for c in self.terms.components if not isinstance(c.price, Flat))

    @property
    def charges_without_use(self) -> bool:
        return self.terms.has_flat or bool(self.terms.minimum_minor)

    def span(self, start: date, end: date) -> tuple[date, date]:
        return max(start, self.start), min(end, self.end) if self.end else end


@dataclass(frozen=True, slots=True)
class Holder:
    """The columns of an entitlement that a bill needs."""

    id: int
    code: str
    organisation_id: int
    operator_id: int
    product_id: int
    plan_id: int | None
    grant_id: int | None
    valid_from: datetime
    valid_to: datetime
    ended_at: datetime | None
    anchor_date: date
    discounts: list[str]

    def days(self, month: date) -> tuple[date, date]:
        """[start, end) of the entitlement inside the month; the day on which it ends belongs to what follows it."""
        ends = min(self.valid_to, self.ended_at or self.valid_to)
        return max(month, business_date(self.valid_from)), min(next_month(month), business_date(ends))


HOLDER_FIELDS = tuple(Holder.__dataclass_fields__)


@dataclass(slots=True)
class Slice:
    """Metered units of one tariff version (None: none in force, or a grant) on one side of the anniversary; millionths."""

    tariff_id: int | None
    is_past_anniversary: bool
    units: dict[str, int] = field(default_factory=dict)
    billed: dict[str, int] = field(default_factory=dict)


DayUnits = tuple[date, str, int, int]  # day, component, units, of them billed


@dataclass(slots=True)
class Work:
    """One entitlement's service month to rate; ``by_day`` (millionths, all and billed) is read where stops cut it."""

    holder: Holder
    service_month: date
    slices: list[Slice]
    stopped: list[Run] = field(default_factory=list)
    by_day: list[DayUnits] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    span_before: dict[str, int] = field(default_factory=dict)


class TariffBook:
    """Every tariff version in force at some time since a month, by plan, and by product as far as its plan is on sale."""

    def __init__(self, since: date, until: date, products: Sequence[int] | None = None) -> None:
        of_products = {} if products is None else {"plan__product__in": products}
        rows = (
            tariff_models.Tariff.objects.exclude(state__in=NEVER_IN_FORCE)
            .filter(period__overlap=(since, until), **of_products)
            .order_by("plan_id", "period", "id")
            .values_list("id", "plan_id", "plan__product_id", "plan__state", "period", "digest", "document")
        )
        self._keep(self._versions(rows))

    @classmethod
    def of(cls, versions: Iterable[tuple[Version, str]]) -> TariffBook:
        """A book of versions that were read elsewhere, each with its plan's state, by plan and start."""
        self = cls.__new__(cls)
        self._keep(versions)
        return self

    @staticmethod
    def _versions(rows: Iterable[Any]) -> Iterator[tuple[Version, str]]:
        for number, plan, product, state, period, digest, document in rows:
            labels = {c["code"]: c.get("label", c["code"]) for c in document["components"]}
            terms = with_stops(parse_tariff(document))
            yield Version(number, plan, product, period.lower, period.upper, digest, terms, labels), state

    def _keep(self, versions: Iterable[tuple[Version, str]]) -> None:
        self.by_id: dict[int, Version] = {}
        self.by_plan: dict[int, list[Version]] = defaultdict(list)
        self.on_sale: dict[int, list[Version]] = defaultdict(list)
        for version, state in versions:
            self.by_id[version.id] = version
            self.by_plan[version.plan_id].append(version)
            if state == tariff_models.Plan.State.OPEN:
                self.on_sale[version.product_id].append(version)

    def of_month(self, versions: Iterable[Version], month: date) -> list[Version]:
        return [v for v in versions if v.start < next_month(month) and (v.end is None or v.end > month)]


def gather(month: date, products: Sequence[int] | None = None) -> tuple[list[Work], TariffBook]:
    """All work of a closing month, in a stable order, with paid work already cut into segments.

    Reads only, so an open month can be looked at before it closes; ``products`` (ids) looks at those alone.
    """
    slices = _slices(month, products)
    since = min((service for _holder, service in slices), default=month)
    book = TariffBook(since, next_month(month), products)
    holders = _holders({holder for holder, _service in slices}, book, month)
    for holder in holders.values():
        if holder.plan_id is not None:
            slices.setdefault((holder.id, month), [])
    works = [Work(holders[holder], service, found) for (holder, service), found in slices.items()]
    _add_stops(works, book, since, month)
    for work in works:
        if work.holder.plan_id is not None:
            work.segments = segments_of(work, book)
    works = [work for work in works if work.segments or work.holder.plan_id is None]
    works.sort(key=lambda work: (work.holder.operator_id, work.holder.organisation_id, work.holder.code, work.service_month))
    _add_span_before(works, book)
    return works, book


def _slices(month: date, products: Sequence[int] | None) -> dict[tuple[int, date], list[Slice]]:
    found: dict[tuple[int, date], dict[tuple[int | None, bool], Slice]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(query("billing_usage"), {"month": month, "products": None if products is None else list(products)})
        for holder, service, tariff, is_past, component, units, billed in cursor:
            slice_ = found[holder, service].setdefault((tariff, is_past), Slice(tariff, is_past))
            slice_.units[component] = int(units)
            if billed:
                slice_.billed[component] = int(billed)
    return {key: list(by_tariff.values()) for key, by_tariff in found.items()}


def _holders(used: set[int], book: TariffBook, month: date) -> dict[int, Holder]:
    """Entitlements with usage, and those whose plan charges something in this month without any."""
    standing = [
        plan for plan, versions in book.by_plan.items() if any(v.charges_without_use for v in book.of_month(versions, month))
    ]
    begins, ends = day_start(month), day_start(next_month(month))
    running = Q(plan__in=standing, valid_from__lt=ends, valid_to__gt=begins) & (Q(ended_at=None) | Q(ended_at__gt=begins))
    rows = Entitlement.objects.filter(Q(id__in=used) | running).values_list(*HOLDER_FIELDS)
    return {row[0]: Holder(*row) for row in rows}


def _add_stops(works: Sequence[Work], book: TariffBook, since: date, month: date) -> None:
    """The stopped days of paid work with fees for time, and what was used day by day where they cut it."""
    stopped = StoppedDays.of(since, next_month(month))
    for work in works:
        holder = work.holder
        if holder.plan_id is not None and any(v.terms.has_flat for v in book.by_plan[holder.plan_id]):
            work.stopped = stopped.runs(product_id=holder.product_id, operator_id=holder.operator_id)
    cut = {(work.holder.id, work.service_month): work for work in works if work.stopped and work.slices}
    if not cut:
        return
    holders, months = zip(*cut, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(query("billing_usage_days"), {"entitlements": list(holders), "months": list(months), "month": month})
        for holder_id, service, day, component, units, billed in cursor:
            cut[holder_id, service].by_day.append((day, component, int(units), int(billed)))


def segments_of(work: Work, book: TariffBook) -> list[Segment]:
    """The service month of a paid entitlement, cut where its tariff changes, where a yearly counter starts again, and, where a
    tariff has fees for time, at the days of emergency stops."""
    holder, month = work.holder, work.service_month
    assert holder.plan_id is not None
    if any(slice_.tariff_id is None for slice_ in work.slices):
        raise TariffMissing(
            _("Entitlement %(code)s has usage in %(month)s on a day without a tariff.")
            % {"code": holder.code, "month": month.strftime("%Y-%m")},
            entitlement=holder.code,
        )
    start, end = holder.days(month)
    segments: list[Segment] = []
    for version in book.of_month(book.by_plan[holder.plan_id], month):
        slices = [slice_ for slice_ in work.slices if slice_.tariff_id == version.id]
        begins, stops = version.span(start, end)
        if begins >= stops:
            if not slices:
                continue
            begins, _stops = version.span(month, next_month(month))
            stops = begins + timedelta(days=1)  # used outside its days (on the morning it ends): rated with one day
        segments += _cut(version, begins, stops, slices, work)
    for segment in segments:
        _check_components(holder, book.by_id[segment.tariff_id], segment)
    return segments


def _cut(version: Version, start: date, end: date, slices: Sequence[Slice], work: Work) -> list[Segment]:
    stopped = work.stopped if version.terms.has_flat else []
    edges = {day for run in stopped for day in run if start < day < end}
    if edges:
        return _cut_at_stops(version, start, end, edges, work)
    days = [start, *cuts(version.terms, start, end, work.holder.anchor_date), end]
    found = []
    for place, (begins, stops) in enumerate(pairwise(days)):
        inside = [s for s in slices if len(days) == 2 or s.is_past_anniversary == (place == 1)]
        units, billed = (_priced(added(part), version) for part in ((s.units for s in inside), (s.billed for s in inside)))
        if inside or version.charges_without_use:
            found.append(Segment(version.id, begins, stops, units, billed, is_stopped(begins, stopped)))
    return found


def _cut_at_stops(version: Version, start: date, end: date, edges: set[date], work: Work) -> list[Segment]:
    """Parts that are stopped or are not, each with the use of its days; use on the morning after the last day is the last's."""
    inside = cuts(version.terms, start, end, work.holder.anchor_date)
    days = sorted({start, end, *edges, *inside})
    begins = days[:-1]
    parts: list[tuple[dict[str, int], dict[str, int]]] = [(defaultdict(int), defaultdict(int)) for _ in begins]
    for day, component, units, billed in work.by_day:
        if version.start <= day and (version.end is None or day < version.end):
            place = max(bisect_right(begins, day) - 1, 0)
            parts[place][0][component] += units
            if billed:
                parts[place][1][component] += billed
    return [
        Segment(version.id, *span, _priced(units, version), _priced(billed, version), is_stopped(span[0], work.stopped))
        for span, (units, billed) in zip(pairwise(days), parts, strict=True)
    ]


def _priced(units: dict[str, int], version: Version) -> dict[str, int]:
    """Without what the plan covers: the gateway meters under the basis' name where no component prices that basis."""
    return {code: amount for code, amount in units.items() if code in version.metered or code not in BASES}


def added(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Units by component, added up."""
    whole: dict[str, int] = defaultdict(int)
    for part in parts:
        for code, units in part.items():
            whole[code] += units
    return dict(whole)


def _check_components(holder: Holder, version: Version, segment: Segment) -> None:
    unknown = sorted(segment.units.keys() - version.metered)
    if unknown:
        raise UsageNotInTariff(
            _("Entitlement %(code)s has usage of %(components)s, which its tariff does not price.")
            % {"code": holder.code, "components": ", ".join(unknown)},
            entitlement=holder.code,
        )


def _add_span_before(works: Sequence[Work], book: TariffBook) -> None:
    """What counters over a year or the term had before the service month, for the few tariffs that have such counters."""
    wanted: dict[tuple[int, date, date], list[tuple[Work, str]]] = defaultdict(list)
    for work in works:
        for segment in work.segments:
            for component in book.by_id[segment.tariff_id].terms.components:
                start = span_start(component.counts_over, work)
                if start is not None and start < work.service_month:
                    wanted[work.holder.id, work.service_month, start].append((work, component.code))
    if not wanted:
        return
    holders, months, starts = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            query("billing_span_before"), {"entitlements": list(holders), "months": list(months), "starts": list(starts)}
        )
        for holder, service, start, component, units in cursor:
            for work, code in wanted[holder, service, start]:
                if code == component:
                    work.span_before[code] = int(units)


def span_start(counts_over: str, work: Work) -> date | None:
    """First day of the span that holds the first day of the service month; None where counters begin with the month."""
    if counts_over == "term":
        return business_date(work.holder.valid_from)
    if counts_over == "year":
        return period_of(work.service_month, "year", work.holder.anchor_date)[0]
    return None
