"""Answers that did not fit their release's output schema were not sent: the operator is told, at most once an hour a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import Release
from products.organisations.models import Organisation, Role
from products.record import notices
from products.record.models import Notice

EVERY = timedelta(hours=1)
KIND = "release.misfit"
TOLD = (Role.PUBLISHER, Role.OWNER, Role.DEVELOPER)
notices.define(
    KIND,
    subject=_("%(product)s answers what its schema does not allow"),
    text=_(
        "Version %(version)s gave answers that do not fit its output schema (at %(where)s). They were not sent and not charged; "
        "callers got 503. Mend the release or its schema."
    ),
)


@transaction.atomic
def misfits_tell(*, misfits: Mapping[int, Sequence[str]], at: datetime) -> int:
    """Tell the operators of releases (id → JSON pointers at fault); returns of how many. Never a value of the answer."""
    told = 0
    for release in Release.objects.filter(pk__in=misfits).select_related("product__operator").defer("artifact").order_by("pk"):
        operator = release.product.operator
        Organisation.objects.select_for_update(no_key=True).get(pk=operator.pk)  # two gateways at once tell once
        said = Notice.objects.filter(kind=KIND, organisation=operator, facts__release=release.pk, created_at__gt=at - EVERY)
        if said.exists():
            continue
        where = ", ".join(dict.fromkeys(pointer or "/" for pointer in misfits[release.pk][:5]))
        facts = {"product": release.product.name, "version": release.version, "where": where, "release": release.pk}
        url = f"/console/operator/products/{release.product.code}/"
        notices.notify(kind=KIND, organisation=operator, roles=TOLD, facts=facts, url=url, at=at)
        told += 1
    return told
