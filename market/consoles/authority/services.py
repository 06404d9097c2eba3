"""Acts that reach two floors: new caps and the buyers whose prices they cut; a revocation and its entitlement."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from pricing.grants.services import grant_revoke
from pricing.models import CapBasket, CapFiling, FreeUseGrant
from pricing.revenue.baskets import basket_publish
from pricing.revenue.services import CapsPublished, cap_publish
from products.models import Organisation, User
from products.record.notices import define, notify
from settlement.entitlements.services import entitlement_end
from settlement.models import Entitlement

define(
    "tariff.cut",
    subject=_("Your price falls: %(product)s from %(start)s"),
    text=_(
        "The cap of %(product)s falls on %(start)s (%(document)s). The price of your plan %(plan)s is cut to it from that day."
    ),
)


@transaction.atomic
def publish_caps(*, filing: CapFiling, user: User, at: datetime) -> CapsPublished:
    """Publish caps and tell every buyer whose plan gets cheaper (scenario 37)."""
    done = cap_publish(filing=filing, user=user, at=at)
    _tell_buyers(done, at)
    return done


@transaction.atomic
def publish_basket(*, basket: CapBasket, user: User, at: datetime) -> tuple[CapsPublished, ...]:
    """Publish a set of caps and tell every buyer whose plan gets cheaper (scenario 37)."""
    done = basket_publish(basket=basket, user=user, at=at)
    for published in done:
        _tell_buyers(published, at)
    return done


def _tell_buyers(done: CapsPublished, at: datetime) -> None:
    """Everyone who holds an entitlement under a plan that was cut, fees of a period included."""
    filing = done.filing
    for tariff in done.clamped:
        facts = {
            "product": filing.product.name,
            "plan": tariff.plan.name,
            "start": tariff.period.lower.isoformat(),
            "document": filing.document_no,
        }
        held = Entitlement.objects.filter(plan=tariff.plan).exclude(state=Entitlement.State.ENDED)
        for buyer in Organisation.objects.filter(entitlements__in=held).distinct().order_by("id"):
            notify(kind="tariff.cut", organisation=buyer, facts=facts, url=f"/products/{filing.product.code}/", at=at)


@transaction.atomic
def revoke_grant(*, grant: FreeUseGrant, reason: str, user: User, at: datetime) -> FreeUseGrant:
    """Revoke a grant and end the entitlement that was opened under it."""
    grant_revoke(grant=grant, reason=reason, user=user, at=at)
    entitlement = Entitlement.objects.filter(grant=grant).exclude(state=Entitlement.State.ENDED).first()
    if entitlement is not None:
        entitlement_end(entitlement=entitlement, actor=user, reason=reason, at=at)
    return grant
