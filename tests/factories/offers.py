"""Products on sale, made straight in the database: what the shop's tests stand on. The way there has its own tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.grants.models import FreeUseGrant
from pricing.revenue.models import Cap, CapFiling
from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct, Release
from products.catalogue.search import name_key, search_terms
from products.registry.models import Authorisation, DataResource, Registration
from settlement.shares.models import DistributionAgreement
from tests.factories.cast import Cast

TARIFF: dict[str, Any] = {
    "currency": "CNY",
    "components": [
        {
            "code": "calls",
            "label": "技术服务费",
            "basis": "calls",
            "model": "graduated",
            "counts_over": "month",
            "tiers": [
                {"up_to": "10000", "unit_price": "0.50"},
                {"up_to": "100000", "unit_price": "0.30"},
                {"up_to": None, "unit_price": "0.10"},
            ],
        },
        {"code": "base", "label": "基础技术服务费", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"},
    ],
    "tax": {"rate": "0.06", "inclusive": True},
}
USAGE_ONLY: dict[str, Any] = {
    "currency": "CNY",
    "components": [{"code": "calls", "label": "查询费", "basis": "calls", "model": "per_unit", "unit_price": "0.20"}],
    "tax": {"rate": "0.06", "inclusive": True},
}


BEFORE = datetime.fromisoformat("2026-02-10T10:00:00+08:00")  # caps and tariffs are published before they begin


@dataclass
class Offer:
    product: DataProduct
    plan: Plan | None
    tariff: Tariff | None
    authorisation: Authorisation


def make_authorisation(
    cast: Cast, at: datetime, *, operator=None, number: str = "江数授〔2026〕001号", to_date: date = date(2029, 1, 14)
):
    operator = operator or cast.operator
    found = Authorisation.objects.filter(number=number).first()
    return found or Authorisation.objects.create(
        number=number,
        title="公共数据授权运营协议",
        title_en="Agreement on operating public data",
        authorising_body=cast.authority.organisation,
        operator=operator.organisation,
        mode="field",
        from_date=date(2026, 1, 15),
        to_date=to_date,
        state="active",
        created_at=at,
        activated_at=at,
    )


def make_resource(cast: Cast, at: datetime, *, code: str = "R-330200-0001", name: str = "社会保险参保缴费信息") -> DataResource:
    found = DataResource.objects.filter(code=code).first()
    return found or DataResource.objects.create(
        code=code,
        name=name,
        name_en="Social-insurance contributions",
        provider=cast.provider.organisation,
        data_class="社会保障",
        grade=3,
        open_type="closed",
        has_personal_data=True,
        has_security_impact=False,
        update_frequency="monthly",
        created_at=at,
    )


def make_product(cast: Cast, at: datetime, code: str, **fields: Any) -> DataProduct:
    """A listed product with a release, a registration and an authorisation, but without a price."""
    operator = fields.pop("operator", cast.operator)
    authorisation = fields.pop("authorisation", None) or make_authorisation(cast, at, operator=operator)
    name = fields.setdefault("name", "社保缴纳贷前信用评分")
    summary = fields.setdefault("summary", "根据企业社保缴纳情况给出贷前信用分与原因代码。")
    fields.setdefault("name_en", "Pre-loan credit score from social insurance")
    fields.setdefault("summary_en", "A score before lending, with reason codes, from social-insurance contributions.")
    fields.setdefault("purposes", ["industry.finance", "welfare.relief"])
    fields.setdefault("scenarios", ["small-business-lending", "consumer-credit"])
    fields.setdefault("necessity", "模型运行与存算成本")
    product = DataProduct.objects.create(
        code=code,
        operator=operator.organisation,
        authorisation=authorisation,
        type=fields.pop("type", "model"),
        state=fields.pop("state", "listed"),
        name_key=name_key(name),
        search_terms=search_terms(name, fields["name_en"], summary),
        created_at=at,
        listed_at=at,
        **fields,
    )
    product.resources.add(make_resource(cast, at))
    Registration.objects.create(
        code=f"DJ-{code}",
        product=product,
        registry=cast.registry.organisation,
        holder=operator.organisation,
        level="city",
        issued_date=date(2026, 2, 1),
        valid_to=date(2029, 1, 31),
    )
    Release.objects.create(
        product=product,
        version=1,
        input_schema={"type": "object", "properties": {"uscc": {"type": "string"}}, "required": ["uscc"]},
        output_schema={"type": "object"},
        sample_input={"uscc": "91330200MA9T0001XX"},
        sample_output={"score": 712, "reasons": [{"code": "on_time_months", "contribution": "38.2"}]},
        artifact=b"",
        sha256="0" * 64,
        state="active",
        created_at=at,
        activated_at=at,
    )
    return product


def make_agreement(cast: Cast, product: DataProduct, at: datetime) -> DistributionAgreement:
    """All of a product's revenue to its operator, without an end: nothing that is not free is sold without an agreement."""
    return DistributionAgreement.objects.create(
        number=f"FX-{product.code}"[:60],
        product=product,
        period=DateRange(date(2026, 1, 1), None),
        parts=[{"organisation": product.operator_id, "role": "operator", "rest": True}],
        proposed_by=cast.operator.owner,
        approved_by=cast.authority.owner,
        created_at=at,
    )


