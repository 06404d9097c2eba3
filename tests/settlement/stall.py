"""A stall: one operator, one buyer, one index product with a release, a plan and its tariff; the least that a call needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct, Release
from products.organisations.models import Organisation, User
from products.registry.models import Authorisation
from products.runtimes import index
from settlement.entitlements import keys
from settlement.entitlements.models import ApiKey, Entitlement, Quota

START = datetime.fromisoformat("2026-10-20T10:00:00+08:00")
TARIFF = {
    "currency": "CNY",
    "components": [{"code": "calls", "label": "技术服务费", "basis": "calls", "model": "per_unit", "unit_price": "0.50"}],
    "discounts": [],
    "minimum": None,
    "maximum": None,
    "tax": {"rate": "0.06", "inclusive": True},
}


@dataclass
class Stall:
    user: User
    operator: Organisation
    buyer: Organisation
    authority: Organisation
    authorisation: Authorisation
    product: DataProduct
    release: Release
    plan: Plan
    tariff: Tariff
    entitlement: Entitlement
    key: ApiKey
    secret: str

    def entitle(self, **changes: Any) -> Entitlement:
        return entitle(self.product, self.buyer, **{"plan": self.plan} | changes)

    def key_for(self, entitlement: Entitlement | None, mode: str = "live", **changes: Any) -> tuple[ApiKey, str]:
        owner = {"organisation": entitlement.organisation if entitlement else self.buyer}
        return key_for(entitlement, mode=mode, **owner | changes)

    def limit(self, entitlement: Entitlement, limit: int, used: int = 0) -> Quota:
        return Quota.objects.create(entitlement=entitlement, span_start=date(2026, 1, 1), limit=limit, used=used)


def organisation(serial: int, kind: str, slug: str, state: str = "verified", user: User | None = None) -> Organisation:
    verified = {"verified_at": START, "verified_by": user} if state == "verified" else {}
    return Organisation.objects.create(
        uscc=f"91330200MA9T{serial:06d}",
        name=f"{slug}公司",
        name_en=slug,
        slug=slug,
        kind=kind,
        state=state,
        created_at=START,
        **verified,
    )


def make_stall(serial: int = 1, config: dict[str, Any] | None = None) -> Stall:
    user = User.objects.create(email=f"person{serial}@stall.example", name="Person")
    operator, buyer, authority = (
        organisation(serial * 10 + n, kind, f"{slug}-{serial}", user=user)
        for n, (kind, slug) in enumerate([("operator", "port-data"), ("enterprise", "shipper"), ("authorising_body", "city")])
    )
    authorisation = Authorisation.objects.create(
        number=f"甬授〔2026〕{serial}号",
        title="港口数据",
        authorising_body=authority,
        operator=operator,
        mode="field",
        from_date=date(2026, 1, 1),
        to_date=date(2028, 12, 31),
        state="active",
        created_at=START,
    )
    product = DataProduct.objects.create(
        code=f"port-index-{serial}",
        operator=operator,
        authorisation=authorisation,
        type="index",
        name="港口物流指数",
        summary="每日",
        purposes=["industry.finance", "welfare"],
        scenarios=["port"],
        state="listed",
        created_at=START,
    )
    release = make_release(product)
    plan = Plan.objects.create(product=product, code="calls", name="按次", purposes=["industry.finance"], created_at=START)
    tariff = Tariff.objects.create(
        plan=plan,
        version=1,
        document=TARIFF,
        digest="0" * 64,
        period=DateRange(date(2026, 1, 1), None),
        filed_by=user,
        filed_at=datetime.fromisoformat("2025-12-15T10:00:00+08:00"),
    )
    entitlement = entitle(product, buyer, plan)
    key, secret = key_for(entitlement, buyer)
    return Stall(user, operator, buyer, authority, authorisation, product, release, plan, tariff, entitlement, key, secret)


def entitle(product: DataProduct, buyer: Organisation, plan: Plan | None, **changes: Any) -> Entitlement:
    facts: dict[str, Any] = {
        "code": f"E2610-{Entitlement.objects.count():010d}",
        "organisation": buyer,
        "operator": product.operator,
        "product": product,
        "plan": plan,
        "purposes": ["industry.finance.pre_loan"],
        "scenario": "port",
        "valid_from": START - timedelta(days=120),
        "valid_to": START + timedelta(days=300),
        "anchor_date": date(2026, 6, 22),
        "rate_per_minute": 1_000_000,
        "created_at": START,
    }
    return Entitlement.objects.create(**facts | changes)


def key_for(
    entitlement: Entitlement | None, organisation: Organisation, mode: str = "live", **changes: Any
) -> tuple[ApiKey, str]:
    secret = keys.make(mode)
    facts: dict[str, Any] = {
        "organisation": organisation,
        "entitlement": entitlement,
        "mode": mode,
        "hint": keys.hint(secret),
        "digest": keys.digest(secret),
        "created_at": START,
        "expires_at": START + timedelta(days=300),
    }
    return ApiKey.objects.create(**facts | changes), secret


def make_release(product: DataProduct, version: int = 1, state: str = "active") -> Release:
    config = {"unit": "点", "series": {"throughput": {"unit": "点", "label": "吞吐量"}}, "max_points": 1000}
    days = [(date(2026, 10, 1) + timedelta(days=n)).toordinal() for n in range(15)]
    column = {"dates": days, "vintages": days, "values": [f"{100 + n}.25" for n in range(15)]}
    artifact = msgspec.msgpack.encode({"series": {"throughput": column}})
    return Release.objects.create(
        product=product,
        version=version,
        config=config,
        input_schema=index.input_schema(config),
        output_schema=index.output_schema(config),
        sample_input={"ask": "latest"},
        sample_output={"series": "throughput", "points": [{"date": "2000-01-01", "value": "1.00"}]},
        artifact=artifact,
        sha256=sha256(artifact).hexdigest(),
        state=state,
        created_at=START,
    )


def digest_of(text: str) -> bytes:
    return sha256(text.encode()).digest()
