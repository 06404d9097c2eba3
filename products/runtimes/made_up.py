"""Made-up answers for the sandbox: the release's sample, varied by the input in a way that the docs state.

The same input always gets the same answer, nothing of the release's artifact is read, and each answer fits the output schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

MOST_POINTS = 31
ANSWERS = {"0": "mismatch", "9": "not_found"}


def made_up(*, type: str, sample: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer for a checked body. A verification answers by the last character of each claim, an index by the days asked for;
    other types answer their sample.
    """
    if type == "verification" and isinstance(sample.get("results"), Mapping) and isinstance(body.get("claims"), Mapping):
        return {**sample, "results": {name: ANSWERS.get(str(claim)[-1:], "match") for name, claim in body["claims"].items()}}
    if type == "index" and sample.get("points"):
        return _index(sample, body)
    return sample


def _index(sample: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    series = body.get("series", sample.get("series"))
    point = sample["points"][0]
    named = {**sample, "series": series}
    if body.get("ask") not in ("date", "range"):
        return {**named, "points": [point]}
    first = date.fromisoformat(body["date"] if body["ask"] == "date" else body["from"])
    last = first if body["ask"] == "date" else date.fromisoformat(body["to"])
    days = [first + timedelta(days=each) for each in range(min((last - first).days + 1, MOST_POINTS))]
    made = [{**point, "date": str(day), "vintage": str(day), "value": _value(str(series), day)} for day in days]
    return {**named, "points": made or [point]}


def _value(series: str, day: date) -> str:
    """A number between 50.00 and 149.99 that the series and the day decide."""
    number = int.from_bytes(sha256(f"{series} {day}".encode()).digest()[:4], "big") % 10_000
    return f"{50 + number // 100}.{number % 100:02d}"
