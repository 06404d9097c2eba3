"""Keys in the console: their limits, the change for a new one, revoking; another organisation's are not there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.record.models import AuditEntry
from settlement.entitlements import keys as key_format
from settlement.entitlements.models import ApiKey
from settlement.entitlements.services import key_issue
from tests.factories.cast import Cast
from tests.factories.offers import make_offer
from tests.settlement.stall import entitle

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast: Cast, clock):
    offer = make_offer(cast, clock.now)
    facts = {"purposes": [offer.product.purposes[0]], "valid_from": clock.now - timedelta(days=9), "created_at": clock.now}
    return entitle(offer.product, cast.buyer.organisation, offer.plan, code="E-held", **facts)


@pytest.fixture
def key(cast: Cast, held, clock) -> ApiKey:
    return key_issue(entitlement=held, mode="live", name="one", user=cast.buyer.owner, at=clock.now)[0]


def test_limits_are_changed_on_the_keys_page(cast, key, sign_in):
    client = sign_in(cast.buyer.developer)
    given = {"name": "二", "scopes": ["calls"], "networks": "203.0.113.0/24\n2001:db8::/48, 198.51.100.7"}
    assert client.post(f"/console/keys/{key.pk}/", given).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("二", ["calls"])
    assert key.networks == ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7/32"]
    page = client.get(f"/console/keys/{key.pk}/").content.decode()
    assert "203.0.113.0/24" in page and "二" in page
    assert AuditEntry.objects.get(action="key.change").facts["to"]["scopes"] == ["calls"]
    client.post(f"/console/keys/{key.pk}/", given | {"scopes": ["calls", "receipts"], "networks": ""})
    key.refresh_from_db()
    assert (key.scopes, key.networks) == ([], []), "all of them is no limit"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"networks": "203.0.113.5/24"}, "networks"),
        ({"networks": "somewhere"}, "networks"),
        ({"networks": " ".join(f"10.0.{n}.0/24" for n in range(21))}, "networks"),
        ({"scopes": ["usage"]}, "scopes"),
        ({"name": "x" * 61}, "name"),
    ],
)
def test_a_wrong_limit_is_said_beside_its_field_and_nothing_is_saved(cast, key, sign_in, changes, field):
    given = {"name": "typed", "scopes": ["calls"], "networks": "10.0.0.0/8"} | changes
    response = sign_in(cast.buyer.owner).post(f"/console/keys/{key.pk}/", given)
    assert response.status_code == 422 and response.context["form"].errors[field]
    key.refresh_from_db()
    assert (key.name, key.scopes, key.networks) == ("one", [], [])


def test_rotating_shows_the_new_secret_once_and_ends_the_old_key(cast, key, sign_in, clock):
    client = sign_in(cast.buyer.owner)
    client.post(f"/console/keys/{key.pk}/", {"name": "one", "scopes": ["calls"], "networks": "10.0.0.0/8"})
    answer = client.post(f"/console/keys/{key.pk}/rotate/", {"overlap": "day"})
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    secret, new = answer.context["secret"], ApiKey.objects.latest("id")
    assert bytes(new.digest) == key_format.digest(secret) and secret in answer.content.decode()
    assert (new.name, new.scopes, new.networks) == ("one", ["calls"], ["10.0.0.0/8"])
    key.refresh_from_db()
    assert key.expires_at == clock.now + timedelta(days=1) and new.expires_at == clock.now + timedelta(days=365)
    assert secret not in client.get(f"/console/keys/{new.pk}/").content.decode()
    assert client.post(f"/console/keys/{new.pk}/rotate/", {"overlap": "day"}).status_code == 409, "two are alive"
    assert client.post(f"/console/keys/{new.pk}/rotate/", {"overlap": "for ever"}).status_code == 422


def test_revoking_takes_a_reason(cast, key, sign_in, clock):
    client = sign_in(cast.buyer.owner)
    assert client.post(f"/console/keys/{key.pk}/revoke/", {"reason": ""}).status_code == 422
    assert client.post(f"/console/keys/{key.pk}/revoke/", {"reason": "left the company"}).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at == clock.now
    assert AuditEntry.objects.get(action="key.revoke").reason == "left the company"
    for act, given in (("", {"name": "x"}), ("rotate/", {"overlap": "day"})):
        assert client.post(f"/console/keys/{key.pk}/{act}", given).status_code in (409, 422)
    assert client.get(f"/console/keys/{key.pk}/").status_code == 200


def test_another_organisations_key_is_not_there_and_a_role_is_needed(cast, key, sign_in):
    for act in ("", "rotate/", "revoke/"):
        assert sign_in(cast.buyer_b.owner).post(f"/console/keys/{key.pk}/{act}").status_code == 404
        assert sign_in(cast.buyer.approver).post(f"/console/keys/{key.pk}/{act}").status_code == 403
    assert sign_in(cast.buyer_b.owner).get(f"/console/keys/{key.pk}/").status_code == 404
    assert sign_in(cast.buyer.approver).get(f"/console/keys/{key.pk}/").status_code == 200
    key.refresh_from_db()
    assert (key.revoked_at, ApiKey.objects.count()) == (None, 1)


def test_an_operators_usage_key_has_its_own_scopes_and_its_developer_may_change_it(cast, sign_in, clock):
    own = key_issue(organisation=cast.operator.organisation, mode="op", name="m", user=cast.operator.owner, at=clock.now)[0]
    client = sign_in(cast.operator.developer)
    given = {"name": "m", "scopes": ["usage"], "networks": ""}
    assert client.post(f"/console/keys/{own.pk}/", given).status_code == 302
    own.refresh_from_db()
    assert own.scopes == ["usage"]
    assert client.post(f"/console/keys/{own.pk}/", given | {"scopes": ["calls"]}).status_code == 422
    assert f"/console/keys/{own.pk}/" in client.get("/console/operator/usage-keys/").content.decode()


@pytest.mark.parametrize("url", ["/console/buyer/keys/?show=all", "/console/operator/usage-keys/"])
def test_a_thousand_keys_are_paged_in_as_many_queries_as_ten(cast, held, sign_in, clock, url):
    is_buyer = "buyer" in url
    client = sign_in(cast.buyer.owner if is_buyer else cast.operator.owner)
    owner = cast.buyer.organisation if is_buyer else cast.operator.organisation

    def add(count: int, start: int) -> None:
        ApiKey.objects.bulk_create(
            ApiKey(
                organisation=owner,
                entitlement=held if is_buyer else None,
                mode="live" if is_buyer else "op",
                name=f"k{n}",
                hint=f"gs_live_{n:04d}…",
                digest=n.to_bytes(32, "big"),
                created_by=cast.buyer.owner,
                created_at=clock.now - timedelta(days=1),
                expires_at=clock.now + timedelta(days=10),
                revoked_at=clock.now,
            )
            for n in range(start, start + count)
        )

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    add(10, 0)
    queries()
    few = queries()
    add(990, 10)
    assert queries() == few
    page = client.get(url).context["page"]
    assert len(page.object_list) == 25 and page.paginator.count == 1000
