"""What watches over calls, told by example: a stop that was lifted, purposes that were asked for once too often, keys, a consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from market.demo.buying import Bought
from market.demo.founding import Cast
from market.demo.trade import at
from market.gateway.consent import reference_digest
from products.catalogue.models import DataProduct
from settlement.entitlements import risk
from settlement.entitlements.consents import consent_withdraw
from settlement.entitlements.models import EmergencyStop
from settlement.entitlements.services import key_issue
from settlement.entitlements.stops import Outcome, stop_ask_lift, stop_lift, stop_start
from settlement.metering.models import Refusal

STOPPED = "vessel-check"


def watch_over(told: Cast, bought: Sequence[Bought]) -> None:
    """Everything of early November 2026."""
    stop_for_a_night(told)
    ask_for_other_purposes(bought)
    second_key(told, bought)
    withdraw_consent(told)


def stop_for_a_night(told: Cast) -> EmergencyStop:
    """A reviewer of the platform stops a product at once; the data bureau lifts the stop hours later."""
    product, user, platform = DataProduct.objects.get(code=STOPPED), told.people["compliance_reviewer"], told.bodies["platform"]
    stop = stop_start(
        kind="product",
        product=product,
        user=user,
        acting_for=platform,
        reason="监测发现短时间内大量相邻编号的核验请求，疑似撞库（演示）",
        public_reason="安全排查，暂停调用（演示）",
        at=at("2026-11-05", "02:10"),
    )
    found = "请求来自买方测试脚本，已整改；核验限额已复核（演示）"
    asked = {"user": user, "acting_for": platform, "outcome": Outcome.RECOVERY}
    stop_ask_lift(stop=stop, reason=found, at=at("2026-11-05", "04:20"), **asked)
    lifted = {"user": told.people["data_bureau"], "acting_for": told.bodies["bureau"], "outcome": Outcome.RECOVERY}
    return stop_lift(stop=stop, note="同意恢复（演示）", at=at("2026-11-05", "04:40"), **lifted)


def ask_for_other_purposes(bought: Sequence[Bought]) -> None:
    """Three calls state a purpose that the right does not cover; the third opens a case for the authorising body."""
    entitlement = next(each.entitlement for each in bought if each.entitlement.product.code == "sme-loan-score")
    first = at("2026-11-09", "10:31")
    for number in range(3):
        Refusal.objects.create(
            at=first + timedelta(minutes=7 * number),
            key=entitlement.keys.order_by("id").first(),
            entitlement=entitlement,
            product=entitlement.product,
            status=403,
            reason="purpose-outside",
            purpose="industry.finance.post_loan",
        )
    risk.out_of_purpose_watch(entitlements={entitlement.pk}, at=first + timedelta(minutes=15))


def second_key(told: Cast, bought: Sequence[Bought]) -> None:
    """A key for the buyer's own network, days before its end: its people are to change it."""
    entitlement = next(each.entitlement for each in bought if each.entitlement.product.code == "enterprise-check")
    key_issue(
        entitlement=entitlement,
        mode="live",
        name="机房专线（演示）",
        networks=["203.0.113.0/24", "2001:db8:77::/48"],
        user=told.of(entitlement.organisation.slug) if entitlement.organisation.slug in told.bodies else None,
        at=at("2026-08-20", "09:00"),
        expires_at=at("2026-11-16", "18:00"),
    )


def withdraw_consent(told: Cast) -> None:
    """A person took a consent back; the insurer says so, and no call may name it any more."""
    insurer = told.bodies["insurer"]
    consent_withdraw(
        organisation=insurer,
        reference_digest=reference_digest(insurer.pk, "CONSENT-2026-0077"),
        withdrawn_at=at("2026-11-07", "18:00"),
        note="来信撤回（演示）",
        at=at("2026-11-08", "09:12"),
    )
