"""The news of free-use claims: what the authorising body and the claimant are told."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy

from pricing.grants.models import FreeUseGrant
from products.organisations.models import Organisation
from products.record.notices import define, notify

define(
    "free_use.submitted",
    subject=gettext_lazy("Free-use claim %(number)s"),
    text=gettext_lazy("%(claimant)s claims free use of %(product)s."),
)
define(
    "free_use.to_check",
    subject=gettext_lazy("Free-use claim %(number)s: to be checked"),
    text=gettext_lazy("A decision on the claim of %(claimant)s for %(product)s waits for a second person."),
)
define(
    "free_use.corrections",
    subject=gettext_lazy("Free-use claim %(number)s: please complete it"),
    text=gettext_lazy("The authorising body asks about your claim for %(product)s: %(note)s"),
)
define(
    "free_use.granted",
    subject=gettext_lazy("Free use granted: %(number)s"),
    text=gettext_lazy(
        "You may use %(product)s free of charge from %(from)s to %(to)s, %(quota)s units. Next: take it up in the shop."
    ),
)
define(
    "free_use.refused",
    subject=gettext_lazy("Free use refused: %(number)s"),
    text=gettext_lazy("Your claim for %(product)s was refused: %(note)s You may object; the claim's page says how."),
)
define(
    "free_use.revoked",
    subject=gettext_lazy("Free use revoked: %(number)s"),
    text=gettext_lazy("Your free use of %(product)s was revoked: %(note)s You may object; the claim's page says how."),
)


def tell_authority(grant: FreeUseGrant, body: Organisation, at: datetime, kind: str = "free_use.submitted") -> None:
    url = f"/console/authority/free-use/{grant.number}/"
    roles = ("decider", "approver", "reviewer")
    notify(kind=kind, organisation=body, roles=roles, facts=_facts(grant), url=url, at=at)


def tell_claimant(kind: str, grant: FreeUseGrant, at: datetime, note: str = "") -> None:
    url = f"/free-use/{grant.number}/"
    notify(kind=kind, organisation=grant.organisation, facts=_facts(grant) | {"note": note}, url=url, at=at)


def _facts(grant: FreeUseGrant) -> dict[str, object]:
    return {
        "number": grant.number,
        "claimant": grant.organisation.name,
        "product": grant.product.name,
        "from": grant.from_date or "–",
        "to": grant.to_date or "–",
        "quota": grant.quota or 0,
    }
