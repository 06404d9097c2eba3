"""Usage reported by operators, through the door that waits: ``import_usage`` and whoever runs within Django.

``POST /v1/usage`` shares every check (``reported``) and the answers, and records through the gateway's group commit instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.utils.translation import gettext_lazy as _

from settlement.metering.events import NewEvent, Outcome, Status
from settlement.metering.record import record_events
from settlement.metering.reported import Report, checked, codes_of, identifier_of, oldest, read_one
from settlement.metering.terms import Refusal, Terms, terms_of
from settlement.sql import query

REASONS = {
    "malformed": _("The event does not have the shape of a usage event."),
    "source": _("The source must begin with /operators/ and your slug."),
    "entitlement": _("There is no such entitlement."),
    "other_operator": _("The entitlement is another operator's."),
    "purpose": _("The purpose is outside the entitlement's."),
    "validity": _("The entitlement was not valid at that time."),
    "future": _("The time is in the future."),
    "too_old": _("The use is too long ago to be reported."),
    "stopped": _("Calls were stopped in an emergency at that time."),
    "units": _("The units are not those of the tariff."),
    "conflict": _("The same source and id was recorded with other content."),
    "over_quota": _("The entitlement's quota would be overspent."),
    "over_balance": _("The buyer's deposits no longer cover this use of a prepaid plan."),
    "not_correctable": _("The receipt cannot be corrected so."),
}


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one reported event: accepted, duplicate or rejected; ``reason`` is a code of REASONS."""

    status: str
    id: str | None
    receipt: UUID | None = None
    reason: str = ""
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """With the reason's sentence in the language that is active."""
        facts: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.receipt is not None:
            facts["receipt"] = str(self.receipt)
        if self.reason:
            facts |= {"reason": self.reason, "message": str(REASONS[self.reason])}
        if self.detail:
            facts["detail"] = self.detail
        return facts


class Checked:
    """The events of a batch, each checked or refused, waiting for what the recorder says of those that are in order."""

    def __init__(
        self,
        reports: Sequence[Report | Refusal],
        terms: dict[str, Terms],
        *,
        operator_id: int | None,
        key_id: int | None,
        at: datetime,
    ) -> None:
        self._reports = reports
        self._refused: dict[int, Refusal] = {}
        self.events: list[NewEvent] = []
        since = oldest(at)
        for place, report in enumerate(reports):
            try:
                if isinstance(report, Refusal):
                    raise report
                found = terms.get(report.subject)
                self.events.append(checked(report, found, operator_id=operator_id, key_id=key_id, at=at, since=since))
            except Refusal as refusal:
                self._refused[place] = refusal

    def __len__(self) -> int:
        return len(self._reports)

    @property
    def has_malformed(self) -> bool:
        return any(isinstance(self._reports[place], Refusal) for place in self._refused)

    def answers(self, outcomes: Sequence[Outcome], raws: Sequence[bytes | msgspec.Raw] | None = None) -> list[Answer]:
        """An answer for each event in the order given; ``raws`` tell the ids of those that are not well-formed."""
        told = iter(outcomes)
        found: list[Answer] = []
        for place, report in enumerate(self._reports):
            refusal = self._refused.get(place)
            if refusal is None:
                assert isinstance(report, Report)
                found.append(_answer(report.id, next(told)))
            else:
                name = report.id if isinstance(report, Report) else identifier_of(raws[place]) if raws else None
                found.append(Answer("rejected", name, None, refusal.reason, refusal.detail))
        return found


def report_usage(*, events: Sequence[Any], operator_id: int | None, key_id: int | None = None, at: datetime) -> list[Answer]:
    """Record reported events, an answer for each in the order given. An event is JSON (bytes) or what JSON decodes to.

    ``operator_id`` binds a usage key to its operator; None (``import_usage``, run by the platform's own people) takes the
    operator of the entitlement. Durable when the caller's transaction commits.
    """
    raws = [event if isinstance(event, bytes) else msgspec.json.encode(event) for event in events]
    reports = [read_one(raw) for raw in raws]
    batch = Checked(reports, _read_terms(codes_of(reports)), operator_id=operator_id, key_id=key_id, at=at)
    return batch.answers(record_events(batch.events, at=at), raws)


def _read_terms(codes: Iterable[str]) -> dict[str, Terms]:
    with connection.cursor() as cursor:
        cursor.execute(query("report_terms"), {"codes": sorted(codes)})
        return terms_of(cursor.fetchall())


def _answer(identifier: str, outcome: Outcome) -> Answer:
    if outcome.status is Status.ACCEPTED:
        return Answer("accepted", identifier, outcome.usage_id)
    if outcome.status is Status.DUPLICATE:
        return Answer("duplicate", identifier, outcome.usage_id)
    return Answer("rejected", identifier, outcome.usage_id, outcome.status.value, outcome.reason)
