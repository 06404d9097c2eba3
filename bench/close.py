"""Closing a month of many entitlement rows, in a process of its own so that its memory can be told; again for the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from bench.scale import scaled
from bench.table import Figure
from settlement.billing.models import BillingMonth
from settlement.entitlements.models import Entitlement
from settlement.shares.models import DistributionAgreement
from tests.settlement.stall import Stall, make_stall, organisation

MONTH = date(2026, 10, 1)
AT = datetime(2026, 11, 5, 1, 0, tzinfo=UTC)
BUYERS = 100
BUDGET_ROWS, BUDGET_SECONDS = 1_000_000, 60

USAGE = """
INSERT INTO settlement_usageevent (event_month, id, book_month, entitlement_id, product_id, source, event_id, purpose, units,
    event_time, received_at, is_free, request_digest)
SELECT %(month)s, gen_random_uuid(), %(month)s, e.id, e.product_id, '/bench', e.code || n, e.purposes[1], '{"calls": "7"}',
    %(month)s::timestamptz + n * interval '1 day', now(), false, '\\x00'
FROM settlement_entitlement e, generate_series(1, 3) n
"""


HOURS = """
INSERT INTO settlement_usagerollup (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
SELECT entitlement_id, event_month, book_month, date_trunc('hour', event_time), purpose, 'calls',
    sum((units ->> 'calls')::numeric), count(*)
FROM settlement_usageevent GROUP BY 1, 2, 3, 4, 5
"""


def run() -> list[Figure]:
    stall, count = make_stall(), scaled(20_000)
    _agree(stall)
    _entitle(stall, count)
    command = [sys.executable, "-m", "bench.one_close", connection.settings_dict["NAME"], MONTH.isoformat(), AT.isoformat()]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if len(set(done["digests"])) > 1:
        raise AssertionError("closing again gave other bytes")
    how = f"{count:,} entitlement rows, {BUYERS} buyers, {3 * count:,} events, one tariff; closed again: the same digest"
    rate = count / done["seconds"]
    return [
        Figure("closing a month", rate, "rows/s", BUDGET_ROWS / BUDGET_SECONDS, note=how),
        Figure(
            "closing a month, most memory",
            done["memory"],
            "MiB",
            note=f"at {count:,} rows (budget: 2,048 at 1,000,000)",
        ),
    ]


def _agree(stall: Stall) -> None:
    parts = [
        {"organisation": stall.operator.pk, "role": "operator", "rest": True},
        {"organisation": stall.authority.pk, "role": "provider", "percent": "20"},
    ]
    checker = type(stall.user).objects.create(email="checker@stall.example")
    DistributionAgreement.objects.create(
        number="BENCH",
        product=stall.product,
        period=DateRange(date(2026, 1, 1), None),
        parts=parts,
        proposed_by=stall.user,
        approved_by=checker,
        created_at=AT,
    )


def _entitle(stall: Stall, count: int) -> None:
    buyers = [organisation(1000 + number, "enterprise", f"buyer-{number}", user=stall.user) for number in range(BUYERS)]
    Entitlement.objects.bulk_create(
        (
            Entitlement(
                code=f"BENCH-{number:07d}",
                organisation=buyers[number % BUYERS],
                operator=stall.operator,
                product=stall.product,
                plan=stall.plan,
                purposes=["industry.finance.pre_loan"],
                scenario="port",
                valid_from=AT - timedelta(days=100),
                valid_to=AT + timedelta(days=100),
                anchor_date=date(2026, 8, 1),
                created_at=AT,
            )
            for number in range(count)
        ),
        batch_size=2_000,
    )
    BillingMonth.objects.get_or_create(month=MONTH)
    with connection.cursor() as cursor:
        cursor.execute(USAGE, {"month": MONTH})
        cursor.execute(HOURS)
        cursor.execute("ANALYZE")
