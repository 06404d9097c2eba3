"""The reasonableness test on the database: which caps of an operation hold together, and what they may bring in.

The set of a day are the newest caps of each product and purpose class that have begun: published ones, and those that are
approved or reported and will follow. The caps on the table replace their product's. A set is tested as if it held for the whole
period: on its first day and on each later day of the period on which it changes; the dearest day counts.
Caps without volumes (set on trial, before a permitted revenue was determined) cannot be counted; they are named instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from pricing.documents import parse_caps
from pricing.reading import DocumentRefused, Node, Problem
from pricing.revenue.models import Cap, CapFiling, PermittedRevenue
from pricing.revenue.reasonableness import Frame, Line, Result, weigh
from pricing.revenue.rules import purpose_classes
from pricing.rules import CapSet
from pricing.rules.exact import plain, quantity, scaled, yuan
from pricing.tariffs.price_list import BASIS_WORDS
from products.catalogue.models import Regime
from products.record.refusals import Refused
from products.record.rule_sets import NATIONAL, parameter
from products.registry.models import Authorisation

Key = tuple[str, str]  # basis, flat period
TOLD = 5  # products that a refusal names
AHEAD = ("approved", "reported")


class VolumeMissing(Refused):
    code = "cap_volume_missing"


class CapsAbovePermittedRevenue(Refused):
    """Σ cap × used is above the permitted revenue (scenario 31); ``result`` has the arithmetic, line by line."""

    code = "caps_above_permitted_revenue"

    def __init__(self, test: Tested) -> None:
        self.test, self.result = test, test.result
        gaps = sorted(self.result.gaps().items(), key=lambda gap: (-gap[1], gap[0]))
        named = _(", ").join(f"{product} {yuan(minor)}" for product, minor in gaps[:TOLD] if minor)
        message = _(
            "These caps may bring in %(net)s yuan net of VAT, %(gap)s yuan above the permitted revenue of %(permitted)s yuan. "
            "Too much by product: %(products)s."
        )
        values = {
            "net": yuan(self.result.net_minor),
            "gap": yuan(self.result.gap_minor),
            "permitted": yuan(self.result.frame.permitted_minor),
            "products": named,
        }
        super().__init__(message % values, field="caps", **values)


@dataclass(frozen=True)
class Volume:
    """Charged units of a year, in millionths."""

    expected_micro: int
    capacity_micro: int | None


@dataclass(frozen=True)
class Version:
    """The caps of a product for purpose classes from a day on; ``volumes`` is empty where they were set on trial."""

    product: str
    classes: tuple[str, ...]
    start: date
    caps: dict[Key, int]
    volumes: dict[Key, Volume]
    source: object
    is_new: bool = False
    end: date | None = None


@dataclass(frozen=True)
class Tested:
    """A result, the day whose set it is, and the products whose caps could not be counted."""

    permitted: PermittedRevenue
    day: date
    result: Result
    uncounted: tuple[str, ...] = field(default=())

    def facts(self, *, at: datetime, products: Iterable[str] | None = None) -> dict[str, Any]:
        """The test as it is kept: totals, and every line (or those of the products named). Yuan and units as decimal text."""
        frame, gaps = self.result.frame, self.result.gaps()
        wanted = None if products is None else set(products)
        return {
            "permitted_revenue": self.permitted.pk,
            "permitted": yuan(frame.permitted_minor),
            "period": [frame.start.isoformat(), frame.end.isoformat()],
            "share_of_year": str(self.result.share_of_year),
            "vat_rate": plain(frame.vat_micro, 6, 2),
            "capacity_floor": plain(frame.floor_micro, 6, 2),
            "on": self.day.isoformat(),
            "gross": plain(self.result.gross_pico, 12, 2),
            "net": yuan(self.result.net_minor),
            "gap": yuan(self.result.gap_minor),
            "ok": self.result.is_within,
            "count": len(self.result.lines),
            "uncounted": list(self.uncounted),
            "at": at.isoformat(),
            "rows": [
                _row(result) | {"gap": yuan(gaps[result.line.product])}
                for result in self.result.lines
                if wanted is None or result.line.product in wanted
            ],
        }


def _row(result: Any) -> dict[str, Any]:
    line = result.line
    return {
        "product": line.product,
        "classes": list(line.classes),
        "basis": line.basis,
        "period": line.flat_period,
        "cap": plain(line.cap_micro, 6, 2),
        "expected": quantity(line.expected_micro),
        "capacity": None if line.capacity_micro is None else quantity(line.capacity_micro),
        "used": quantity(result.used_micro),
        "floor": result.has_floor,
        "gross": plain(result.gross_pico, 12, 2),
        "net": yuan(result.net_minor),
        "new": line.is_new,
    }


def frame_of(permitted: PermittedRevenue) -> Frame:
    """The permitted revenue with the VAT rate and the capacity floor that it follows: those in force when it was drafted."""
    return Frame(
        permitted_minor=permitted.amount_minor,
        start=permitted.period.lower,
        end=permitted.period.upper,
        vat_micro=_rate(permitted, "vat_rate"),
        floor_micro=_rate(permitted, "capacity_floor"),
    )


def _rate(permitted: PermittedRevenue, name: str) -> int:
    kept = permitted.rules.get(name)
    if kept is None:
        authorisation = permitted.authorisation
        region = authorisation.region or authorisation.authorising_body.region
        kept = parameter(name=name, on=permitted.period.lower, jurisdiction=region or NATIONAL)
    return scaled(str(kept["value"] if isinstance(kept, dict) else kept), 6)


def read_volumes(volumes: Any, terms: CapSet, name: str = "volumes") -> dict[Key, Volume]:
    """The volumes of a filing by basis and period. Raises DocumentRefused: unknown basis, negative, too many decimals, twice."""
    problems: list[Problem] = []
    known = {(cap.basis, cap.period or ""): cap for cap in terms.caps}
    found: dict[Key, Volume] = {}
    for node in Node(list(volumes), "", name, problems).items():
        fields = node.fields(required=("basis", "expected"), optional=("period", "capacity"))
        if len(fields) < 2 or "basis" not in fields or "expected" not in fields:
            continue
        key = (str(fields["basis"].value), str(fields["period"].value or "") if "period" in fields else "")
        if key not in known:
            fields["basis"].note(
                "unknown_value", value=" ".join(key).strip(), known=", ".join(" ".join(k).strip() for k in known)
            )
        elif key in found:
            node.note("duplicate_cap")
        else:
            capacity = fields.get("capacity")
            has_capacity = capacity is not None and capacity.value not in (None, "")
            found[key] = Volume(
                fields["expected"].decimal(6), capacity.decimal(6) if capacity is not None and has_capacity else None
            )
    if problems:
        raise DocumentRefused(problems)
    return found


def require_volumes(terms: CapSet, volumes: dict[Key, Volume]) -> None:
    """Raise VolumeMissing where a formal cap has neither an expected volume nor a design capacity."""
    for cap in terms.caps:
        volume = volumes.get((cap.basis, cap.period or ""))
        if volume is None or not (volume.expected_micro or volume.capacity_micro):
            message = _("State the expected charged volume of a year, or the design capacity, for: %(basis)s.")
            raise VolumeMissing(message % {"basis": BASIS_WORDS[cap.basis]}, field="volumes")


def version_of(filing: CapFiling, *, is_new: bool = False) -> Version:
    """A filing's caps and volumes, from its own documents."""
    terms = parse_caps(filing.document, "caps")
    assert terms.start is not None
    return Version(
        product=filing.product.code,
        classes=purpose_classes(terms.purposes),
        start=terms.start,
        caps={(cap.basis, cap.period or ""): cap.cap_micro for cap in terms.caps},
        volumes=read_volumes(filing.volumes, terms),
        source=("filing", filing.pk),
        is_new=is_new,
    )


