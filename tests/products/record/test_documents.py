"""Issued documents: numbers without gaps, kept bytes, readers."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError

from products.models import Organisation
from products.record import documents
from products.record.models import AuditEntry, IssuedDocument
from products.record.pdf import Text, render_content
from settlement.verify.papers import documents as check_documents

ABOUT = ("pricing.permittedrevenue", "1")


def issue(cast, clock, *, issuer="regulator", **changes):
    party = getattr(cast, issuer)
    given = {"kind": "permitted_revenue", "title": "通知", "obj": ABOUT, "sections": [Text("核定如下。")], "at": clock.now}
    return documents.issue(**(given | {"issuer": party.organisation, "user": party.owner} | changes))


@pytest.mark.django_db
def test_numbers_run_per_issuer_and_business_year(cast, clock):
    Organisation.objects.filter(pk=cast.regulator.organisation.pk).update(document_prefix="甬发改价")
    cast.regulator.organisation.refresh_from_db()
    new_year = datetime.fromisoformat("2026-12-31T16:30:00+00:00")  # 00:30 on 1 January in Shanghai
    numbers = [issue(cast, clock).number, issue(cast, clock).number, issue(cast, clock, at=new_year).number]
    assert numbers == ["甬发改价〔2026〕1号", "甬发改价〔2026〕2号", "甬发改价〔2027〕1号"]
    assert issue(cast, clock, issuer="data_bureau").number == "市数据局〔2026〕1号"


@pytest.mark.django_db
def test_a_document_keeps_its_pdf_its_content_and_their_hashes(cast, clock):
    document = issue(cast, clock)
    document.refresh_from_db()
    assert document.sha256 == hashlib.sha256(bytes(document.pdf)).hexdigest()
    assert render_content(document.content) == bytes(document.pdf)
    assert documents.is_intact(document)
    entry = AuditEntry.objects.get(action="document.issued")
    assert (entry.object_id, entry.facts["sha256"], entry.facts["number"]) == (str(document.pk), document.sha256, document.number)
    assert list(check_documents()) == []


@pytest.mark.django_db
def test_a_decision_that_fails_gives_its_number_back(cast, clock):
    with pytest.raises(RuntimeError), transaction.atomic():
        issue(cast, clock)
        raise RuntimeError
    assert issue(cast, clock).sequence == 1


@pytest.mark.django_db
def test_two_bodies_with_one_prefix_are_told(cast, clock):
    for party in (cast.regulator, cast.data_bureau):
        party.organisation.document_prefix = "甬联"
    issue(cast, clock)
    with pytest.raises(documents.DocumentNumberTaken):
        issue(cast, clock, issuer="data_bureau")


@pytest.mark.django_db
def test_an_empty_document_is_refused(cast, clock):
    with pytest.raises(documents.DocumentEmpty):
        issue(cast, clock, sections=[])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products_issueddocument SET title = 'x'",
        "DELETE FROM products_issueddocument",
        "DELETE FROM products_issueddocument_readers",
    ],
)
def test_the_database_refuses_to_change_an_issued_document(cast, clock, change):
    issue(cast, clock, readers=[cast.operator.organisation])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [("sequence", 3, "issued_document_leaves_no_gap"), ("sha256", "0" * 64, "issued_document_has_its_hash")],
)
def test_the_database_refuses_a_gap_and_a_wrong_hash(cast, clock, field, value, constraint):
    document = issue(cast, clock)
    document.pk, document.number, document.sequence = None, "另号", 2
    setattr(document, field, value)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        document.save(force_insert=True)
    assert refused.value.__cause__.diag.constraint_name == constraint


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["pdf = 'x'", "content = '{}'", "sha256 = repeat('0', 64)", "sequence = 7", "id = 99999"])
def test_an_edit_behind_the_triggers_is_found(cast, clock, change):
    issue(cast, clock)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE products_issueddocument SET {change}")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert list(check_documents())


@pytest.mark.django_db
def test_only_the_parties_read_what_is_not_public(cast, clock):
    document = issue(cast, clock, readers=[cast.operator.organisation])
    readers = {
        name
        for name in ("regulator", "operator", "platform", "auditor", "buyer", "operator_b", "data_bureau")
        if documents.may_read(user=getattr(cast, name).owner, document=document)
    }
    assert readers == {"regulator", "operator", "platform", "auditor"}
    assert not documents.may_read(user=AnonymousUser(), document=document)
    assert documents.may_read(user=AnonymousUser(), document=issue(cast, clock, is_public=True))


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_many_issue_at_once(cast, clock):
    def one(number: int) -> None:
        try:
            with transaction.atomic():
                issue(cast, clock, title=f"通知{number}", at=clock.now + timedelta(seconds=number))
                if number % 3 == 0:
                    raise RuntimeError
        except RuntimeError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(12)))
    assert sorted(IssuedDocument.objects.values_list("sequence", flat=True)) == list(range(1, 9))