def make_offer(cast: Cast, at: datetime, code: str = "credit-pre-loan", *, document: dict | None = None, **fields: Any) -> Offer:
    """A listed product with a plan, its cap, a tariff in force since 1 March 2026, and an agreement on its revenue."""
    plan_fields = {name: fields.pop(name) for name in ("is_prepaid", "term_months") if name in fields}
    product = make_product(cast, at, code, **fields)
    plan = Plan.objects.create(
        product=product,
        code="standard",
        name="标准套餐",
        name_en="Standard",
        purposes=[p for p in product.purposes if p.startswith(("industry", "sector"))],
        created_at=at,
        **plan_fields,
    )
    since = DateRange(date(2026, 3, 1), None)
    filing = CapFiling.objects.create(
        product=product,
        authorising_body=cast.authority.organisation,
        document={},
        document_no="甬发改价〔2026〕8号",
        state="published",
        drafted_by=cast.authority.owner,
        drafted_at=BEFORE,
        reported_at=BEFORE,
        published_at=BEFORE,
    )
    Cap.objects.create(filing=filing, product=product, purpose_class="industry", basis="calls", amount="0.50", period=since)
    Cap.objects.create(
        filing=filing,
        product=product,
        purpose_class="industry",
        basis="periods",
        flat_period="year",
        amount="12000",
        period=since,
    )
    tariff = Tariff.objects.create(
        plan=plan,
        version=1,
        document=document or TARIFF,
        digest="0" * 64,
        period=since,
        state="accepted",
        filed_by=cast.operator.owner,
        filed_at=BEFORE,
    )
    make_agreement(cast, product, at)
    return Offer(product, plan, tariff, product.authorisation)


def make_grant(
    cast: Cast, at: datetime, product: DataProduct, *, organisation=None, number: str = "GY-2026-0001"
) -> FreeUseGrant:
    """A grant that holds: 5,000 units until the end of June 2027."""
    return FreeUseGrant.objects.create(
        number=number,
        organisation=organisation or cast.nonprofit.organisation,
        product=product,
        purpose="welfare.relief",
        scenario=product.scenarios[0],
        statement="为困难家庭核实救助资格。",
        quota_asked=5000,
        asked_until=date(2027, 6, 30),
        quota=5000,
        from_date=date(2026, 10, 1),
        to_date=date(2027, 6, 30),
        state="granted",
        submitted_by=cast.nonprofit.owner,
        submitted_at=at,
        decided_by=cast.authority.owner,
        decided_at=at,
        decision="grant",
        checked_by=cast.authority.checker,
        checked_at=at,
        created_at=at,
    )