def try_filings(*, permitted: PermittedRevenue, filings: Sequence[CapFiling]) -> Tested:
    """Test caps that are about to hold, together with everything else that holds with them."""
    return try_versions(permitted=permitted, new=[version_of(filing, is_new=True) for filing in filings])


def require_within(tested_set: Tested) -> Tested:
    """Raise CapsAbovePermittedRevenue where the set may bring in more than is permitted."""
    if not tested_set.result.is_within:
        raise CapsAbovePermittedRevenue(tested_set)
    return tested_set


def try_versions(*, permitted: PermittedRevenue, new: Sequence[Version]) -> Tested:
    frame = frame_of(permitted)
    first = max(frame.start, min((version.start for version in new), default=frame.start))
    own = {version.source for version in new}
    others = [v for v in versions_from(permitted.authorisation, first, frame.end) if v.source not in own]
    every = [*others, *new]
    days = sorted({first, *(version.start for version in every if first < version.start < frame.end)})
    sets = [_on(permitted, frame, every, day) for day in days]
    return max(sets, key=lambda found: found.result.gross_pico)


def _on(permitted: PermittedRevenue, frame: Frame, versions: Sequence[Version], day: date) -> Tested:
    """The set of a day, tested."""
    holding: dict[tuple[str, str], Version] = {}
    for version in versions:
        if version.start > day or (version.end is not None and version.end <= day):
            continue
        for purpose_class in version.classes:
            place = (version.product, purpose_class)
            before = holding.get(place)
            if before is None or (version.start, version.is_new) >= (before.start, before.is_new):
                holding[place] = version
    classes: dict[int, list[str]] = {}
    chosen: dict[int, Version] = {}
    for (_product, purpose_class), version in holding.items():
        chosen[id(version)] = version
        classes.setdefault(id(version), []).append(purpose_class)
    lines: list[Line] = []
    uncounted: list[str] = []
    for key, version in chosen.items():
        missing = [cap for cap in version.caps if cap not in version.volumes]
        uncounted += [version.product] if missing else []
        lines += _lines(version, tuple(sorted(classes[key])))
    lines.sort(key=lambda line: (line.product, line.classes, line.basis, line.flat_period))
    return Tested(permitted, day, weigh(frame, lines), tuple(sorted(set(uncounted))))


