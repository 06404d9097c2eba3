"""Closing beside other closes, beside recorders, and under kill -9: on real connections, each with its own transaction."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection, connections

from settlement.billing.models import BillingMonth, Charge, Invoice
from settlement.billing.services import close_month, deposit_receive
from settlement.ledger.models import LedgerTransaction
from settlement.ledger.selectors import balance_minor
from settlement.verify.run import mismatches
from tests.settlement.books import NOVEMBER, OCTOBER, make_books, moment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(transactional_db):
    yield make_books()
    with connection.cursor() as cursor:  # the flush does not know tables that Django does not manage
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM settlement_usageevent")
        cursor.execute("DELETE FROM settlement_usageidentity")
        cursor.execute("SET session_replication_role = origin")


def together(*calls):
    """Run calls at once, each in a thread with a connection of its own; their results or errors, in order."""
    results = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place, call):
        try:
            start.wait()
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_closes_at_once_bill_once(books):
    books.use("7")
    first, second = together(*[lambda: books.close()] * 2)
    assert {first.is_new, second.is_new} == {True, False} and first.month.digest == second.month.digest
    assert Invoice.objects.count() == 1 and LedgerTransaction.objects.count() == 1


def test_use_recorded_while_the_month_closes_is_billed_once_whichever_comes_first(books):
    books.use("1")
    calls = [lambda n=n: books.use("1", f"2026-10-{n + 1:02d} 12:00", received="2026-11-04 09:00") for n in range(12)]
    results = together(lambda: books.close(), *calls)
    assert not [result for result in results if isinstance(result, Exception)], results
    books.close(NOVEMBER, "2026-12-04 09:00")
    assert sum(int(line["units"]) for charge in Charge.objects.all() for line in charge.quote["lines"]) == 13
    assert list(mismatches()) == []


def test_deposits_at_once_are_all_kept_and_chained(books):
    def give(n):
        return lambda: deposit_receive(
            organisation=books.stall.buyer,
            operator=books.stall.operator,
            amount_minor=100 + n % 4,
            order_number=f"O-{n % 4}",
            channel="bank",
            key=f"deposit:{n % 4}",
            at=moment("2026-10-02 10:00"),
        )

    results = together(*[give(n) for n in range(8)])
    assert not [result for result in results if isinstance(result, Exception)], results
    assert balance_minor(path="clearing:bank") == 406
    assert list(LedgerTransaction.objects.order_by("id").values_list("id", flat=True)) == [1, 2, 3, 4]
    assert list(mismatches()) == []


KILLED = """
import django, sys
from datetime import date, datetime
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from settlement.billing import close, services
step, name = sys.argv[2].split(":")
module = {"close": close, "services": services}[step]
real = getattr(module, name)
def stop(*args, **more):
    result = real(*args, **more)
    print("reached", flush=True)
    import time; time.sleep(60)
    return result
setattr(module, name, stop)
services.close_month(month=date(2026, 10, 1), at=datetime.fromisoformat("2026-11-04T09:00:00+08:00"))
"""
STEPS = [
    "close:gather",
    "close:_draw_deposits",
    "close:_write_invoices",
    "close:_write_charges",
    "close:post_many",
    "services:month_digest",
]


@pytest.mark.proof
def test_a_close_that_is_killed_leaves_nothing_and_the_next_one_gives_the_same(books):
    books.use("200")
    books.use("3", "2026-10-06 12:00", books.grant())
    for step in STEPS:
        command = [sys.executable, "-c", KILLED, connection.settings_dict["NAME"], step]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"DJANGO_SETTINGS_MODULE": "market.settings"}
        )
        assert child.stdout is not None and child.stdout.readline() == "reached\n", step
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert not Invoice.objects.exists() and not Charge.objects.exists() and not LedgerTransaction.objects.exists(), step
        assert not BillingMonth.objects.filter(state="closed").exists(), step
    ends = time.monotonic() + 30
    closed = close_month(month=OCTOBER, at=moment("2026-11-04 09:00"))
    assert time.monotonic() < ends and closed.is_new
    assert books.close().month.digest == closed.month.digest
    assert list(mismatches()) == []
