"""Who buys what in the demo, how much they use it, and what they pay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from market.demo import trade
from market.demo.founding import Cast
from market.demo.trade import Claim
from market.storefront.baskets import basket_add, baskets_of
from market.storefront.purchase import (
    agreed,
    grant_preview,
    grant_take_up,
    order_without_payment,
    payment_begin,
    payment_settle,
)
from pricing.tariffs.models import Plan
from products.catalogue.models import DataProduct
from products.organisations.models import Membership
from products.record import clock
from settlement.billing.models import Invoice
from settlement.billing.services import invoice_pay, minor
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import key_issue
from settlement.metering.record import record_events
from settlement.payments.models import PaymentIntent

AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (8, 9, 10, 11))

GIGABYTES = {AUGUST: "31.4", SEPTEMBER: "38.25", OCTOBER: "40.6"}


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One entitlement of the demo and its calls a month."""

    body: str
    product: str
    plan: str
    purpose: str
    scenario: str
    top_up: int = 0
    calls: dict[date, int] = field(default_factory=dict)


PURCHASES = [
    Purchase(
        body="bank",
        product="sme-loan-score",
        plan="tiered",
        purpose="industry.finance.pre_loan",
        scenario="small-business-lending",
        top_up=3000_00,
        calls={AUGUST: 9_400, SEPTEMBER: 12_600, OCTOBER: 14_200, NOVEMBER: 4_100},
    ),
    Purchase(
        body="bank",
        product="enterprise-check",
        plan="per-call",
        purpose="industry.finance",
        scenario="enterprise-verification",
        calls={AUGUST: 2_100, SEPTEMBER: 2_450, OCTOBER: 2_700, NOVEMBER: 900},
    ),
    Purchase(
        body="freight",
        product="port-climate-index",
        plan="monthly",
        purpose="industry.logistics",
        scenario="port-logistics",
        top_up=1000_00,
        calls={AUGUST: 2_600, SEPTEMBER: 1_900, OCTOBER: 3_050, NOVEMBER: 800},
    ),
    Purchase(
        body="freight",
        product="port-monthly-report",
        plan="copy",
        purpose="industry.logistics",
        scenario="port-logistics",
        calls={SEPTEMBER: 1, OCTOBER: 2, NOVEMBER: 1},
    ),
    Purchase(
        body="freight",
        product="road-weather-index",
        plan="per-call",
        purpose="industry.logistics",
        scenario="freight-planning",
        calls={AUGUST: 1_200, SEPTEMBER: 1_350, OCTOBER: 1_500, NOVEMBER: 420},
    ),
    Purchase(
        body="insurer",
        product="vessel-check",
        plan="package",
        purpose="industry.insurance",
        scenario="insurance-underwriting",
        calls={AUGUST: 640, SEPTEMBER: 910, OCTOBER: 870, NOVEMBER: 240},
    ),
    Purchase(
        body="insurer",
        product="hospital-load-index",
        plan="per-call",
        purpose="industry.insurance",
        scenario="insurance-underwriting",
        calls={SEPTEMBER: 1_800, OCTOBER: 2_050, NOVEMBER: 610},
    ),
    Purchase(
        body="grower",
        product="frost-risk",
        plan="seasonal",
        purpose="industry.agriculture",
        scenario="weather-risk",
        top_up=500_00,
        calls={OCTOBER: 900, NOVEMBER: 380},
    ),
]
CLAIMS = [
    (
        Claim(
            body="statistics",
            product="threshold-firms",
            purpose="governance.statistics",
            scenario="threshold-firms",
            quota=20_000,
            statement="按月筛查临近规模以上标准的企业，用于“四上企业”培育与入库核实，不作执法依据。",
            beneficiaries="全市统计调查对象与企业服务部门",
        ),
        {AUGUST: 1_500, SEPTEMBER: 1_650, OCTOBER: 1_720, NOVEMBER: 500},
    ),
    (
        Claim(
            body="foundation",
            product="elderly-care-report",
            purpose="welfare.relief",
            scenario="elderly-care",
            quota=40,
            statement="为三个街道的老年助餐点选址，报告仅供项目组使用，结果公开发布。",
            beneficiaries="约 2 600 名高龄独居老人",
        ),
        {SEPTEMBER: 2, OCTOBER: 3, NOVEMBER: 1},
    ),
    (
        Claim(
            body="association",
            product="relief-need-index",
            purpose="welfare.relief",
            scenario="emergency-response",
            quota=10_000,
            statement="台风季调度志愿者与物资，按乡镇查看救助需求指数。",
            beneficiaries="受灾乡镇居民",
        ),
        {AUGUST: 820, SEPTEMBER: 1_140, OCTOBER: 460, NOVEMBER: 90},
    ),
]


