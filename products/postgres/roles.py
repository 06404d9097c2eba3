"""What the accounts of the database may do: one that runs the market, one that only reads.

Tables are owned by the account that migrates. What a trigger refuses to everybody (``refuse_change``) is not granted to the
running account in the first place, and it can neither empty a table, nor alter one, nor look away from triggers: it is no owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.db import connection
from psycopg import sql

SECRET_COLUMNS = {
    "products_user": {"password"},
    "settlement_apikey": {"digest"},
    "settlement_idempotentanswer": {"answer"},
    "django_session": {"session_key", "session_data"},
}
_GUARDED = """
SELECT c.relname, bool_or(t.tgtype & 16 > 0), bool_or(t.tgtype & 8 > 0)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE p.proname = 'refuse_change' AND c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal AND c.relispartition = false
GROUP BY 1 ORDER BY 1
"""


class Guarded(NamedTuple):
    """A table with the changes that its trigger refuses."""

    table: str
    no_update: bool
    no_delete: bool


def guarded_tables() -> list[Guarded]:
    with connection.cursor() as cursor:
        cursor.execute(_GUARDED)
        return [Guarded(*row) for row in cursor.fetchall()]


def statements(*, app: str, reader: str) -> Iterator[str]:
    """The SQL that makes both roles what they should be, again and again with the same end; the roles cannot sign in yet."""
    names = {"app": sql.Identifier(app), "reader": sql.Identifier(reader), "database": sql.Identifier(_database())}
    for role in (app, reader):
        yield _text(
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {literal})"
            " THEN CREATE ROLE {role} NOLOGIN; END IF; END $$",
            literal=sql.Literal(role),
            role=sql.Identifier(role),
        )
    yield _text("GRANT CONNECT ON DATABASE {database} TO {app}, {reader}", **names)
    yield _text("GRANT USAGE ON SCHEMA public TO {app}, {reader}", **names)
    yield _text("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {app}, {reader}", **names)
    yield _text("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app}", **names)
    yield _text("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app}", **names)
    yield _text("REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {app}", **names)
    for found in guarded_tables():
        refused = [name for name, is_refused in (("UPDATE", found.no_update), ("DELETE", found.no_delete)) if is_refused]
        if refused:
            yield _text(f"REVOKE {', '.join(refused)} ON {{table}} FROM {{app}}", table=sql.Identifier(found.table), **names)
    yield from _reading(names)


def _reading(names: Mapping[str, sql.Composable]) -> Iterator[str]:
    yield _text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}", **names)
    with connection.cursor() as cursor:
        for table, secrets in SECRET_COLUMNS.items():
            shown = [c.name for c in connection.introspection.get_table_description(cursor, table) if c.name not in secrets]
            columns = sql.SQL(", ").join(map(sql.Identifier, shown))
            named = {"table": sql.Identifier(table), "columns": columns, **names}
            yield _text("REVOKE SELECT ON {table} FROM {reader}", **named)
            if shown:
                yield _text("GRANT SELECT ({columns}) ON {table} TO {reader}", **named)


def _database() -> str:
    return str(connection.get_connection_params()["dbname"])


def _text(template: str, **parts: sql.Composable) -> str:
    return sql.SQL(template).format(**parts).as_string()
