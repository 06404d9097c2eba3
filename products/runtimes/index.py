"""Index products: a dated series with vintages, so that a buyer can ask what was known on a given day.

Artifact: MessagePack of ``{"series": {name: {"dates": [day…], "vintages": [day…], "values": ["1.25"…]}}}``, three
columns
of one length, sorted by (date, vintage); a day is the proleptic ordinal of ``datetime.date``; a value is a decimal
string. Where the data file says how many people stand behind each value, ``counts`` is a fourth column.
Config: ``{"unit": "…", "series": {name: {"unit", "label"}}, "max_points": 1000}`` (at most 10,000), and with counts
``min_cell`` (people; never below the rules' minimum), ``small_cells: "suppress"`` and
``totals: {series: [series that it is the sum of]}`` (``cells``).
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext as _

from products.runtimes import cells
from products.runtimes.base import FieldError, ReleaseRefused, ReleaseSpec, RunResult, refuse_input, refuse_release
from products.runtimes.schemas import Schema

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
MAX_POINTS = 1000
MOST_POINTS = 10_000  # an answer is made in one go: a call may not keep the others waiting
UNITS = {"calls": "1"}
LEAST_CELL = 10  # people, where a config says nothing; publishing sets what the rules say
Row = tuple[str, date, date, str] | tuple[str, date, date, str, int | None]


class Series(msgspec.Struct, omit_defaults=True):
    dates: list[int]
    vintages: list[int]
    values: list[str]
    counts: list[int] | None = None


class Packed(msgspec.Struct):
    series: dict[str, Series]


@dataclass(frozen=True, slots=True)
class Point:
    """One value as it was known: its day, the decimal string (empty: suppressed), and the vintage it comes from."""

    day: int
    value: str
    vintage: int

    def as_json(self) -> dict[str, Any]:
        if not self.value:
            day, vintage = date.fromordinal(self.day), date.fromordinal(self.vintage)
            return {"date": day.isoformat(), "value": None, "vintage": vintage.isoformat(), "suppressed": True}
        return {
            "date": date.fromordinal(self.day).isoformat(),
            "value": self.value,
            "vintage": date.fromordinal(self.vintage).isoformat(),
        }


class Timeline:
    """One series, indexed by day; reads are bisections, never scans of the whole."""

    def __init__(self, series: Series) -> None:
        self._vintages, self._values = series.vintages, series.values
        self.days: list[int] = []
        self._starts: list[int] = []
        for position, day in enumerate(series.dates):
            if not self.days or self.days[-1] != day:
                self.days.append(day)
                self._starts.append(position)
        self._starts.append(len(series.dates))
        # From each day on, the first vintage of any: it only grows, so the last day that was known is bisected.
        firsts = [self._vintages[start] for start in self._starts[:-1]]
        self._earliest = list(accumulate(reversed(firsts), min))[::-1]

    def known(self, index: int, as_of: int) -> Point | None:
        """The value of the index-th day as it was known at the end of ``as_of``; None if it was not yet."""
        low, high = self._starts[index], self._starts[index + 1]
        position = bisect_right(self._vintages, as_of, low, high) - 1
        if position < low:
            return None
        return Point(self.days[index], self._values[position], self._vintages[position])

    def latest(self, as_of: int) -> Point | None:
        index = bisect_right(self._earliest, as_of) - 1
        return None if index < 0 else self.known(index, as_of)

    def on(self, day: int, as_of: int) -> Point | None:
        index = bisect_left(self.days, day)
        if index == len(self.days) or self.days[index] != day:
            return None
        return self.known(index, as_of)

    def span(self, first: int, last: int) -> range:
        """Indexes of the days in [first, last]."""
        return range(bisect_left(self.days, first), bisect_right(self.days, last))


def input_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an index product's asks; what ``publish_product`` uses where the spec gives none."""
    day = {"type": "string", "format": "date"}
    series = {"enum": sorted(config["series"])}
    common = {"vintage": day, "series": series}
    asks = {"latest": {}, "date": {"date": day}, "range": {"from": day, "to": day}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["ask"],
        "properties": {"ask": {"enum": list(asks)}, "date": day, "from": day, "to": day, **common},
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"ask": {"const": ask}}},
                "then": {
                    "required": sorted(fields),
                    "properties": {name: False for name in ("date", "from", "to") if name not in fields},
                },
            }
            for ask, fields in asks.items()
        ],
    }


