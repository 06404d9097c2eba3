"""Index products: a dated series with vintages, so that a buyer can ask what was known on a given day.

Artifact: MessagePack of ``{"series": {name: {"dates": [day…], "vintages": [day…], "values": ["1.25"…]}}}``, three
columns
of one length, sorted by (date, vintage); a day is the proleptic ordinal of ``datetime.date``; a value is a decimal
string.
Config: ``{"unit": "…", "series": {name: {"unit", "label"}}, "max_points": 1000}``.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext as _

from products.runtimes.base import FieldError, ReleaseRefused, ReleaseSpec, RunResult, refuse_input, refuse_release
from products.runtimes.schemas import Schema

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
MAX_POINTS = 1000
UNITS = {"calls": "1"}


class Series(msgspec.Struct):
    dates: list[int]
    vintages: list[int]
    values: list[str]


class Packed(msgspec.Struct):
    series: dict[str, Series]


@dataclass(frozen=True, slots=True)
class Point:
    """One value as it was known: its day, the decimal string, and the vintage it comes from."""

    day: int
    value: str
    vintage: int

    def as_json(self) -> dict[str, str]:
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

    def known(self, index: int, as_of: int) -> Point | None:
        """The value of the index-th day as it was known at the end of ``as_of``; None if it was not yet."""
        low, high = self._starts[index], self._starts[index + 1]
        position = bisect_right(self._vintages, as_of, low, high) - 1
        if position < low:
            return None
        return Point(self.days[index], self._values[position], self._vintages[position])

    def latest(self, as_of: int) -> Point | None:
        for index in range(len(self.days) - 1, -1, -1):
            point = self.known(index, as_of)
            if point:
                return point
        return None

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
        self._timelines = {name: Timeline(series) for name, series in unpack(release).series.items()}
        self._default = next(iter(release.config["series"]))
        self._latest = lru_cache(maxsize=256)(self._find_latest)
        self._max_points = int(release.config.get("max_points", MAX_POINTS))
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
        if not keys or not len(series.dates) == len(series.vintages) == len(series.values):
            raise refuse_release(f"/artifact/series/{name}", _("is empty, or its columns differ in length"))
        if any(later <= earlier for earlier, later in pairwise(keys)):
            raise refuse_release(f"/artifact/series/{name}", _("is not sorted, or holds a date and vintage twice"))
    return packed


def pack(rows: Iterable[tuple[str, date, date, str]]) -> bytes:
    """Artifact of rows (series, date, vintage, decimal string), in any order. The same rows give the same bytes."""
    columns: dict[str, Series] = {}
    for name, day, vintage, value in sorted(rows):
        series = columns.setdefault(name, Series([], [], []))
        series.dates.append(day.toordinal())
        series.vintages.append(vintage.toordinal())
        series.values.append(value)
    return msgspec.msgpack.encode(Packed(columns))


def pack_csv(data: bytes, config: Mapping[str, Any]) -> bytes:
    """Artifact of a CSV file with the columns ``date, value`` and optionally ``series`` and ``vintage`` (default: the
    date).

    Raises ``ReleaseRefused`` with every bad row at ``/data/{line}/{column}``.
    """
    default = next(iter(config.get("series") or {"": None}))
    rows: list[tuple[str, date, date, str]] = []
    errors: list[FieldError] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))), start=2):
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
        rows.append((row.get("series") or default, day, vintage, value))
    if errors:
        raise ReleaseRefused(errors[:20])
    return pack(rows)


def _decimal(text: str) -> str | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return format(number, "f") if number.is_finite() else None
