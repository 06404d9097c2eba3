"""What is forgotten when, and what never is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from products.catalogue.models import SubjectWindow
from products.record.models import AuditEntry
from products.record.parameters import ParameterNotValid, parameter_of
from settlement.metering.models import IdempotentAnswer, Refusal
from settlement.metering.retention import Forgotten, forget, logs_kept_from
from tests.settlement.books import moment
from tests.settlement.stall import START, make_stall

pytestmark = pytest.mark.django_db
OLD = moment("2020-01-01 00:00")


def refuse(at) -> Refusal:
    return Refusal.objects.create(at=at, status=403, reason="purpose")


def test_logs_are_kept_for_the_months_of_the_rules():
    assert logs_kept_from(at=START) == moment("2025-10-20 00:00")
    assert logs_kept_from(at=moment("2028-02-29 12:00")) == moment("2027-02-28 00:00")


def test_the_rules_cannot_keep_logs_for_less_than_six_months():
    kept = parameter_of("network_log_months")
    assert kept.check(6) == 6
    with pytest.raises(ParameterNotValid):
        kept.check(5)
    with pytest.raises(ParameterNotValid):
        parameter_of("usage_months_in_database").check(12)  # a yearly counter looks back as far


def test_what_was_kept_long_enough_is_forgotten_and_the_rest_stays():
    stall = make_stall()
    kept, gone = refuse(START - timedelta(days=364)), refuse(OLD)
    type(stall.key).objects.update(last_used_at=OLD)
    used, _secret = stall.key_for(stall.entitlement)
    type(used).objects.filter(pk=used.pk).update(last_used_at=START)
    about = {"product": stall.product, "organisation": stall.buyer, "subject_digest": b"1" * 32, "near_digest": b"1" * 8}
    for day in (date(2026, 9, 18), date(2026, 9, 20)):  # claims about one subject are counted over 30 days
        SubjectWindow.objects.create(day=day, **about)
    for source, expires in (("/old", START - timedelta(seconds=1)), ("/new", START + timedelta(hours=1))):
        IdempotentAnswer.objects.create(source=source, event_id="1", answer=b"", expires_at=expires)
    assert forget(at=START) == Forgotten(refusals=1, last_uses=1, subject_windows=1, answers=1)
    assert list(Refusal.objects.values_list("pk", flat=True)) == [kept.pk] and gone.pk != kept.pk
    stall.key.refresh_from_db()
    used.refresh_from_db()
    assert stall.key.last_used_at is None and used.last_used_at == START
    assert SubjectWindow.objects.get().day == date(2026, 9, 20) and IdempotentAnswer.objects.get().source == "/new"
    assert AuditEntry.objects.get(action="logs.forgotten").facts["refusals"] == 1
    assert forget(at=START) == Forgotten(0, 0, 0, 0) and AuditEntry.objects.filter(action="logs.forgotten").count() == 1


def test_the_database_itself_keeps_refusals_for_half_a_year():
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - interval '5 months'")
        ((recent,),) = cursor.fetchall()
    young = refuse(recent)
    with pytest.raises(IntegrityError, match="six months"), transaction.atomic():
        young.delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Refusal.objects.update(reason="other")
    refuse(OLD).delete()


KEPT_FOR_EVER = (
    "settlement_usageevent", "settlement_usageidentity", "settlement_usagerollup", "settlement_receipttree",
    "settlement_ledgertransaction", "settlement_posting", "settlement_charge", "products_auditentry",
)  # fmt: skip


@pytest.mark.parametrize("table", KEPT_FOR_EVER)
def test_the_books_and_what_they_stand_on_are_never_deleted(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid = %s::regclass AND p.proname = 'refuse_change' AND t.tgtype & 8 > 0 AND t.tgenabled = 'O'",
            [table],
        )
        assert cursor.fetchone()[0] >= 1