def output_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    day = {"type": "string", "format": "date"}
    point = {
        "type": "object",
        "required": ["date", "value", "vintage"],
        "additionalProperties": False,
        "properties": {"date": day, "value": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, "vintage": day},
    }
    if "min_cell" in config:
        value = {"type": ["string", "null"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
        point["properties"] = {"date": day, "value": value, "vintage": day, "suppressed": {"const": True}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["series", "unit", "as_of", "points"],
        "additionalProperties": False,
        "properties": {
            "series": {"enum": sorted(config["series"])},
            "unit": {"type": "string"},
            "as_of": day,
            "points": {"type": "array", "items": point, "minItems": 1},
        },
    }


class IndexRuntime:
    """A loaded index release."""

    def __init__(self, release: ReleaseSpec) -> None:
        self._config = release.config
        packed = unpack(release)
        hide_small_cells(packed, release.config)  # once more than at publishing: an artifact may be older than its rule
        self._timelines = {name: Timeline(series) for name, series in packed.series.items()}
        self._default = next(iter(release.config["series"]))
        self._latest = lru_cache(maxsize=256)(self._find_latest)
        self._max_points = min(int(release.config.get("max_points", MAX_POINTS)), MOST_POINTS)
        self._product_schema = Schema(release.input_schema, where="/input_schema")
        own = input_schema(release.config)
        # Most releases have the runtime's own schema: what fits it need not be looked at twice.
        self._own_schema = None if release.input_schema == own else Schema(own, where="/config")

    def check(self, body: Any) -> None:
        self._product_schema.check(body)
        if self._own_schema is not None:
            self._own_schema.check(body)

    def subject(self, body: Any) -> None:
        return None

    def run(self, body: Any, at: datetime) -> RunResult:
        """Points of the ask. A vintage later than the business day of ``at`` is read as that day: nothing is shown
        early.
        """
        name = body.get("series", self._default)
        today = at.astimezone(BUSINESS_ZONE).date().toordinal()
        as_of = min(_ordinal(body["vintage"]), today) if "vintage" in body else today
        if body["ask"] == "latest":  # what nearly everyone asks: the same answer all day
            return self._latest(name, as_of)
        return self._result(name, as_of, self._points(self._timelines[name], body, as_of))

    def _find_latest(self, name: str, as_of: int) -> RunResult:
        point = self._timelines[name].latest(as_of)
        if point is None:
            raise refuse_input("/vintage", _("nothing was known yet on %s") % date.fromordinal(as_of).isoformat())
        return self._result(name, as_of, [point])

    def _result(self, name: str, as_of: int, points: list[Point]) -> RunResult:
        return RunResult(
            output={
                "series": name,
                "unit": self._config["series"][name]["unit"],
                "as_of": date.fromordinal(as_of).isoformat(),
                "points": [point.as_json() for point in points],
            },
            units=dict(UNITS),
        )

    def _points(self, timeline: Timeline, body: Mapping[str, Any], as_of: int) -> list[Point]:
        known = date.fromordinal(as_of).isoformat()
        if body["ask"] == "date":
            point = timeline.on(_ordinal(body["date"]), as_of)
            if point is None:
                raise refuse_input("/date", _("this series has no value for that day, as known on %s") % known)
            return [point]
        return self._range(timeline, body, as_of, known)

    def _range(self, timeline: Timeline, body: Mapping[str, Any], as_of: int, known: str) -> list[Point]:
        first, last = _ordinal(body["from"]), _ordinal(body["to"])
        if last < first:
            raise refuse_input("/to", _("must not be before /from"))
        span = timeline.span(first, last)
        if len(span) > self._max_points:
            raise refuse_input("/to", _("the range holds more than %s points; ask for parts of it") % self._max_points)
        points = [point for index in span if (point := timeline.known(index, as_of))]
        if not points:
            raise refuse_input("/from", _("this series has no value in that range, as known on %s") % known)
        return points


def _ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def unpack(release: ReleaseSpec) -> Packed:
    """The artifact's columns, proven sorted and of one length. Raises ``ReleaseRefused``."""
    try:
        packed = msgspec.msgpack.decode(release.artifact, type=Packed)
    except msgspec.DecodeError as error:
        raise refuse_release("/artifact", _("not an index artifact: %s") % error) from error
    declared = release.config.get("series")
    if not isinstance(declared, Mapping) or not declared or set(declared) != set(packed.series):
        raise refuse_release("/config/series", _("must name exactly the series of the data file"))
    for name, series in packed.series.items():
        keys = list(zip(series.dates, series.vintages, strict=False))
        columns: list[list[Any]] = [series.vintages, series.values]
        columns += [series.counts] if series.counts is not None else []
        if not keys or any(len(column) != len(series.dates) for column in columns):
            raise refuse_release(f"/artifact/series/{name}", _("is empty, or its columns differ in length"))
        if any(later <= earlier for earlier, later in pairwise(keys)):
            raise refuse_release(f"/artifact/series/{name}", _("is not sorted, or holds a date and vintage twice"))
    return packed


def hide_small_cells(packed: Packed, config: Mapping[str, Any]) -> None:
    """Empty the values behind which too few people stand, and those that would give them away, day by day (``cells``).

    What is hidden in one vintage of a day is hidden in all: a revision must not tell what the first estimate kept.
    """
    counted = {name: series for name, series in packed.series.items() if series.counts is not None}
    days: dict[int, dict[str, int]] = {}
    for name, series in counted.items():
        for day, count in zip(series.dates, series.counts or (), strict=True):
            cells_ = days.setdefault(day, {})
            cells_[name] = min(count, cells_.get(name, count))
    minimum, totals = int(config.get("min_cell", LEAST_CELL)), config.get("totals", {})
    hidden = {(day, name) for day, cells_ in days.items() for name in cells.suppressed(cells_, totals, minimum)}
    for name, series in counted.items():
        assert series.counts is not None
        for place, day in enumerate(series.dates):
            if (day, name) in hidden:
                series.values[place], series.counts[place] = "", cells.GONE


def pack(rows: Iterable[Row], config: Mapping[str, Any] | None = None) -> bytes:
    """Artifact of rows (series, date, vintage, decimal string, and people where they are counted), in any order.

    The same rows give the same bytes.
    """
    columns: dict[str, Series] = {}
    for name, day, vintage, value, *people in sorted(rows, key=lambda row: row[:4]):
        count = people[0] if people else None
        series = columns.setdefault(name, Series([], [], [], None if count is None else []))
        series.dates.append(day.toordinal())
        series.vintages.append(vintage.toordinal())
        series.values.append(value)
        if count is not None and series.counts is not None:
            series.counts.append(count)
    packed = Packed(columns)
    hide_small_cells(packed, config or {})
    return msgspec.msgpack.encode(packed)


def pack_csv(data: bytes, config: Mapping[str, Any]) -> bytes:
    """Artifact of a CSV file with the columns ``date, value`` and optionally ``series``, ``vintage`` (default: the
    date) and ``count`` (people behind the value). A count below ``min_cell`` is refused unless the config says that small
    cells are suppressed.

    Raises ``ReleaseRefused`` with every bad row at ``/data/{line}/{column}``.
    """
    _check_points(config)
    default = next(iter(config.get("series") or {"": None}))
    rows: list[Row] = []
    errors: list[FieldError] = _check_totals(config)
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    is_counted = "count" in (reader.fieldnames or ())
    for line, row in enumerate(reader, start=2):
        try:
            day = date.fromisoformat(row.get("date") or "")
            vintage = date.fromisoformat(row["vintage"]) if row.get("vintage") else day
        except ValueError:
            errors.append({"pointer": f"/data/{line}/date", "message": _("date and vintage must be YYYY-MM-DD")})
            continue
        value = _decimal(row.get("value") or "")
        if value is None:
            errors.append({"pointer": f"/data/{line}/value", "message": _("must be a decimal number")})
            continue
        count = _count(row.get("count") or "", config, line, errors) if is_counted else None
        rows.append((row.get("series") or default, day, vintage, value, count))
    if errors:
        raise ReleaseRefused(errors[:20])
    return pack(rows, config)


def has_counts(data: bytes) -> bool:
    """Whether a data file says how many people stand behind each value."""
    return b"count" in [name.strip() for name in data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].split(b",")]


def _count(text: str, config: Mapping[str, Any], line: int, errors: list[FieldError]) -> int:
    where, minimum = f"/data/{line}/count", int(config.get("min_cell", LEAST_CELL))
    if not re.fullmatch(r"[0-9]{1,12}", text.strip()):
        errors.append({"pointer": where, "message": _("must be a whole number of people")})
        return 0
    count = int(text)
    if count < minimum and config.get("small_cells") != "suppress":
        message = _("fewer than %s people stand behind this value: leave it out, or say small_cells: suppress") % minimum
        errors.append({"pointer": where, "message": message})
    return count


def _check_points(config: Mapping[str, Any]) -> None:
    asked = config.get("max_points", MAX_POINTS)
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= MOST_POINTS:
        raise refuse_release("/config/max_points", _("must be a whole number from 1 to %s") % MOST_POINTS)


def _check_totals(config: Mapping[str, Any]) -> list[FieldError]:
    """Totals name series of the release, and are not parts of themselves."""
    known, errors = set(config.get("series") or ()), []
    for total, sums in (config.get("totals") or {}).items():
        named = cells.each_sum(sums) if isinstance(sums, list) else [[]]
        is_right = all(parts and set(map(str, parts)) <= known - {total} for parts in named)
        if total not in known or not is_right:
            message = _("must name a series, and the series that it is the sum of")
            errors.append(FieldError(pointer=f"/config/totals/{total}", message=message))
    return errors


def _decimal(text: str) -> str | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return format(number, "f") if number.is_finite() else None
