"""What must be equal when the dust has settled: what callers were told, events, usage by the hour, quotas."""

from __future__ import annotations

import subprocess
import sys
import time
from uuid import UUID

import psycopg

from tests.faults.calls import Told
from tests.market.gateway.conftest import ROOT

EVENTS = "SELECT id, source, event_id, entitlement_id FROM settlement_usageevent"
HOURS = "SELECT entitlement_id, sum(units)::bigint, sum(events)::bigint FROM settlement_usagehour GROUP BY 1"
QUOTA = 'SELECT used, "limit" FROM settlement_quota WHERE entitlement_id = %s'


class Lost(AssertionError):
    """A call was answered and is not in the books, or is in them twice, or is there and was refused."""


def check(told: Told, url: str, *, limited_id: int) -> dict[str, int]:
    """Raise ``Lost`` where anything differs by a unit; the figures otherwise."""
    with psycopg.connect(url) as link:
        rows = link.execute(EVENTS).fetchall()
        hours = {entitlement: (units, events) for entitlement, units, events in link.execute(HOURS)}
        used, limit = link.execute(QUOTA, [limited_id]).fetchone() or (0, 0)
    by_name = {event_id: identifier for identifier, _source, event_id, _entitlement in rows}
    identifiers = {identifier for identifier, *_rest in rows}
    named = {**told.keyed, **{name: r for name, r in told.limited.items() if r is not None}, **told.reported}
    for name, receipt in named.items():
        if by_name.get(name) != receipt:
            raise Lost(f"{name} was answered with {receipt}; the books have {by_name.get(name)}")
    if missing := [receipt for receipt in told.plain if receipt not in identifiers]:
        raise Lost(f"{len(missing)} answered calls are not in the books, first {missing[0]}")
    _check_nothing_else(told, rows, named)
    _check_sums(rows, hours, limited_id, used, limit)
    return {
        "events": len(rows),
        "served": told.served,
        "unsure": told.unsure,
        "quota": used,
        "answers": told.answers,
        "refused": told.refused,
    }


def _check_nothing_else(told: Told, rows: list[tuple], named: dict[str, UUID]) -> None:
    if len({row[0] for row in rows}) != len(rows):
        raise Lost("an id stands in the books twice")
    names = [row[2] for row in rows if row[2] != str(row[0])]
    if len(names) != len(set(names)):
        raise Lost("a named event stands in the books twice")
    if extra := set(names) - set(named):
        raise Lost(f"{len(extra)} named events are in the books and were not answered, for example {sorted(extra)[0]}")
    silent = len(rows) - told.served
    if not 0 <= silent <= told.unsure:
        raise Lost(f"{silent} events more than answers, where {told.unsure} answers were lost")


def _check_sums(rows: list[tuple], hours: dict[int, tuple[int, int]], limited_id: int, used: int, limit: int) -> None:
    counted: dict[int, int] = {}
    for _identifier, _source, _event_id, entitlement in rows:
        counted[entitlement] = counted.get(entitlement, 0) + 1
    if hours != {entitlement: (events, events) for entitlement, events in counted.items()}:
        raise Lost(f"usage by the hour {hours} is not that of the events {counted}")
    if not used == counted.get(limited_id, 0) <= limit:
        raise Lost(f"the quota says {used} of {limit}, the events {counted.get(limited_id, 0)}")


def wait_until_quiet(url: str, seconds: float = 30) -> None:
    """Wait until what callers gave up on has been committed or rolled back."""
    ask = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'gongshu-gateway%' AND state <> 'idle'"
    ends, quiet = time.monotonic() + seconds, 0
    while time.monotonic() < ends and quiet < 5:
        with psycopg.connect(url, autocommit=True) as link:
            quiet = quiet + 1 if link.execute(ask).fetchone() == (0,) else 0
        time.sleep(0.1)


def verify(url: str, data: str) -> None:
    """``manage.py verify`` over the same database; it shares no code with what recorded."""
    import os

    environment = os.environ | {"DATABASE_URL": url, "GONGSHU_DATA": data}
    done = subprocess.run([sys.executable, "manage.py", "verify"], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise Lost(done.stdout + done.stderr)
