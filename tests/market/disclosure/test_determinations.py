"""The public determinations: what is determined, with its arithmetic and its document; nothing of a draft."""

import pytest

from tests.market.pages import text
from tests.pricing.revenue.operation import determined, make_filing, make_operation, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(cast, clock):
    return determined(cast, make_operation(cast, clock.now), clock.now)


def test_everybody_reads_the_arithmetic_and_takes_the_document(client, own):
    assert own.document.number in text(client.get("/determinations/"))
    page = text(client.get(f"/determinations/{own.pk}/"))
    for words in ("8,835,200.00", "626,400.00 ÷ (1 − 25%) × 25% = 208,800.00", "财政部中国国债收益率", "成本逐年上升"):
        assert words in page
    pdf = client.get(f"/documents/{own.document.pk}.pdf")
    assert (pdf.status_code, pdf.content[:4]) == (200, b"%PDF")


def test_programs_read_the_same(client, own):
    (row,) = client.get("/determinations.json").json()["determinations"]
    assert (row["amount"], row["number"], row["from"]) == ("8835200.00", own.document.number, "2026-01-01")
    figures = {each["code"]: each for each in client.get(f"/determinations/{own.pk}.json").json()["figures"]}
    assert figures["tax"]["yuan"] == "208800.00" and figures["profit_rate"]["rate"] == "0.0783"
    assert figures["cost"]["source"] == {"kind": "filings", "filings": [{"year": 2025, "admitted": "8000000.00"}]}


def test_a_draft_is_nobodys_news(client, cast, clock):
    operation = make_operation(cast, clock.now)
    draft = opened(cast, operation, clock.now, make_filing(cast, operation, clock.now))
    assert client.get(f"/determinations/{draft.pk}/").status_code == 404
    assert client.get("/determinations.json").json()["determinations"] == []


def test_the_list_has_a_fixed_number_of_queries(client, cast, clock, own, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get("/determinations/")
    with CaptureQueriesContext(connection) as one:
        client.get("/determinations/")
    determined(cast, make_operation(cast, clock.now, number="two"), clock.now)
    with django_assert_num_queries(len(one)):
        client.get("/determinations/")
