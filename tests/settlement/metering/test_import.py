"""A file of usage: killed in the middle it is run again, and every event is counted once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from psycopg import conninfo

from settlement.management.commands.import_usage import progress
from settlement.metering.models import UsageEvent, UsageIdentity
from tests.settlement.metering.test_reports import cloud_event
from tests.settlement.stall import START, make_stall

ROOT = Path(__file__).parents[3]
EVENTS = 30_000


def test_progress_tells_bytes():
    assert progress(50, 200) == f"\r[{'#' * 10}{'.' * 30}]  25% 50 of 200 bytes"
    assert progress(0, 0).endswith("100% 0 of 0 bytes")


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_import_that_is_killed_is_run_again_and_counts_each_event_once(tmp_path):
    stall = make_stall()
    file = tmp_path / "usage.jsonl"
    file.write_text("\n".join(json.dumps(cloud_event(stall, str(n))) for n in range(EVENTS)), encoding="utf-8")
    started = run_import(file)
    ends = time.monotonic() + 60
    while UsageEvent.objects.count() == 0 and time.monotonic() < ends:
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    started.wait(10)
    killed_at = UsageEvent.objects.count()
    assert 0 < killed_at < EVENTS and killed_at % 2_000 == 0, "whole chunks, and not all of them"
    again = run_import(file)
    told, errors = again.communicate(timeout=120)
    assert told.split() == ["accepted", str(EVENTS - killed_at), "duplicate", str(killed_at), "rejected", "0"]
    assert errors == "", "no progress bar where nobody watches"
    assert UsageEvent.objects.count() == UsageIdentity.objects.count() == EVENTS


def run_import(file: Path) -> subprocess.Popen[str]:
    given = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    database = conninfo.make_conninfo(**{name: given[name] for name in names if given.get(name)})
    environ = {"DATABASE_URL": database, "GONGSHU_DATA": str(settings.DATA_DIR), "GONGSHU_CLOCK": START.isoformat()}
    command = [sys.executable, "manage.py", "import_usage", str(file)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, **pipes)
