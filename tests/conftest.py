"""What every test may use: a clock that stands still, the cast, and a database that can be emptied again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation

from products.record import clock as market_clock
from tests.factories.cast import Cast, make_cast

START = datetime.fromisoformat("2026-10-20T10:00:00+08:00")
REFERENCE_TABLES = {
    "products_purpose",
    "products_scenario",
    "products_ruleset",
    "products_calendaryear",
    "products_calendarday",
}
# Made by hand, so that Django does not know of them.
UNMANAGED_TABLES = (
    "settlement_usageevent",
    "settlement_usageidentity",
    "settlement_usagedelta",
    "settlement_usagerollup",
    "settlement_ratelease",
)


class FrozenClock:
    """The clock of the test: ``clock.now``, ``clock.move(days=3)``, ``clock.move_to(moment)``."""

    def __init__(self, moment: datetime) -> None:
        self.now = moment

    def move(self, **span: float) -> datetime:
        return self.move_to(self.now + timedelta(**span))

    def move_to(self, moment: datetime) -> datetime:
        self.now = moment.astimezone(market_clock.BUSINESS_ZONE)
        market_clock._frozen = self.now
        return self.now


@pytest.fixture(autouse=True)
def clock() -> Iterator[FrozenClock]:
    with market_clock.frozen_at(START):
        yield FrozenClock(START)


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """Every test begins in the language of the settings, whatever the request of an earlier test chose."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture
def cast(db, clock) -> Cast:
    return make_cast(clock.now)


@pytest.fixture(autouse=True, scope="session")
def patient_flush() -> Iterator[None]:
    """A server under test may still write its journal while a test's tables are emptied: a deadlock of the two is tried again."""
    from django.db import OperationalError
    from django.db.backends.postgresql.operations import DatabaseOperations

    plain = DatabaseOperations.execute_sql_flush

    def patient(self: DatabaseOperations, statements: list[str]) -> None:
        for _attempt in range(4):
            try:
                return plain(self, statements)
            except OperationalError as error:
                if "deadlock" not in str(error):
                    raise
        return plain(self, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", patient)
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True, scope="session")
def flushable() -> Iterator[None]:
    """Let the flush after a transactional test pass the append-only triggers, and leave the reference data where it is."""
    plain = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        tables = [*(table for table in tables if table not in REFERENCE_TABLES), *UNMANAGED_TABLES]
        told = "NOTIFY gongshu_market, '*';"  # a gateway under test remembers the codes of the last test's products
        return ["SET LOCAL session_replication_role = replica;", *plain(self, style, tables, **options), told]

    DatabaseOperations.sql_flush = sql_flush
    yield
    DatabaseOperations.sql_flush = plain
