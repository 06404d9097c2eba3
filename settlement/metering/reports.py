"""Usage reported by operators: CloudEvents checked against entitlements, then recorded.

The shape is design.md section 6; CloudEvents 1.0.2, sections 3.1 and 3.2 for the attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from pricing.tariffs.models import Tariff
from products.record.clock import business_date
from products.registry.purposes import covers
from settlement.entitlements.models import Entitlement
from settlement.entitlements.stop_selectors import StopTimes
from settlement.metering.record import NewEvent, Outcome, Status, record_events

EVENT_TYPE = "cn.gongshu.usage.v1"
SKEW = timedelta(seconds=60)
MOST_UNITS = Decimal(10) ** 18
_QUANTITY = re.compile(r"[0-9]{1,19}(\.[0-9]{1,6})?\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")
_canonical = msgspec.json.Encoder(order="deterministic").encode

REASONS = {
    "malformed": _("The event does not have the shape of a usage event."),
    "source": _("The source must begin with /operators/ and your slug."),
    "entitlement": _("There is no such entitlement."),
    "other_operator": _("The entitlement is another operator's."),
    "purpose": _("The purpose is outside the entitlement's."),
    "validity": _("The entitlement was not valid at that time."),
    "future": _("The time is in the future."),
    "stopped": _("Calls were stopped in an emergency at that time."),
    "units": _("The units are not those of the tariff."),
    "conflict": _("The same source and id was recorded with other content."),
    "over_quota": _("The entitlement's quota would be overspent."),
    "over_balance": _("The buyer's deposits no longer cover this use of a prepaid plan."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one reported event: accepted, duplicate or rejected; ``reason`` is a code of REASONS."""

    status: str
    id: str | None
    receipt: UUID | None = None
    reason: str = ""
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.receipt is not None:
            facts["receipt"] = str(self.receipt)
        if self.reason:
            facts |= {"reason": self.reason, "message": str(REASONS[self.reason])}
        if self.detail:
            facts["detail"] = self.detail
        return facts


