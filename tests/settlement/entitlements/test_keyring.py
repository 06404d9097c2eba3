"""What becomes of keys: news before their end, once each; a leaked one is revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from products.record.models import AuditEntry, Notice
from settlement.entitlements import keys
from settlement.entitlements.keyring import key_leaked, key_rotate, keys_tell_of_their_end
from settlement.entitlements.models import ApiKey
from settlement.entitlements.services import key_issue
from tests.factories.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(cast: Cast, clock):
    return key_issue(organisation=cast.buyer.organisation, mode="test", name="try", user=cast.buyer.owner, at=clock.now)


def told(cast: Cast) -> int:
    return Notice.objects.filter(user=cast.buyer.developer, kind="key.expires").count()


def test_its_owners_hear_thirty_seven_and_one_days_before_a_key_ends(cast, issued, clock):
    seen = []
    for days in (334, 1, 1, 20, 3, 1, 4, 1, 1):
        clock.move(days=days)
        keys_tell_of_their_end(at=clock.now)
        seen.append(told(cast))
    # days left:  31, 30, 29, 9, 6, 5, 1, 0, -1
    assert seen == [0, 1, 1, 1, 2, 2, 3, 3, 3]
    assert Notice.objects.filter(kind="key.expires").first().facts["hint"] == issued[0].hint


def test_a_job_that_slept_tells_only_the_nearest_mark(cast, issued, clock):
    clock.move(days=364, hours=12)
    assert keys_tell_of_their_end(at=clock.now) == 1
    assert keys_tell_of_their_end(at=clock.now) == 0 and told(cast) == 1


def test_short_and_revoked_keys_bring_no_news_of_marks_longer_than_their_life(cast, clock):
    facts = {"organisation": cast.buyer.organisation, "mode": "test", "user": cast.buyer.owner}
    key_issue(**facts, at=clock.now, expires_at=clock.now + timedelta(days=5))
    gone, _secret = key_issue(**facts, at=clock.now)
    ApiKey.objects.filter(pk=gone.pk).update(revoked_at=clock.now)
    assert keys_tell_of_their_end(at=clock.now) == 0
    clock.move(days=4)
    assert keys_tell_of_their_end(at=clock.now) == 1


def test_the_end_that_a_rotation_set_is_told_too(cast, issued, clock):
    clock.move(days=100)
    key_rotate(key=issued[0], overlap="week", user=cast.buyer.owner, at=clock.now)
    assert keys_tell_of_their_end(at=clock.now) == 1 and told(cast) == 1


def test_a_reported_key_is_revoked_at_once_and_its_owner_told(cast, issued, clock):
    key, secret = issued
    assert key_leaked(text=secret[:-1] + "!", at=clock.now) is None
    assert key_leaked(text=keys.make("test"), at=clock.now) is None
    assert key_leaked(text=secret, at=clock.now).pk == key.pk
    key.refresh_from_db()
    assert key.revoked_at == clock.now
    assert Notice.objects.filter(user=cast.buyer.developer, kind="key.leaked").count() == 1
    assert AuditEntry.objects.get(action="key.revoke").reason == "reported as leaked"
    assert key_leaked(text=secret, at=clock.now) is None, "once"
