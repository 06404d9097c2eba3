"""A buyer's receipts in the console: what each says, its proof, and the file that check_receipt takes."""

from __future__ import annotations

import pytest

from market.gateway import signing
from settlement.metering import checking
from settlement.metering.record import event_of, record_events
from settlement.metering.sealing import seal
from tests.factories.cast import Cast
from tests.market.pages import text
from tests.settlement.metering.test_sealing import HOUR
from tests.settlement.stall import START, digest_of, entitle, make_stall

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(cast: Cast) -> str:
    stall = make_stall()
    entitlement = entitle(stall.product, cast.buyer.organisation, stall.plan)
    event = event_of(entitlement, units={"calls": "1"}, time=START, request_digest=digest_of("q"))
    return str(record_events([event], at=START)[0].usage_id)


def test_a_receipt_says_when_it_will_be_sealed_and_then_its_place_and_root(cast: Cast, sign_in, number):
    client = sign_in(cast.buyer.owner)
    assert "11:01 之后封存" in text(client.get(f"/console/buyer/receipts/?id={number}"))
    (tree,) = seal(at=START + 2 * HOUR)
    page = text(client.get(f"/console/buyer/receipts/?id={number}"))
    assert "calls" not in page and "× 1" in page
    assert "该小时 1 条中的第 1 条" in page and tree.root.hex() in page and "¥0.50" in page


def test_the_file_proves_itself_with_the_published_key(cast: Cast, sign_in, number):
    seal(at=START + 2 * HOUR)
    response = sign_in(cast.buyer.owner).get(f"/console/buyer/receipts/{number}.json")
    assert response["Content-Disposition"] == f'attachment; filename="receipt-{number}.json"'
    keys = checking.keys_of(signing.canonical({"keys": [signing.public_jwk()]}))
    (receipt,) = checking.receipts_in(response.content)
    assert {"signature", "content", "proof"} <= checking.check_receipt(receipt, keys=keys).proven


def test_another_organisations_receipt_is_not_there(cast: Cast, sign_in, number):
    assert sign_in(cast.buyer_b.owner).get(f"/console/buyer/receipts/{number}.json").status_code == 404
