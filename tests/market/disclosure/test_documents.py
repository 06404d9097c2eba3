"""Downloading an issued document."""

from __future__ import annotations

import base64
import hashlib

import pytest

from products.record import documents
from products.record.pdf import Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(cast, clock):
    def make(**changes):
        body = cast.regulator
        given = {"kind": "note", "title": "通知", "obj": ("test.thing", "1"), "sections": [Text("甲")], "at": clock.now}
        return documents.issue(**(given | {"issuer": body.organisation, "user": body.owner} | changes))

    return make


def test_a_public_document_is_a_download_for_everyone_by_id_and_by_number(client, document):
    issued = document(is_public=True)
    by_id, by_number = client.get(f"/documents/{issued.pk}.pdf"), client.get(f"/documents/{issued.number}.pdf")
    assert by_id.status_code == by_number.status_code == 200
    assert by_id.content == by_number.content == bytes(issued.pdf)
    assert by_id["Content-Disposition"].startswith("attachment;") and by_id["X-Content-Type-Options"] == "nosniff"
    assert by_id["Content-Type"] == "application/pdf" and "public" in by_id["Cache-Control"]
    digest = base64.b64encode(hashlib.sha256(by_id.content).digest()).decode()
    assert by_id["Repr-Digest"] == f"sha-256=:{digest}:"


def test_a_document_of_the_parties_is_theirs_alone(client, cast, document):
    address = f"/documents/{document(readers=[cast.operator.organisation]).pk}.pdf"
    assert client.get(address).status_code == 302
    for who, status in (
        (cast.buyer.owner, 404),
        (cast.operator.owner, 200),
        (cast.regulator.owner, 200),
        (cast.operator_b.owner, 404),
    ):
        client.force_login(who)
        assert client.get(address).status_code == status
    client.force_login(cast.operator.owner)
    assert "no-store" in client.get(address)["Cache-Control"]


def test_a_visitor_cannot_tell_a_closed_document_from_a_missing_one(client, document):
    closed = client.get(f"/documents/{document().pk}.pdf")
    missing = client.get("/documents/99999999.pdf")
    assert closed.status_code == missing.status_code == 302


def test_a_download_takes_one_query(client, document, django_assert_num_queries):
    address = f"/documents/{document(is_public=True).pk}.pdf"
    with django_assert_num_queries(1):
        client.get(address)
