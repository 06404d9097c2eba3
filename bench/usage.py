"""Reported usage in batches of 100, checked and recorded, against COPY of the same rows into a table with the same indexes.

Both from this process over one connection; what HTTP adds is not in it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from bench.scale import scaled
from bench.table import Figure
from settlement.metering.reports import report_usage
from tests.settlement.stall import Stall, make_stall

BATCH = 100
AT = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)


def run() -> list[Figure]:
    stall = make_stall()
    entitlements = [stall.entitlement.code, *(stall.entitle().code for _more in range(49))]
    count = scaled(50_000)
    events = [_event(stall, entitlements[number % 50], number) for number in range(count)]
    _report(stall, events[: BATCH * 5])
    began = time.perf_counter()
    _report(stall, events[BATCH * 5 :])
    reported = (count - BATCH * 5) / (time.perf_counter() - began)
    copied = _copied_per_second()
    how = f"{count:,} events of 50 entitlements, in this process, without HTTP"
    return [
        Figure("reported usage over COPY", reported / copied, "×", 0.5, note=how),
        Figure("reported usage, batches of 100", reported, "events/s", note="each batch checked, named once for ever, committed"),
        Figure("COPY into the same table and indexes", copied, "rows/s", note="one statement"),
    ]


def _event(stall: Stall, entitlement: str, number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": f"/operators/{stall.operator.slug}/bench",
        "type": "cn.gongshu.usage.v1",
        "subject": entitlement,
        "time": (AT - timedelta(milliseconds=number)).isoformat(),
        "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1"}},
    }


def _report(stall: Stall, events: list[dict[str, Any]]) -> None:
    operator = {"operator_id": stall.operator.pk, "operator_slug": stall.operator.slug}
    for start in range(0, len(events), BATCH):
        answers = report_usage(events=events[start : start + BATCH], **operator, at=AT)
        if {answer.status for answer in answers} != {"accepted"}:
            raise AssertionError(answers)


def _copied_per_second() -> float:
    """COPY of what was just recorded, out and into a twin of the month's partition with its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_twin (LIKE settlement_usageevent_202610 INCLUDING ALL)")
        with cursor.copy("COPY settlement_usageevent_202610 TO STDOUT") as copy:
            rows = b"".join(bytes(part) for part in copy)
        began = time.perf_counter()
        with cursor.copy("COPY bench_twin FROM STDIN") as copy:
            copy.write(rows)
        seconds = time.perf_counter() - began
        cursor.execute("SELECT count(*) FROM bench_twin")
        copied = cursor.fetchone()[0]
        cursor.execute("DROP TABLE bench_twin")
    return copied / seconds
