"""A stall with an agreement and three parties: what a close needs, and short ways to use, sell, grant and close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.grants.models import FreeUseGrant
from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from settlement.billing.models import Invoice
from settlement.billing.rules import digest
from settlement.billing.services import Closed, close_month
from settlement.entitlements.models import Entitlement
from settlement.metering.record import Status, event_of, record_events
from settlement.shares.models import DistributionAgreement
from tests.settlement.stall import START, TARIFF, Stall, digest_of, entitle, make_release, make_stall, organisation

FILED = START - timedelta(days=300)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
TAX = {"rate": "0.06", "inclusive": True}
TIERS = [
    {"up_to": "10000", "unit_price": "0.50"},
    {"up_to": "100000", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]


def moment(text: str) -> datetime:
    """ "2026-10-05 12:00" in Shanghai."""
    return datetime.fromisoformat(f"{text}+08:00")


def component(code: str = "calls", model: str = "per_unit", **more: Any) -> dict[str, Any]:
    given = {"unit_price": "0.50"} if model == "per_unit" else {}
    return {"code": code, "label": "技术服务费", "basis": "calls", "model": model, **given, **more}


def document(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"currency": "CNY", "components": list(components), "tax": TAX, **more}


@dataclass
class Books:
    stall: Stall
    provider: Organisation
    platform: Organisation
    checker: User
    agreement: DistributionAgreement

    def price(self, tariff: dict[str, Any], *, from_date: date = date(2026, 1, 1), plan: Plan | None = None) -> Tariff:
        """A version of the plan's tariff from a day on; the one before it ends there."""
        plan = plan or self.stall.plan
        last = plan.tariffs.order_by("-version").first()
        if last is not None and last.period.lower == from_date:
            last.state = "withdrawn"
            last.save()
        elif last is not None:
            last.period, last.end_set_at = DateRange(last.period.lower, from_date), FILED
            last.save()
        return Tariff.objects.create(
            plan=plan,
            version=(last.version if last else 0) + 1,
            document=tariff,
            digest=digest(tariff),
            period=DateRange(from_date, None),
            filed_by=self.stall.user,
            filed_at=FILED,
        )

    def plan(self, code: str, tariff: dict[str, Any]) -> Plan:
        plan = Plan.objects.create(product=self.stall.product, code=code, name=code, purposes=["industry"], created_at=START)
        self.price(tariff, plan=plan)
        return plan

    def sell(self, buyer: Organisation | None = None, plan: Plan | None = None, **changes: Any) -> Entitlement:
        return entitle(self.stall.product, buyer or self.stall.buyer, plan or self.stall.plan, **changes)

    def grant(self, serial: int = 1) -> Entitlement:
        found = FreeUseGrant.objects.create(
            number=f"FREE-{serial}",
            organisation=self.stall.buyer,
            product=self.stall.product,
            purpose="welfare.education",
            scenario="port",
            statement="for pupils",
            quota_asked=1000,
            asked_until=date(2027, 6, 30),
            quota=1000,
            from_date=date(2026, 6, 1),
            to_date=date(2027, 6, 30),
            state="granted",
            submitted_by=self.stall.user,
            checked_by=self.checker,
            created_at=START,
        )
        return entitle(self.stall.product, self.stall.buyer, None, grant=found, purposes=["welfare.education"])

    def use(
        self,
        units: str | dict[str, str] = "1",
        when: str = "2026-10-05 12:00",
        entitlement: Entitlement | None = None,
        **more: Any,
    ) -> None:
        """One event of so many units, received when it happened (or at ``received``)."""
        entitlement = entitlement or self.stall.entitlement
        received = more.pop("received", when)
        event = event_of(
            entitlement,
            units=units if isinstance(units, dict) else {"calls": units},
            time=moment(when),
            release=entitlement.product.releases.order_by("version").last(),
            **{"request_digest": digest_of(f"{units} {when}")} | more,
        )
        (outcome,) = record_events([event], at=moment(received))
        assert outcome.status is Status.ACCEPTED

    def close(self, month: date = OCTOBER, at: str = "2026-11-04 09:00", **more: Any) -> Closed:
        return close_month(month=month, at=moment(at), **more)

    def invoice(self, month: date = OCTOBER) -> Invoice:
        return Invoice.objects.get(month=month, operator=self.stall.operator, buyer=self.stall.buyer)


def merchant_right(books: Books, serial: int = 7) -> Entitlement:
    """A right to a merchant's product, built on the stall's: market price, no authorisation, and no agreement."""
    merchant = organisation(serial * 10 + 1, "enterprise", f"merchant-{serial}", user=books.stall.user)
    product = DataProduct.objects.create(
        code=f"shipping-risk-{serial}",
        operator=merchant,
        regime="market",
        type="index",
        name="航运风险指数",
        summary="每日",
        purposes=["industry.finance"],
        scenarios=["port"],
        state="listed",
        created_at=START,
    )
    product.built_on.add(books.stall.product)
    make_release(product)
    plan = Plan.objects.create(product=product, code="calls", name="按次", purposes=["industry.finance"], created_at=START)
    books.price(TARIFF, plan=plan)
    return entitle(product, books.stall.buyer, plan)


def make_books(serial: int = 1) -> Books:
    stall = make_stall(serial)
    provider = organisation(serial * 10 + 5, "data_provider", f"bureau-{serial}", user=stall.user)
    platform = organisation(serial * 10 + 6, "platform", f"platform-{serial}", user=stall.user)
    checker = User.objects.create(email=f"checker{serial}@stall.example", name="Checker")
    agreement = DistributionAgreement.objects.create(
        number=f"DA-{serial}",
        product=stall.product,
        period=DateRange(date(2026, 1, 1), None),
        parts=[
            {"organisation": provider.id, "role": "provider", "percent": "20.00"},
            {"organisation": platform.id, "role": "platform", "percent": "3.50"},
            {"organisation": stall.operator.id, "role": "operator", "rest": True},
        ],
        is_example=True,
        proposed_by=stall.user,
        approved_by=checker,
        created_at=START,
    )
    return Books(stall, provider, platform, checker, agreement)


__all__ = [
    "NOVEMBER",
    "OCTOBER",
    "START",
    "TARIFF",
    "TIERS",
    "Books",
    "component",
    "document",
    "make_books",
    "merchant_right",
    "moment",
]
