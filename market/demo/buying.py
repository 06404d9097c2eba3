"""Who buys what in the demo, how much they use it, and what they pay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from market.demo import trade
from market.demo.founding import Cast
from market.demo.trade import Claim
from pricing.tariffs.models import Plan
from products.catalogue.models import DataProduct
from settlement.billing.models import Invoice
from settlement.billing.services import deposit_receive, invoice_pay, mark_overdue, minor
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_open, key_issue
from settlement.metering.record import record_events

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
        product="pre-loan-score",
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
        product="port-logistics-index",
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
    bought = [buy(told, purchase, number) for number, purchase in enumerate(PURCHASES, start=1)]
    for claim, calls in CLAIMS:
        bought.append(take_up(told, claim, calls))
    return bought


def buy(told: Cast, purchase: Purchase, number: int) -> Bought:
    """An order as the checkout makes it, with its deposit paid."""
    organisation, user = told.bodies[purchase.body], told.of(purchase.body)
    product = DataProduct.objects.get(code=purchase.product)
    moment = trade.at(min(purchase.calls).isoformat(), "09:00")
    entitlement = entitlement_open(
        organisation=organisation,
        product=product,
        plan=Plan.objects.get(product=product, code=purchase.plan),
        purposes=[purchase.purpose],
        scenario=purchase.scenario,
        valid_from=moment,
        valid_to=moment + timedelta(days=365),
        order_number=f"D{moment:%y%m%d}{number:03d}",
        accepted_by=user,
        at=moment,
    )
    if purchase.top_up:
        deposit_receive(
            organisation=organisation,
            operator=product.operator,
            amount_minor=purchase.top_up,
            order_number=entitlement.order_number,
            channel="bank",
            key=f"demo:deposit:{number}",
            at=moment,
        )
    return Bought(entitlement, _key(entitlement, told, purchase.body, moment), purchase.calls)


def take_up(told: Cast, claim: Claim, calls: dict[date, int]) -> Bought:
    """A claim granted before its first month of use, and its one-step order."""
    first = trade.at(min(calls).isoformat(), "09:00")
    grant = trade.grant_free_use(told, claim, first - timedelta(days=12))
    entitlement = entitlement_open(
        organisation=grant.organisation,
        product=grant.product,
        grant=grant,
        purposes=[claim.purpose],
        scenario=claim.scenario,
        valid_from=first,
        valid_to=first + timedelta(days=365),
        order_number=f"F{first:%y%m%d}{grant.pk:03d}",
        accepted_by=told.of(claim.body),
        at=first,
    )
    return Bought(entitlement, _key(entitlement, told, claim.body, first), calls)


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


def let_time_pass(moment: datetime) -> None:
    mark_overdue(at=moment)
