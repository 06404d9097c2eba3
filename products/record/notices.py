"""Notices: news for people, shown in the site and mailed in the reader's language.

``notify`` writes the rows and queues the mail in the caller's transaction, so a change that is rolled back tells nobody, and a
mail server that is down loses nothing. The words of a kind live with the package that sends it: ``define`` them at import.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from products.organisations.models import Membership, Organisation, User
from products.record.models import Notice

logger = logging.getLogger("gongshu.notices")


@dataclass(frozen=True)
class Words:
    """Subject and sentence of a kind, with ``%(name)s`` places that the notice's facts fill."""

    subject: str | Promise
    text: str | Promise


KINDS: dict[str, Words] = {}


def define(kind: str, *, subject: str | Promise, text: str | Promise) -> None:
    """Give a kind of notice its words (lazy translations). Called at import, beside the service that sends it."""
    KINDS[kind] = Words(subject, text)


def notify(
    *,
    kind: str,
    organisation: Organisation | None = None,
    roles: Iterable[str] = (),
    users: Iterable[User] = (),
    facts: dict[str, Any],
    url: str = "",
    at: datetime,
) -> list[Notice]:
    """Tell the named people, and the organisation's active members with one of the roles (all members where none is named).

    ``facts`` fill the words of the kind; ``url`` is a path of the site. Belongs in the transaction of the change.
    """
    readers = {user.pk: user for user in users if user.is_active}
    if organisation is not None and (roles or not readers):
        found = Membership.objects.filter(organisation=organisation, is_active=True, user__is_active=True).select_related("user")
        wanted = list(roles)
        readers |= {m.user.pk: m.user for m in (found.filter(roles__overlap=wanted) if wanted else found)}
    kept = {name: value if isinstance(value, int) else str(value) for name, value in facts.items()}
    notices = Notice.objects.bulk_create(
        Notice(user=user, organisation=organisation, kind=kind, facts=kept, url=url, created_at=at) for user in readers.values()
    )
    if notices:
        from products.tasks import mail_notices  # the job queue needs the apps loaded

        mail_notices.defer(notice_ids=[notice.pk for notice in notices])
    return notices


def words_of(notice: Notice) -> tuple[str, str]:
    """Subject and sentence in the active language. A kind without words (an old row) reads as plain news."""
    words = KINDS.get(notice.kind) or Words(gettext_lazy("News from Gongshu"), gettext_lazy("Something changed; see the page."))
    facts = _Facts(notice.facts)
    return str(words.subject) % facts, str(words.text) % facts


class _Facts(dict):
    """Facts with a dash where a place has none: an old notice stays readable when its words change."""

    def __missing__(self, key: str) -> str:
        return "–"


def mail(*, notice_ids: Iterable[int], at: datetime) -> int:
    """Send the notices that are not mailed yet; returns how many. The body is never logged."""
    sent = 0
    for pk in notice_ids:
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("user")
                .filter(pk=pk, mailed_at=None)
                .first()
            )
            if notice is None:
                continue
            Notice.objects.filter(pk=pk).update(mailed_at=at)
            with translation.override(notice.user.language or settings.LANGUAGE_CODE):
                subject, text = words_of(notice)
                link = f"\n\n{settings.PUBLIC_URL}{notice.url}" if notice.url else ""
                text += link + "\n\n" + _("You get this mail because you work with Gongshu.")
                send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [notice.user.email])
            sent += 1
    logger.info("mailed %s notices", sent)
    return sent


def unread_count(*, user: User) -> int:
    return Notice.objects.filter(user=user, read_at=None).count()


def mark_read(*, user: User, at: datetime, before_id: int | None = None) -> int:
    """Mark the person's notices as read, up to a number where one is given; returns how many were unread."""
    upto = Q() if before_id is None else Q(pk__lte=before_id)
    return Notice.objects.filter(upto, user=user, read_at=None).update(read_at=at)
