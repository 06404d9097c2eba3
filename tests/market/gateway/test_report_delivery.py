"""A report over the real gateway: the call answers a link, and the link answers the document."""

from __future__ import annotations

from hashlib import sha256

import pytest

from products.catalogue.models import DataProduct, Release
from products.runtimes import report
from tests.market.gateway.conftest import Client
from tests.settlement.stall import START

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 made up"
CONFIG = {
    "title": "Review",
    "content_type": "application/pdf",
    "filename": "review.pdf",
    "issued_on": "2026-04-20",
    "link_minutes": 10,
}


def test_a_report_is_delivered_by_the_link_that_the_call_answers(shared_server, stall):
    DataProduct.objects.filter(pk=stall.product.pk).update(type="report")
    Release.objects.filter(pk=stall.release.pk).update(state="retired")
    Release.objects.create(
        product=stall.product, version=2, state="active", config=CONFIG, artifact=PDF, sha256=sha256(PDF).hexdigest(),
        input_schema=report.input_schema(CONFIG), output_schema=report.output_schema(CONFIG), sample_input={}, created_at=START,
    )  # fmt: skip
    client = Client(shared_server, stall)
    answer = client.call(json={})
    assert answer.status_code == 200, answer.text
    document = client.get(answer.json()["data"]["url"])
    assert (document.status_code, document.content) == (200, PDF)
    assert document.headers["content-type"] == "application/pdf" and "review.pdf" in document.headers["content-disposition"]
    assert client.get(answer.json()["data"]["url"][:-3] + "abc").status_code == 404
