"""What waits for somebody on the demo's present day, so that each role finds work when it signs in."""

from __future__ import annotations

from datetime import date

from market.demo import buying, trade
from market.demo.buying import Purchase
from market.demo.catalogue import OFFERS, per_call
from market.demo.founding import Cast
from market.demo.trade import Claim, at
from pricing.revenue.services import cap_draft
from pricing.tariffs.models import Plan
from pricing.tariffs.services import tariff_file
from products.catalogue.models import DataProduct
from products.record import clock
from settlement.shares.payouts import payout_confirm, payout_propose

NEXT_TARIFF, NEXT_CAP = date(2026, 12, 15), date(2026, 12, 20)


def leave_work(told: Cast) -> None:
    file_cheaper_tariff(told)
    draft_lower_cap(told)
    claim_hospital_index(told)
    order_to_be_paid(told)
    pay_out(told)


def file_cheaper_tariff(told: Cast) -> None:
    """The regulator has days left to note it or to return it."""
    offer = next(offer for offer in OFFERS if offer.code == "port-climate-index")
    document = {**trade.tariff_document(offer, "per-call"), "components": [per_call("0.90")]}
    tariff_file(
        plan=Plan.objects.get(product__code=offer.code, code="per-call"),
        document=document,
        from_date=NEXT_TARIFF,
        user=told.of(offer.operator),
        reason="用量增长，单位成本下降，主动下调（演示）",
        at=at("2026-11-09", "15:20"),
    )


def draft_lower_cap(told: Cast) -> None:
    """A second person of the authorising body is to approve it."""
    document = {
        "caps": [{"basis": "calls", "cap": "0.75"}],
        "document": "江数价〔2026〕31号",
        "from": NEXT_CAP.isoformat(),
        "purposes": ["industry"],
    }
    product = DataProduct.objects.get(code="vessel-check")
    cap_draft(product=product, document=document, user=told.people["authority"], at=at("2026-11-09", "11:00"))


def claim_hospital_index(told: Cast) -> None:
    """The authorising body is to decide."""
    claim = Claim(
        body="association",
        product="hospital-load-index",
        purpose="welfare.relief",
        scenario="emergency-response",
        quota=6_000,
        statement="寒潮期间为独居老人转诊选择负荷较低的医院，按日查看负荷指数。",
        beneficiaries="约 900 名登记帮扶对象",
    )
    trade.submit_claim(told, claim, at("2026-11-09", "16:40"))


def order_to_be_paid(told: Cast) -> None:
    """The platform's cashier is to confirm the transfer."""
    purchase = Purchase(
        body="insurer",
        product="employment-index",
        plan="monthly",
        purpose="sector.consulting",
        scenario="economic-monitoring",
        top_up=200_00,
        calls={date(2026, 11, 1): 300},
    )
    moment = at("2026-11-09", "17:05")
    with clock.frozen_at(moment):
        buying.order(told, purchase, moment)


def pay_out(told: Cast) -> None:
    """One payout done; the shares of the other parties wait."""
    payout = payout_propose(party=told.bodies["social"], user=told.people["platform_owner"], at=at("2026-11-06", "16:00"))
    payout_confirm(payout=payout, user=told.people["platform_cashier"], bank_reference="EB20261109-0031", at=at("2026-11-09"))