class _Rejected(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class _Report:
    """A well-formed event."""

    source: str
    id: str
    subject: str
    time: datetime
    purpose: str
    units: dict[str, str]
    digest: bytes
    corrects: UUID | None = None


def report_usage(
    *, events: Sequence[Any], operator_id: int | None, operator_slug: str | None, key_id: int | None = None, at: datetime
) -> list[Answer]:
    """Record reported events, an answer for each in the order given.

    ``operator_id`` and ``operator_slug`` bind a usage key to its operator; None (``import_usage``, run by the platform's own
    people) takes the operator from the source. Durable when the caller's transaction commits.
    """
    answers: dict[int, Answer] = {}
    reports: dict[int, _Report] = {}
    for place, event in enumerate(events):
        try:
            reports[place] = _parse(event)
        except _Rejected as no:
            answers[place] = Answer("rejected", _id_of(event), None, no.reason, no.detail)
    book = _Book.of(reports.values())
    new: dict[int, NewEvent] = {}
    for place, report in reports.items():
        try:
            new[place] = book.check(report, operator_id=operator_id, operator_slug=operator_slug, key_id=key_id, at=at)
        except _Rejected as no:
            answers[place] = Answer("rejected", report.id, None, no.reason, no.detail)
    outcomes = record_events(list(new.values()), at=at)
    answers.update((place, _answer(reports[place].id, outcome)) for place, outcome in zip(new, outcomes, strict=True))
    return [answers[place] for place in range(len(events))]


def _answer(identifier: str, outcome: Outcome) -> Answer:
    if outcome.status is Status.ACCEPTED:
        return Answer("accepted", identifier, outcome.usage_id)
    if outcome.status is Status.DUPLICATE:
        return Answer("duplicate", identifier, outcome.usage_id)
    return Answer("rejected", identifier, outcome.usage_id, outcome.status.value)


def _id_of(event: Any) -> str | None:
    found = event.get("id") if isinstance(event, dict) else None
    return found if isinstance(found, str) else None


def _parse(event: Any) -> _Report:
    """A well-formed report; every fault says which attribute."""
    if not isinstance(event, dict):
        raise _Rejected("malformed", "an event is a JSON object")
    if event.get("specversion") != "1.0":
        raise _Rejected("malformed", "/specversion")
    if event.get("type") != EVENT_TYPE:
        raise _Rejected("malformed", "/type")
    source, identifier, subject = (_text(event, name) for name in ("source", "id", "subject"))
    data = event.get("data")
    if not isinstance(data, dict):
        raise _Rejected("malformed", "/data")
    purpose = _text(data, "purpose", "/data/")
    units = _units(data.get("units"))
    digest = sha256(_canonical([subject, _text(event, "time"), purpose, sorted(units.items())])).digest()
    return _Report(source, identifier, subject, _time(event), purpose, units, digest)


def _text(holder: Mapping[str, Any], name: str, where: str = "/") -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or "\0" in value:
        raise _Rejected("malformed", where + name)
    return value


def _time(event: Mapping[str, Any]) -> datetime:
    text = _text(event, "time")
    try:
        if not _MOMENT.match(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise _Rejected("malformed", "/time") from None


def _units(units: Any) -> dict[str, str]:
    if not isinstance(units, dict) or not units or len(units) > 20:
        raise _Rejected("malformed", "/data/units")
    for component, quantity in units.items():
        if not isinstance(quantity, str) or not _QUANTITY.match(quantity) or len(component) > 60:
            raise _Rejected("units", f"/data/units/{component}: a decimal string of at most six places")
        try:
            if Decimal(quantity) > MOST_UNITS:
                raise _Rejected("units", f"/data/units/{component}: too large")
        except InvalidOperation:
            raise _Rejected("units", f"/data/units/{component}") from None
    return units


class _Book:
    """The entitlements that a batch names, and the components of their tariffs."""

    def __init__(self, entitlements: dict[str, Entitlement], tariffs: dict[int, list[Tariff]]) -> None:
        self._stops = StopTimes.of(entitlements.values())
        self._entitlements = entitlements
        self._tariffs = tariffs

    @classmethod
    def of(cls, reports: Any) -> _Book:
        codes = {report.subject for report in reports}
        found = Entitlement.objects.filter(code__in=codes).select_related("operator", "grant", "product")
        entitlements = {entitlement.code: entitlement for entitlement in found}
        tariffs: dict[int, list[Tariff]] = {}
        plans = {e.plan_id for e in entitlements.values() if e.plan_id}
        for tariff in Tariff.objects.filter(plan__in=plans, state__in=["filed", "accepted"]).order_by("plan_id", "version"):
            tariffs.setdefault(tariff.plan_id, []).append(tariff)
        return cls(entitlements, tariffs)

    def check(
        self, report: _Report, *, operator_id: int | None, operator_slug: str | None, key_id: int | None, at: datetime
    ) -> NewEvent:
        entitlement = self._entitlements.get(report.subject)
        if entitlement is None:
            raise _Rejected("entitlement")
        if operator_id is not None and entitlement.operator_id != operator_id:
            raise _Rejected("other_operator")
        if not report.source.startswith(f"/operators/{operator_slug or entitlement.operator.slug}/"):
            raise _Rejected("source")
        if report.time > at + SKEW:
            raise _Rejected("future")
        ended = entitlement.ended_at
        if not entitlement.valid_from <= report.time < entitlement.valid_to or (ended is not None and report.time >= ended):
            raise _Rejected("validity")
        if self._stops.hold(entitlement, report.time):
            raise _Rejected("stopped")
        if not any(covers(right, report.purpose) for right in entitlement.purposes):
            raise _Rejected("purpose")
        self._check_units(entitlement, report)
        return NewEvent(
            entitlement_id=entitlement.pk,
            entitlement=entitlement.code,
            product_id=entitlement.product_id,
            product=entitlement.product.code,
            purpose=report.purpose,
            units=report.units,
            event_time=report.time,
            request_digest=report.digest,
            source=report.source,
            event_id=report.id,
            is_free=entitlement.is_free,
            is_prepaid=entitlement.is_prepaid,
            key_id=key_id,
        )

    def _check_units(self, entitlement: Entitlement, report: _Report) -> None:
        """Only components of the tariff in force at the time, and no flat one: those are counted by the calendar."""
        if entitlement.plan_id is None:
            return
        day = business_date(report.time)
        for tariff in self._tariffs.get(entitlement.plan_id, ()):
            if day in tariff.period:
                metered = {c["code"] for c in tariff.document["components"] if c["model"] != "flat"}
                unknown = sorted(set(report.units) - metered)
                if unknown:
                    raise _Rejected("units", ", ".join(f"/data/units/{component}" for component in unknown))
                return
        raise _Rejected("units", "no tariff was in force at that time")
