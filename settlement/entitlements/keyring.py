"""What becomes of a key after it was issued: other limits, a change for a new one, news before its end, a leak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Role, User
from products.record import audit
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused
from settlement.entitlements import keys
from settlement.entitlements.models import ApiKey
from settlement.entitlements.services import key_issue, key_revoke

READERS = (Role.OWNER, Role.DEVELOPER)
MARKS = (30, 7, 1)  # days before the end
OVERLAPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}

define(
    "key.expires",
    subject=_("A key ends soon: %(hint)s"),
    text=_("The key %(hint)s (%(name)s) ends on %(end)s. Change it for a new one before that; it was last used: %(used)s."),
)
define(
    "key.leaked",
    subject=_("A leaked key was revoked: %(hint)s"),
    text=_("Somebody reported that the key %(hint)s (%(name)s) can be read where it should not be. It was revoked at once."),
)


class KeyNotAlive(Refused):
    """The key is revoked or has ended."""

    code = "key_not_alive"


class OverlapUnknown(Refused):
    code = "key_overlap_unknown"


@transaction.atomic
def key_change(
    *, key: ApiKey, name: str, scopes: Sequence[str], networks: Sequence[str], user: User | None, at: datetime
) -> ApiKey:
    """Another name, other scopes, other networks; gateways follow within a second. Raises ``KeyNotAlive``, ``ScopeUnknown``,
    ``NetworkWrong``."""
    changed = {
        "name": name.strip()[:60],
        "scopes": keys.read_scopes(key.mode, scopes),
        "networks": keys.read_networks(networks),
    }
    was = {field: getattr(key, field) for field in changed}
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None, expires_at__gt=at).update(**changed):
        raise KeyNotAlive(_("This key no longer works; nothing about it can be changed."))
    key.refresh_from_db()
    if was != changed:
        facts = {"hint": key.hint, "from": was, "to": changed}
        audit.record(action="key.change", obj=key, actor=user, organisation=key.organisation, at=at, facts=facts)
    return key


@transaction.atomic
def key_rotate(*, key: ApiKey, overlap: str, user: User | None, at: datetime) -> tuple[ApiKey, str]:
    """A new key with the name and limits of this one, which then ends after the overlap (``OVERLAPS``). Returns the new one
    and, this once, its secret. Raises ``KeyNotAlive``, ``OverlapUnknown``, ``TooManyKeys``."""
    if overlap not in OVERLAPS:
        raise OverlapUnknown(_("Choose how long both keys work."), field="overlap")
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("entitlement", "organisation").get(pk=key.pk)
    if old.revoked_at is not None or old.expires_at <= at:
        raise KeyNotAlive(_("This key no longer works; issue a new one."))
    owner = {"entitlement": old.entitlement} if old.entitlement else {"organisation": old.organisation}
    limits = {"name": old.name, "scopes": old.scopes, "networks": old.networks}
    new, secret = key_issue(**owner, mode=old.mode, user=user, at=at, **limits)
    ends = min(old.expires_at, at + OVERLAPS[overlap])
    ApiKey.objects.filter(pk=old.pk).update(expires_at=ends, told_days=None)
    facts = {"hint": old.hint, "new": new.hint, "ends": ends}
    audit.record(action="key.rotate", obj=old, actor=user, organisation=old.organisation, at=at, facts=facts)
    key.refresh_from_db()
    return new, secret


def keys_tell_of_their_end(*, at: datetime) -> int:
    """Tell of keys that end in 30, 7 or 1 days, once each; a daily job. Returns how many notices were due.

    A key that was given less time than a mark is not told of it: its end is no surprise.
    """
    ending = ApiKey.objects.filter(revoked_at=None, expires_at__gt=at, expires_at__lte=at + timedelta(days=MARKS[0]))
    found = 0
    for key in ending.select_related("organisation").order_by("id"):
        left = key.expires_at - at
        mark = min((mark for mark in MARKS if left <= timedelta(days=mark)), default=None)
        is_short = mark is not None and key.expires_at - key.created_at <= timedelta(days=mark)
        if mark is None or is_short or (key.told_days is not None and key.told_days <= mark):
            continue
        found += _tell_of_end(key, mark, at)
    return found


@transaction.atomic
def _tell_of_end(key: ApiKey, mark: int, at: datetime) -> int:
    claimed = ApiKey.objects.filter(pk=key.pk, told_days=key.told_days, revoked_at=None)
    if not claimed.update(told_days=mark):
        return 0
    facts = {
        "hint": key.hint,
        "name": key.name or "–",
        "end": business_date(key.expires_at),
        "used": business_date(key.last_used_at) if key.last_used_at else "–",
    }
    notify(kind="key.expires", organisation=key.organisation, roles=READERS, facts=facts, url=url_of(key), at=at)
    return 1


@transaction.atomic
def key_leaked(*, text: str, at: datetime) -> ApiKey | None:
    """Somebody holds a key that is not theirs: it is revoked and its owner told; None where it is no key of ours that works."""
    if keys.mode_of(text) is None:
        return None
    key = ApiKey.objects.select_related("organisation").filter(digest=keys.digest(text), revoked_at=None).first()
    if key is None or key.expires_at <= at:
        return None
    key_revoke(key=key, user=None, reason="reported as leaked", at=at)
    facts = {"hint": key.hint, "name": key.name or "–"}
    notify(kind="key.leaked", organisation=key.organisation, roles=READERS, facts=facts, url=url_of(key), at=at)
    return key


def url_of(key: ApiKey) -> str:
    """The console page of a key."""
    return f"/console/keys/{key.pk}/"
