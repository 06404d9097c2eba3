"""Who is told of an emergency stop and of its end: buyers with entitlements under it, the operator, the authorising bodies.

Told in the transaction of the stop, with a number of queries that does not grow with the buyers: a stop of a product with
thousands of them must still be committed at once.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from products.organisations.models import Membership, Role, User
from products.record.clock import BUSINESS_ZONE
from products.record.notices import define, notify
from settlement.entitlements.models import EmergencyStop
from settlement.entitlements.stop_selectors import Kind, authorities_of, entitlements_under, handler_of

BUYER_ROLES = (Role.OWNER, Role.BUYER, Role.DEVELOPER)
SELLER_ROLES = (Role.OWNER, Role.PUBLISHER, Role.DEVELOPER)
BODY_ROLES = (Role.OWNER, Role.REVIEWER, Role.DECIDER)
CONSOLE = "/console/stops/"

define(
    "stop.started",
    subject=_("Stopped at once: %(target)s"),
    text=_(
        "Calls of %(target)s are stopped since %(since)s: %(reason)s. They are answered with 503 until the stop is lifted. Fees "
        "for time are not charged for the days that are touched, except where the stop is of a buyer."
    ),
)
define(
    "stop.lifted",
    subject=_("Calls go on: %(target)s"),
    text=_("The emergency stop of %(target)s of %(since)s is lifted; calls are answered again."),
)
define(
    "stop.ended",
    subject=_("Ended for good: %(target)s"),
    text=_("After the emergency stop of %(since)s, %(target)s is ended for good: %(reason)s. Its entitlements have ended."),
)
define(
    "stop.lift_asked",
    subject=_("To decide: the emergency stop of %(target)s"),
    text=_("%(person)s asks to end the emergency stop of %(target)s. Another person must decide."),
)


def tell(*, stop: EmergencyStop, act: str, at: datetime) -> int:
    """Notices and mails of ``started``, ``lifted`` or ``ended``, one a person; returns how many buyers were told."""
    buyers = _buyers(stop, at)
    kind = f"stop.{act}"
    facts = _facts(stop)
    readers = _people(buyers, BUYER_ROLES)
    notify(kind=kind, users=readers.values(), facts=facts, url="/console/buyer/", at=at)
    others: dict[int, User] = {}
    if stop.kind == Kind.PRODUCT and stop.product is not None:
        others |= _people([stop.product.operator_id], SELLER_ROLES)
    elif stop.kind == Kind.OPERATOR and stop.organisation_id is not None:
        others |= _people([stop.organisation_id], SELLER_ROLES)
    others |= _people([body.pk for body in [*authorities_of(stop), handler_of(stop)]], BODY_ROLES)
    also = [user for number, user in others.items() if number not in readers]
    notify(kind=kind, users=also, facts=facts, url=f"{CONSOLE}{stop.pk}/", at=at)
    return len(buyers)


def tell_deciders(*, stop: EmergencyStop, at: datetime) -> None:
    """Those who may decide, except who asked."""
    people = _people([stop.started_for_id, handler_of(stop).pk], (*BODY_ROLES, Role.PUBLISHER))
    people.pop(stop.lift_asked_by_id or 0, None)
    facts = _facts(stop) | {"person": str(stop.lift_asked_by)}
    notify(kind="stop.lift_asked", users=people.values(), facts=facts, url=f"{CONSOLE}{stop.pk}/", at=at)


def _facts(stop: EmergencyStop) -> dict[str, str]:
    target = stop.product.name if stop.product is not None else stop.organisation.name
    since = stop.started_at.astimezone(BUSINESS_ZONE)
    return {"target": target, "since": f"{since:%Y-%m-%d %H:%M}", "reason": stop.public_reason.rstrip("。.！! ")}


def _buyers(stop: EmergencyStop, at: datetime) -> list[int]:
    if stop.kind == Kind.BUYER:
        return [stop.organisation_id] if stop.organisation_id else []
    return list(entitlements_under(stop=stop, at=at).values_list("organisation", flat=True).distinct())


def _people(organisations: list[int], roles: tuple[str, ...]) -> dict[int, User]:
    held = Membership.objects.filter(
        organisation__in=organisations, is_active=True, user__is_active=True, roles__overlap=list(roles)
    )
    return {membership.user_id: membership.user for membership in held.select_related("user").order_by("id")}
