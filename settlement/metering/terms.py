"""What an entitlement allows to be reported: read once for many events, checked without asking again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from products.record.clock import day_start
from products.registry.purposes import covers
from settlement.metering.rules import business_day

FIRST, LAST = datetime.fromisoformat("0001-01-02T00:00:00+00:00"), datetime.fromisoformat("9999-12-30T00:00:00+00:00")
MOST_SHAPES = 1_000


class Refusal(Exception):
    """An event that may not be recorded: ``reason`` is a code of ``reports.REASONS``, ``detail`` says where."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Terms(msgspec.Struct):
    """An entitlement as ``report_terms.sql`` reads it.

    ``tariffs`` are (first day, day after the last or None, components that are metered); ``stops`` are (begin, end or None).
    ``shapes`` keeps what was found out about its events (``reported``) for as long as these terms are believed.
    """

    entitlement_id: int
    code: str
    organisation_id: int
    operator_id: int
    operator: str
    product_id: int
    product: str
    valid_from: datetime
    valid_to: datetime
    purposes: list[str]
    is_free: bool
    is_prepaid: bool
    has_plan: bool
    has_quota: bool
    tariffs: list[tuple[date, date | None, list[str]]]
    stops: list[tuple[datetime, datetime | None]]
    shapes: dict[tuple[str, bytes], object] = msgspec.field(default_factory=dict)

    def check_purpose(self, purpose: str) -> None:
        if not any(covers(right, purpose) for right in self.purposes):
            raise Refusal("purpose", "/data/purpose")

    def window(self, time: datetime, components: Iterable[str]) -> tuple[datetime, datetime]:
        """The span around ``time`` in which use of these components is in order throughout. Raises ``Refusal``."""
        begin, end = self.valid_from, self.valid_to
        if not begin <= time < end:
            raise Refusal("validity", "/time")
        for stopped, lifted in self.stops:
            if stopped <= time < (lifted or LAST):
                raise Refusal("stopped", "/time")
            if time < stopped:
                end = min(end, stopped)
            else:
                begin = max(begin, lifted or FIRST)
        if not self.has_plan:
            return begin, end
        first, last = self._tariff(time, components)
        return max(begin, first), min(end, last)

    def _tariff(self, time: datetime, components: Iterable[str]) -> tuple[datetime, datetime]:
        """Only components of the tariff in force at the time, and no flat one: those are counted by the calendar."""
        day = business_day(time)
        for first, after, metered in self.tariffs:
            if first <= day and (after is None or day < after):
                unknown = sorted(set(components) - set(metered))
                if unknown:
                    raise Refusal("units", ", ".join(f"/data/units/{component}" for component in unknown))
                return day_start(first), day_start(after) if after else LAST
        raise Refusal("units", "no tariff was in force at that time")


_decode = msgspec.json.Decoder(Terms).decode


def terms_of(rows: Iterable[tuple[str, str]]) -> dict[str, Terms]:
    """Rows of ``report_terms`` by code."""
    return {code: _decode(text) for code, text in rows}