@dataclass
class Bought:
    """An entitlement of the demo with the key that is printed in .data/demo.json."""

    entitlement: Entitlement
    secret: str
    calls: dict[date, int]


def buy_all(told: Cast) -> list[Bought]:
    bought = [buy(told, purchase) for purchase in PURCHASES]
    for claim, calls in CLAIMS:
        bought.append(take_up(told, claim, calls))
    return bought


def buy(told: Cast, purchase: Purchase) -> Bought:
    """A purchase as its buyer makes it: basket, agreement, transfer of what is due, confirmed by the cashier."""
    product = DataProduct.objects.get(code=purchase.product)
    moment = trade.at(min(purchase.calls).isoformat(), "08:30")
    with clock.frozen_at(moment):
        intent_or_order = order(told, purchase, moment)
        if isinstance(intent_or_order, PaymentIntent):
            payment_settle(intent=intent_or_order, at=moment, confirmed_by=told.people["platform_cashier"])
    entitlement = Entitlement.objects.get(organisation=told.bodies[purchase.body], product=product)
    return Bought(entitlement, _key(entitlement, told, purchase.body, moment), purchase.calls)


def order(told: Cast, purchase: Purchase, moment: datetime) -> Any:
    """A basket agreed to: the payment that it waits for, or the order where nothing is due."""
    membership = _membership(told, purchase.body)
    product = DataProduct.objects.get(code=purchase.product)
    basket = basket_add(
        membership=membership,
        product=product,
        plan=Plan.objects.get(product=product, code=purchase.plan),
        purpose=purchase.purpose,
        scenario=purchase.scenario,
        expected_units={} if product.type == "report" else {"calls": str(max(purchase.calls.values()))},
        top_up_minor=purchase.top_up,
        user=membership.user,
        at=moment,
    )
    view = baskets_of(organisation=membership.organisation, at=moment, basket=basket.pk)[0]
    terms = {
        "membership": membership,
        "basket": basket.pk,
        "digest": agreed(membership=membership, view=view).digest,
        "user": membership.user,
        "at": moment,
    }
    return payment_begin(method="transfer", **terms) if view.due_minor else order_without_payment(**terms)


def take_up(told: Cast, claim: Claim, calls: dict[date, int]) -> Bought:
    """A claim granted before its first month of use, and its one-step order."""
    moment = trade.at(min(calls).isoformat(), "08:30")
    grant = trade.grant_free_use(told, claim, moment - timedelta(days=12))
    membership = _membership(told, claim.body)
    with clock.frozen_at(moment):
        view = grant_preview(membership=membership, grant=grant, at=moment)
        digest = agreed(membership=membership, view=view).digest
        grant_take_up(membership=membership, grant=grant, digest=digest, user=membership.user, at=moment)
    entitlement = Entitlement.objects.get(grant=grant)
    return Bought(entitlement, _key(entitlement, told, claim.body, moment), calls)


def _membership(told: Cast, body: str) -> Membership:
    return Membership.objects.select_related("organisation", "user").get(organisation=told.bodies[body], user=told.of(body))


def _key(entitlement: Entitlement, told: Cast, body: str, moment: datetime) -> str:
    _key_row, secret = key_issue(entitlement=entitlement, mode="live", name="演示", user=told.of(body), at=moment)
    return secret


def use_month(told: Cast, bought: list[Bought], month: date, until: datetime | None = None) -> None:
    """Everybody's calls of a month, and the storage that the bank's score took. ``until`` cuts a month that is not over."""
    events = [
        event
        for seed, each in enumerate(bought, start=1)
        for event in trade.calls_of(each.entitlement, month=month, calls=each.calls.get(month, 0), seed=seed, until=until)
    ]
    events.sort(key=lambda event: event.event_time)
    record_events(events, at=events[-1].event_time)
    if until is None:
        trade.report_facility_use(told, bought[0].entitlement, month=month, gigabytes=GIGABYTES[month])


def pay_invoices(month: date, moment: datetime, *, but: str = "") -> None:
    """The month's invoices paid by transfer, except those of one buyer."""
    for invoice in Invoice.objects.filter(month_id=month, due__gt=0).select_related("buyer").order_by("id"):
        if invoice.buyer.name != but:
            invoice_pay(
                invoice=invoice,
                amount_minor=minor(invoice.due),
                channel="bank",
                key=f"demo:pay:{invoice.number}",
                at=moment,
            )
