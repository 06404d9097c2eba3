"""A product of the cast's operator that may be priced, and its caps and tariffs by their services."""

from __future__ import annotations

from datetime import date

from pricing.revenue.services import cap_approve, cap_draft, cap_publish, cap_report
from pricing.tariffs.services import plan_open, tariff_file
from products.catalogue.models import DataProduct
from products.registry.models import Authorisation

TAX = {"rate": "0.06", "inclusive": True}


def make_product(cast, at, *, code="credit-score", purposes=("industry.finance.pre_loan", "welfare.education"), to_date=None):
    authorisation = Authorisation.objects.create(
        number=f"SQ-{code}",
        title="授权协议",
        authorising_body=cast.authority.organisation,
        operator=cast.operator.organisation,
        mode="scenario",
        region="330200",
        from_date=date(2026, 1, 1),
        to_date=to_date or date(2028, 12, 31),
        state="active",
        created_at=at,
    )
    return DataProduct.objects.create(
        code=code,
        operator=cast.operator.organisation,
        authorisation=authorisation,
        type="model",
        name="贷前信用分",
        name_en="Pre-loan score",
        summary="…",
        purposes=list(purposes),
        scenarios=["small-business-lending", "student-aid"],
        necessity="模型运行与存算成本",
        created_at=at,
    )


def caps(*entries, start, purposes=("industry",), document="甬发改价〔2026〕1号"):
    named = [{"basis": b, "cap": c} if b != "year" else {"basis": "periods", "period": "year", "cap": c} for b, c in entries]
    return {"caps": named, "document": document, "from": start.isoformat(), "purposes": list(purposes)}


def reported(cast, product, document, at):
    filing = cap_draft(product=product, document=document, user=cast.authority.owner, at=at)
    cap_approve(filing=filing, user=cast.authority.checker, at=at)
    return cap_report(filing=filing, report_no="甬数报〔2026〕7号", user=cast.authority.owner, at=at)


def published(cast, product, document, at):
    return cap_publish(filing=reported(cast, product, document, at), user=cast.authority.checker, at=at)


def per_call(price="0.50", **more):
    return tariff({"code": "calls", "label": "技术服务费", "basis": "calls", "model": "per_unit", "unit_price": price}, **more)


def tariff(*components, **more):
    return {"currency": "CNY", "components": list(components), "tax": TAX, **more}


def make_plan(cast, product, at, *, code="standard", purposes=("industry.finance.pre_loan",)):
    return plan_open(product=product, code=code, name="标准版", purposes=purposes, user=cast.operator.owner, at=at)


def filed(cast, plan, document, from_date, at, reason="按成本测算", **more):
    named = {"user": cast.operator.owner, "reason": reason, "at": at}
    return tariff_file(plan=plan, document=document, from_date=from_date, **named, **more)
