"""What is forgotten, and when: network logs after the rule set's months, what serves a day after that day.

Money and tariff records, usage events, identities, receipts and the audit trail are never forgotten: nothing here can delete
them, and the database refuses it. docs/operations.md says what is kept how long.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from products.record import audit
from products.record.clock import business_date, day_start
from products.record.rule_sets import NATIONAL, parameter
from products.runtimes.limits import subject_windows_forget
from settlement.metering.models import IdempotentAnswer
from settlement.sql import query

LOGS = "network_log_months"
WINDOW_DAYS = 31  # counters of questions about a person: claims about one subject are counted over 30 days
AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were forgotten (``last_uses``: of keys, set to nothing)."""

    refusals: int
    last_uses: int
    subject_windows: int
    answers: int


def forget(*, at: datetime) -> Forgotten:
    """Forget what has been kept long enough; a daily job, harmless to repeat. The audit trail says what it did, if anything."""
    before = logs_kept_from(at=at)
    done = Forgotten(
        refusals=_in_turns("forget_refusals", before),
        last_uses=_in_turns("forget_last_uses", before),
        subject_windows=subject_windows_forget(before=business_date(at) - timedelta(days=WINDOW_DAYS)),
        answers=IdempotentAnswer.objects.filter(expires_at__lt=at).delete()[0],
    )
    if done.refusals or done.last_uses or done.subject_windows:
        facts = {**asdict(done), "logs_before": before.isoformat()}
        with transaction.atomic():
            audit.record(action="logs.forgotten", obj=("logs", f"{business_date(at):%Y-%m-%d}"), at=at, facts=facts)
    return done


def logs_kept_from(*, at: datetime) -> datetime:
    """The first moment whose network logs are still kept: so many months before today, by the nation's rules."""
    day = business_date(at)
    count = day.year * 12 + day.month - 1 - int(parameter(name=LOGS, on=day, jurisdiction=NATIONAL))
    month = date(count // 12, count % 12 + 1, 1)
    return day_start(min(month + timedelta(days=day.day - 1), _last_day(month)))


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _in_turns(name: str, before: datetime) -> int:
    whole = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query(name), {"before": before, "most": AT_ONCE})
            whole += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                return whole
