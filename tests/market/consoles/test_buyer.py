"""The buyer's pages: what is used, what it costs so far, keys, invoices; another organisation's objects are not there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from settlement.entitlements.models import ApiKey
from settlement.entitlements.services import entitlement_open
from tests.factories.cast import Cast
from tests.factories.offers import make_grant, make_offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast: Cast, clock):
    offer = make_offer(cast, clock.now)
    return entitlement_open(
        organisation=cast.buyer.organisation,
        product=offer.product,
        plan=offer.plan,
        purposes=["industry.finance.pre_loan"],
        scenario="small-business-lending",
        valid_from=clock.now,
        valid_to=clock.now + timedelta(days=365),
        accepted_by=cast.buyer.owner,
        at=clock.now,
    )


def test_the_cost_so_far_is_the_quote_of_the_days_so_far(held, cast: Cast, sign_in):
    page = sign_in(cast.buyer.owner).get(f"/console/buyer/entitlements/{held.code}/")
    month = page.context["month"]
    assert month.quote["total"] == "32.88"  # one day of a year of 12,000.00
    assert "¥32.88" in page.content.decode()


def test_a_key_is_shown_once_rotated_and_revoked(held, cast: Cast, sign_in):
    client = sign_in(cast.buyer.developer)
    url = f"/console/buyer/entitlements/{held.code}/"
    first = re.search(r"gs_live_\w{20,}", client.post(f"{url}keys/", {"name": "a"}).content.decode())
    assert first and first[0] not in client.get(url).content.decode()
    assert client.post(f"{url}keys/", {"name": "b"}).status_code == 200
    assert client.post(f"{url}keys/", {"name": "c"}).status_code == 409
    key = ApiKey.objects.get(name="a")
    assert sign_in(cast.buyer_b.owner).post(f"/console/buyer/keys/{key.pk}/revoke/").status_code == 404
    assert client.post(f"/console/buyer/keys/{key.pk}/revoke/").status_code == 302
    assert client.post(f"{url}keys/", {"name": "c"}).status_code == 200


def test_who_may_not_issue_keys_is_told_so(held, cast: Cast, sign_in):
    assert sign_in(cast.buyer.approver).post(f"/console/buyer/entitlements/{held.code}/keys/").status_code == 403
    assert not ApiKey.objects.exists()


def test_a_sandbox_key_needs_no_verification(cast: Cast, sign_in):
    assert "gs_test_" in sign_in(cast.buyer.owner).post("/console/buyer/keys/issue/", {"name": "try"}).content.decode()


def test_another_organisations_entitlement_is_not_there(held, cast: Cast, sign_in):
    other = sign_in(cast.buyer_b.owner)
    assert other.get(f"/console/buyer/entitlements/{held.code}/").status_code == 404
    assert other.post(f"/console/buyer/entitlements/{held.code}/keys/").status_code == 404


def test_the_list_takes_the_same_queries_for_one_and_for_ten(held, cast: Cast, clock, sign_in, django_assert_num_queries):
    client = sign_in(cast.buyer.owner)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        client.get("/console/buyer/")
    for number in range(9):
        grant = make_grant(cast, clock.now, held.product, organisation=cast.buyer.organisation, number=f"GY-{number}")
        entitlement_open(
            organisation=cast.buyer.organisation,
            product=held.product,
            grant=grant,
            purposes=["welfare.relief"],
            scenario=grant.scenario,
            valid_from=clock.now,
            valid_to=clock.now + timedelta(days=30),
            at=clock.now,
        )
    with django_assert_num_queries(len(one)):
        client.get("/console/buyer/")


def test_a_receipt_that_is_not_ours_is_not_there(cast: Cast, sign_in):
    client = sign_in(cast.buyer.owner)
    assert client.get("/console/buyer/receipts/?id=0199f0c2-0000-7000-8000-000000000000").status_code == 404
    assert client.get("/console/buyer/receipts/?id=nonsense").status_code == 404
