"""The chain finds and places whatever is done to it behind its back (design.md invariant 12, scenario 76)."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from products.models import AuditEntry, Organisation
from products.record import audit
from products.record.audit import Break


def write(cast, at, count=5):
    for number in range(count):
        audit.record(
            action="test.happened",
            obj=cast.buyer.organisation,
            actor=cast.buyer.owner,
            organisation=cast.buyer.organisation,
            at=at + timedelta(seconds=number),
            reason="因为",
            facts={"amount": Decimal("1.10"), "number": number, "share": 0.1},
        )


def as_superuser(sql, params=()):
    """What someone with the database in hand could do: triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_untouched_chain_holds(cast, clock):
    write(cast, clock.now)
    assert audit.check_chain() == []
    assert list(AuditEntry.objects.order_by("id").values_list("id", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("sql", "breaks"),
    [
        ("UPDATE products_auditentry SET reason = 'other' WHERE id = 3", [Break(3, "edited")]),
        ("UPDATE products_auditentry SET facts = '{}' WHERE id = 1", [Break(1, "edited")]),
        ("UPDATE products_auditentry SET at = at + interval '1 second' WHERE id = 5", [Break(5, "edited")]),
        ("DELETE FROM products_auditentry WHERE id = 2", [Break(2, "removed")]),
        ("DELETE FROM products_auditentry WHERE id >= 4", [Break(4, "removed"), Break(5, "removed")]),
        ("DELETE FROM products_auditentry", [Break(n, "removed") for n in range(1, 6)]),
    ],
)
def test_the_check_names_the_entry_that_was(cast, clock, sql, breaks):
    write(cast, clock.now)
    as_superuser(sql)
    assert audit.check_chain() == breaks


def test_an_entry_hashed_anew_by_the_forger_no_longer_joins_its_neighbour(cast, clock):
    write(cast, clock.now)
    row = AuditEntry.objects.values(*audit.FIELDS).get(pk=3) | {"reason": "forged"}
    as_superuser("UPDATE products_auditentry SET reason = 'forged', hash = %s WHERE id = 3", [audit.digest(row)])
    assert audit.check_chain() == [Break(4, "moved")]


def test_two_entries_that_change_places_are_found(cast, clock):
    write(cast, clock.now)
    as_superuser("UPDATE products_auditentry SET id = 99 WHERE id = 2")
    as_superuser("UPDATE products_auditentry SET id = 2 WHERE id = 3")
    as_superuser("UPDATE products_auditentry SET id = 3 WHERE id = 99")
    assert {b.entry_id for b in audit.check_chain()} >= {2, 3}


@pytest.mark.parametrize(
    "sql",
    ["UPDATE products_auditentry SET reason = ''", "DELETE FROM products_auditentry", "TRUNCATE products_auditentry CASCADE"],
)
def test_the_database_refuses_to_change_an_entry(cast, clock, sql):
    write(cast, clock.now, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused(clock):
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record(action="test.happened", obj=("thing", "1"), at=clock.now)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain(clock):
    def writer():
        try:
            for _ in range(10):
                with transaction.atomic():
                    audit.record(action="test.happened", obj=("thing", "1"), at=clock.now)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert AuditEntry.objects.count() == 40
    assert audit.check_chain() == []


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry_and_no_gap(clock):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(action="test.happened", obj=("thing", "1"), at=clock.now)
        1 / 0  # noqa: B018
    with transaction.atomic():
        audit.record(action="test.happened", obj=("thing", "2"), at=clock.now)
    assert AuditEntry.objects.get().id == 1
    assert audit.check_chain() == []
    assert not Organisation.objects.exists()
