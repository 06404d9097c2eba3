"""Where the gateway's own pool finds the database: what Django was told, and when a link is given up."""

from __future__ import annotations

import psycopg
from django.db import connections
from psycopg import conninfo

from market.gateway.resources import connection_info


def told(monkeypatch, **options) -> dict:
    plain = connections["default"].get_connection_params()
    monkeypatch.setattr(type(connections["default"]), "get_connection_params", lambda self: plain | options)
    return conninfo.conninfo_to_dict(connection_info())


def test_what_the_database_url_says_reaches_the_gateway(db, monkeypatch):
    given = {"sslrootcert": "/etc/ca.pem", "target_session_attrs": "read-write", "options": "-c search_path=public"}
    found = told(monkeypatch, **given, connect_timeout=9)
    assert {name: found[name] for name in ("sslrootcert", "target_session_attrs")} == {
        "sslrootcert": "/etc/ca.pem",
        "target_session_attrs": "read-write",
    }
    assert found["options"].startswith("-c search_path=public -c statement_timeout=5000")
    assert int(found["connect_timeout"]) == 9


def test_link_that_swallows_what_is_sent_is_given_up(db, monkeypatch):
    found = told(monkeypatch)
    assert (found["keepalives_idle"], found["tcp_user_timeout"], found["connect_timeout"]) == ("5", "10000", "5")


def test_database_is_reached_so(db):
    with psycopg.connect(connection_info()) as connection:
        row = connection.execute("SELECT current_setting('statement_timeout'), current_setting('TimeZone')").fetchone()
    assert row == ("5s", "UTC")