def _lines(version: Version, classes: tuple[str, ...]) -> list[Line]:
    return [
        Line(
            product=version.product,
            classes=classes,
            basis=basis,
            flat_period=flat_period,
            cap_micro=cap,
            expected_micro=version.volumes[basis, flat_period].expected_micro,
            capacity_micro=version.volumes[basis, flat_period].capacity_micro,
            is_new=version.is_new,
        )
        for (basis, flat_period), cap in version.caps.items()
        if (basis, flat_period) in version.volumes
    ]


def versions_from(authorisation: Authorisation, first: date, end: date) -> list[Version]:
    """The published caps of an operation that hold in [first, end), and those that are approved and will follow."""
    rows = Cap.objects.filter(product__authorisation=authorisation, period__overlap=(first, end))
    rows = rows.exclude(product__regime__in=(Regime.MARKET, Regime.FREE)).select_related("filing", "product")
    grouped: dict[tuple[int, date, date | None], list[Cap]] = {}
    for cap in rows.order_by("id"):
        grouped.setdefault((cap.filing_id, cap.period.lower, cap.period.upper), []).append(cap)
    found = [_published(caps) for caps in grouped.values()]
    ahead = CapFiling.objects.filter(product__authorisation=authorisation, state__in=AHEAD).select_related("product")
    return found + [version_of(filing) for filing in ahead.order_by("id")]


def _published(caps: Sequence[Cap]) -> Version:
    filing = caps[0].filing
    kept = {(row["basis"], row.get("period") or ""): row for row in filing.volumes}
    return Version(
        product=caps[0].product.code,
        classes=tuple(sorted({cap.purpose_class for cap in caps})),
        start=caps[0].period.lower,
        end=caps[0].period.upper,
        caps={(cap.basis, cap.flat_period): int(cap.amount.scaleb(6)) for cap in caps},
        volumes={
            key: Volume(scaled(row["expected"], 6), scaled(row["capacity"], 6) if row.get("capacity") else None)
            for key, row in kept.items()
        },
        source=("filing", filing.pk),
    )
