"""The running account cannot do what the triggers refuse, nor look away from them; the reading account sees no secret."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import conninfo

from products.postgres.roles import guarded_tables
from tests.market.gateway.conftest import test_conninfo
from tests.settlement.books import make_books

pytestmark = pytest.mark.proof  # roles belong to the whole cluster, so they are made and dropped

APP, READER = "gongshu_test_app", "gongshu_test_reader"


@pytest.fixture
def roles(transactional_db) -> Iterator[dict[str, str]]:
    """Both roles with passwords; their connection strings."""
    call_command("database_roles", app=APP, reader=READER, apply=True, verbosity=0)
    call_command("database_roles", app=APP, reader=READER, apply=True, verbosity=0)  # again changes nothing
    with connection.cursor() as cursor:
        for role in (APP, READER):
            cursor.execute(f"ALTER ROLE {role} LOGIN PASSWORD 'only-for-this-test'")
    yield {role: conninfo.make_conninfo(test_conninfo(), user=role, password="only-for-this-test") for role in (APP, READER)}
    with connection.cursor() as cursor:
        for role in (APP, READER):
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


def refused(url: str, statement: str) -> bool:
    with psycopg.connect(url) as link, contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        link.execute(statement)
        return False
    return True


def test_running_account_may_not_change_what_never_changes(roles):
    books = make_books()
    books.use("3")
    guarded = guarded_tables()
    assert {"settlement_usageevent", "settlement_posting", "products_auditentry"} <= {each.table for each in guarded}
    for each in guarded:
        if each.no_update:
            column = column_of(each.table)
            assert refused(roles[APP], f'UPDATE {each.table} SET "{column}" = "{column}"'), each.table
        if each.no_delete:
            assert refused(roles[APP], f"DELETE FROM {each.table}"), each.table


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "ALTER TABLE settlement_posting DISABLE TRIGGER ALL",
        "TRUNCATE settlement_quota CASCADE",
        "DROP TABLE settlement_quota",
        "CREATE TABLE of_my_own (id int)",
        "UPDATE django_migrations SET name = name",
    ],
)
def test_running_account_may_not_get_round_it(roles, statement):
    assert refused(roles[APP], statement)


def test_gateway_serves_and_meters_as_the_running_account(roles, serve, stall):
    from tests.market.gateway.conftest import Client

    client = Client(serve(database=roles[APP]), stall)
    answer = client.call(headers={"Idempotency-Key": "one"})
    assert answer.status_code == 200 and client.get(answer.json()["receipt"]["url"]).status_code == 200


def test_reading_account_reads_books_and_no_secret(roles):
    with psycopg.connect(roles[READER]) as link:
        link.execute("SELECT count(*), sum(total) FROM settlement_invoice")
        link.execute("SELECT email FROM products_user")
    for statement in (
        "SELECT password FROM products_user",
        "SELECT digest FROM settlement_apikey",
        "SELECT session_data FROM django_session",
        "SELECT answer FROM settlement_idempotentanswer",
        "UPDATE settlement_invoice SET total = total",
        "INSERT INTO settlement_quota (entitlement_id, span_start, \"limit\", used) VALUES (1, '2026-01-01', 1, 0)",
    ):
        assert refused(roles[READER], statement), statement


def column_of(table: str) -> str:
    with connection.cursor() as cursor:
        return connection.introspection.get_table_description(cursor, table)[0].name
