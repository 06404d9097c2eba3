"""Limits that stop a caller from listing a protected table, and signs that it explores one.

Counted by product and organisation, over releases, entitlements and gateway processes: asks about one subject a day, different
subjects a day (both are the operator's, in the release's config); different claims about one subject in 30 days and neighbouring
subjects a day, whose excess is a sign of probing; and the share of questions that nothing matched. The decision is one SQL call.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from django.db import connection
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import SubjectWindow
from products.record.clock import business_date, day_start
from products.record.refusals import Refused

_SQL = Path(__file__).parents[1] / "sql"
ADMIT_SQL = (_SQL / "subject_admit.sql").read_text(encoding="utf-8")
DAYS_SQL = (_SQL / "subject_days.sql").read_text(encoding="utf-8")
NEAR_CUT = 4  # characters that neighbouring subjects differ in: a sequence number's end, with its check digit
SHORT = 2 * NEAR_CUT  # a subject of so few characters has no neighbourhood: all of its table would be one
CLAIM_DAYS = 30
# What a release's limits may set beside its two own; here what holds where it does not.
DEFAULTS = {
    "claims_per_subject": 10,
    "neighbours_per_day": 60,
    "no_match_percent": 80,
    "no_match_after": 100,
}
PROBING = ("claims", "neighbours")  # answers of the statement that are a sign of probing
_encode = msgspec.json.Encoder(order="sorted").encode


class SubjectLimitReached(Refused):
    """``facts``: ``limit`` (the statement's answer), ``allowed`` (None for ``probing``), ``retry_after`` (seconds)."""

    code = "subject_limit_reached"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is counted: 32 bytes of the subject, 8 of its neighbourhood, 8 of what is claimed; all keyed."""

    subject: bytes
    near: bytes
    claim: bytes


def asked(*, key: bytes, subject: bytes, text: str, claims: Any) -> Asked:
    """``subject`` is the runtime's digest; ``text`` the subject as asked, of which the end is cut for its neighbourhood."""
    plain = "".join(text.split()).upper()
    stem = plain[:-NEAR_CUT] if len(plain) > SHORT else plain
    near = hmac.digest(key, b"near\0" + stem.encode() + b"\0" + str(len(plain)).encode(), sha256)[:8]
    claim = hmac.digest(key, b"claim\0" + subject + _encode(claims), sha256)[:8]
    return Asked(subject, near, claim)


def limit(limits: Mapping[str, Any], name: str) -> int:
    return int(limits.get(name, DEFAULTS[name]))


def parameters(
    *, product: int, organisation: int, watched: str, limits: Mapping[str, Any], question: Asked, at: datetime
) -> dict[str, Any]:
    """Parameters of ``ADMIT_SQL``. ``watched`` is the entitlement's id as text; ``limits`` the release's ``config["limits"]``."""
    return {
        "product": product,
        "organisation": organisation,
        "watched": watched,
        "day": business_date(at),
        "subject": question.subject,
        "near": question.near,
        "claim": question.claim,
        "attempts": limits["attempts_per_subject_per_day"],
        "subjects": limits["subjects_per_day"],
        "claims": limit(limits, "claims_per_subject"),
        "neighbours": limit(limits, "neighbours_per_day"),
    }


def raise_unless_admitted(answer: str, *, limits: Mapping[str, Any], at: datetime) -> None:
    """Turn the statement's answer into ``SubjectLimitReached``."""
    if answer == "admitted":
        return
    tomorrow = day_start(business_date(at) + timedelta(days=1))
    wait = max(1, int((tomorrow - at).total_seconds()))
    allowed: int | None = None
    if answer == "attempts":
        allowed = limits["attempts_per_subject_per_day"]
        message = _("This subject may be asked about %(allowed)s times a day.") % {"allowed": allowed}
    elif answer == "subjects":
        allowed = limits["subjects_per_day"]
        message = _("At most %(allowed)s different subjects may be asked about in a day.") % {"allowed": allowed}
    else:  # which sign it was is for the case's page: said here, it would teach how to stay below
        message = _("The questions look as if they explored the protected table. The authorising body looks into it.")
    raise SubjectLimitReached(message, limit=answer, allowed=allowed, retry_after=wait)


def subject_admit(
    *, product: int, organisation: int, watched: str = "", limits: Mapping[str, Any], question: Asked, at: datetime
) -> None:
    """Count one ask, or raise ``SubjectLimitReached`` and count nothing. Call before the run, in a transaction of its own."""
    with connection.cursor() as cursor:
        named: dict[str, Any] = {"organisation": organisation, "watched": watched, "limits": limits, "question": question}
        cursor.execute(ADMIT_SQL, parameters(product=product, at=at, **named))
        (answer,) = cursor.fetchone()
    raise_unless_admitted(answer, limits=limits, at=at)


def is_fishing(*, asked_: int, missed: int, limits: Mapping[str, Any]) -> bool:
    """Whether so many of a day's questions were matched by nothing that they look like guesses."""
    return asked_ >= limit(limits, "no_match_after") and missed * 100 >= asked_ * limit(limits, "no_match_percent")


def subject_windows_forget(*, before: date) -> int:
    """Delete the counters of days before ``before``; returns how many. They serve ``CLAIM_DAYS``."""
    return SubjectWindow.objects.filter(day__lt=before).delete()[0]
