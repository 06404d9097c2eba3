"""The public page of receipts: the roots by day and hour, and the check of what anybody pastes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.core.cache import cache
from django.test import Client

from market.disclosure.receipts import CHECKS_A_MINUTE, OPEN, PARTS, PROVEN, WRONG
from market.gateway import signing
from settlement.metering import checking
from settlement.metering.models import ReceiptTree
from settlement.metering.receipts import receipt_of
from settlement.metering.sealing import seal
from tests.market.pages import text
from tests.settlement.metering.test_sealing import HOUR, use
from tests.settlement.stall import START, Stall, make_stall

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_minute():
    cache.clear()


@pytest.fixture
def stall() -> Stall:
    return make_stall()


@pytest.fixture
def english(client) -> Client:
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def receipt(stall) -> dict:
    outcomes = use(stall, 5)
    use(stall, 2, at=START + 26 * HOUR)
    seal(at=START + 40 * HOUR)
    return signing.signed(receipt_of(identifier=outcomes[2].usage_id, organisation_id=stall.buyer.pk))


def paste(client: Client, what: object):
    pasted = what if isinstance(what, str) else msgspec.json.encode(what).decode()
    return client.post("/receipts/check/", {"receipt": pasted})


def test_page_lists_days_and_the_hours_of_one_with_root_and_chain(english, receipt):
    page = text(english.get("/receipts/"))
    first, last = ReceiptTree.objects.order_by("hour")
    assert bytes(last.root).hex() in page and bytes(last.chain).hex() in page and bytes(first.root).hex() not in page
    assert "2026-10-20" in page and "2026-10-21" in page and "Final before 2026-10-22 01:00" in page
    page = text(english.get("/receipts/?day=2026-10-20"))
    assert bytes(first.root).hex() in page and "10:00" in page


def test_page_without_any_root_says_when_there_will_be_one(client):
    assert "每小时结束一分钟后封存" in text(client.get("/receipts/"))
    for query in ("?day=nonsense", "?month=2026-13", "?month=9999-12", "?day=0001-01-01"):
        assert client.get("/receipts/" + query).status_code == 200


def test_months_lead_to_the_ones_before_and_after_that_have_roots(client, stall):
    for days in (0, 70):
        use(stall, 1, at=START - timedelta(days=days))
    seal(at=START + 2 * HOUR)
    assert "?month=2026-08" in client.get("/receipts/").content.decode()
    page = client.get("/receipts/?month=2026-08").content.decode()
    assert "?month=2026-10" in page and "2026-08-11" in page


def test_true_receipt_is_proven_in_every_part(english, receipt):
    page = text(paste(english, receipt))
    assert "Nothing wrong" in page and all(str(sentence) in page for sentence in PROVEN.values())


def test_changed_receipt_is_wrong_and_says_where(english, receipt):
    page = text(paste(english, receipt | {"units": {"calls": "9"}}))
    assert "Something is wrong" in page
    for code in ("signature-wrong", "digest-differs", "root-differs"):
        assert str(WRONG[code]) in page
    foreign = receipt["proof"] | {"hour": "2026-10-20T11:00:00+08:00"}
    assert str(WRONG["root-unpublished"]) in text(paste(english, signing.signed({**receipt, "proof": foreign})))


def test_receipt_that_is_not_sealed_is_open(english, stall):
    (outcome,) = use(stall, 1)
    facts = signing.signed(receipt_of(identifier=outcome.usage_id, organisation_id=stall.buyer.pk))
    page = text(paste(english, facts))
    assert "Nothing wrong" in page and str(OPEN["proof"]) in page


@pytest.mark.parametrize(
    ("pasted", "status"), [("", 422), ("   ", 422), ("{", 422), ("x" * 70_000, 413), ("[" + "{}," * 20 + "{}]", 422)]
)
def test_what_is_no_receipt_is_refused_and_what_was_typed_is_kept(client, pasted, status):
    response = paste(client, pasted)
    assert response.status_code == status and 'role="alert"' in response.content.decode()
    assert pasted[:40].strip().replace('"', "&quot;") in response.content.decode()


@pytest.mark.parametrize(
    "pasted", ["[1, null]", "{}", '{"proof": {"hour": 5}}', '{"proof": {"hour": "9999-12-31T23:59:59-12:00"}}']
)
def test_no_paste_breaks_the_page(client, pasted):
    assert paste(client, pasted).status_code == 200


def test_checks_are_limited_by_the_minute_and_one_is_kept_for_later(client, receipt):
    for _ in range(CHECKS_A_MINUTE):
        assert paste(client, "{}").status_code == 200
    response = paste(client, receipt)
    assert (response.status_code, response["Retry-After"]) == (429, "60") and receipt["id"] in response.content.decode()


def test_every_finding_has_its_sentence():
    import inspect
    import re

    codes = set(re.findall(r'_Wrong\(\s*"([a-z-]+)"', inspect.getsource(checking))) | {"unreadable", "no-receipt"}
    assert codes == set(WRONG) and set(PARTS) == set(PROVEN) == set(OPEN)


def test_pages_have_a_fixed_number_of_queries(client, stall, receipt, django_assert_num_queries):
    with django_assert_num_queries(5):
        client.get("/receipts/")
    for hours in range(50, 60):
        use(stall, 1, at=START + hours * HOUR)
    seal(at=START + 70 * HOUR)
    with django_assert_num_queries(5):
        client.get("/receipts/")
