"""A back-up that was never restored is a hope: both kinds are restored here and proven equal, row by row and by ``verify``."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import conninfo, sql

from products.postgres.embedded import Cluster
from settlement.billing.services import deposit_receive, invoice_pay
from settlement.metering.rollups import fold_all
from tests.faults.postgres import is_embedded, own_postgres
from tests.market.gateway.conftest import ROOT, test_conninfo
from tests.settlement.books import NOVEMBER, TIERS, component, document, make_books, moment

pytestmark = pytest.mark.proof
COPY = "gongshu_restored"


@pytest.fixture
def market(transactional_db) -> None:
    """Two closed months, a payment, late and free use, a deposit: a row in most tables that hold money."""
    books = make_books()
    books.price(document(component(model="graduated", tiers=TIERS)))
    free = books.grant()
    books.stall.limit(free, 1000)
    deposit_receive(
        organisation=books.stall.buyer,
        operator=books.stall.operator,
        amount_minor=10_000,
        order_number="O-1",
        channel="bank",
        key="deposit:O-1",
        at=moment("2026-10-01 10:00"),
    )
    books.use("9999", "2026-10-30 10:00", source="/operators/x", event_id="one")
    books.use("12", "2026-10-30 11:00", free)
    books.close()
    invoice_pay(invoice=books.invoice(), amount_minor=100_000, channel="stripe", key="pay:1", at=moment("2026-11-10 10:00"))
    books.use("2", "2026-10-31 10:00", received="2026-11-05 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    fold_all()  # so that a gateway of another test, still folding, changes nothing between the back-up and the comparison


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Rows and digest of every table, whatever the order in which the rows lie."""
    with psycopg.connect(url) as link:
        link.execute("SET timezone = 'UTC'")
        ask = "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        found = {}
        for (table,) in link.execute(ask).fetchall():
            rows = link.execute(sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))).fetchall()
            found[table] = (len(rows), sha256("\n".join(row[0] for row in rows).encode()).hexdigest())
        return found


def verify(url: str) -> str:
    environment = os.environ | {"DATABASE_URL": url, "GONGSHU_DATA": str(settings.DATA_DIR)}
    done = subprocess.run([sys.executable, "manage.py", "verify"], cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 else done.stdout + done.stderr


def binary(name: str) -> str:
    return str(Cluster(Path(settings.DATA_DIR).resolve()).binaries / name)


def test_dump_is_restored_to_the_same_market(market, tmp_path):
    if not is_embedded():
        pytest.skip("DATABASE_URL names a server of somebody else's; its own pg_dump is not known here")
    dump, source = tmp_path / "market.dump", test_conninfo()
    target = conninfo.make_conninfo(source, dbname=COPY)
    subprocess.run([binary("pg_dump"), "--format=custom", f"--file={dump}", source], check=True)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {COPY}")
        cursor.execute(f"CREATE DATABASE {COPY}")
    try:
        subprocess.run([binary("pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={target}", str(dump)], check=True)
        before, after = contents(source), contents(target)
        assert before["settlement_invoice"][0] == 2 and before["settlement_posting"][0] > 10
        assert before == after
        assert verify(target) == "nothing wrong"
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")


def test_base_backup_is_restored_to_the_same_market(market):
    if not is_embedded():
        pytest.skip("DATABASE_URL names a server of somebody else's")
    before = contents(test_conninfo())
    with own_postgres() as copy:
        assert contents(copy.url) == before
        assert verify(copy.url) == "nothing wrong"
