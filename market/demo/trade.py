"""What happened in the demo: products listed, prices filed, free use granted, purchases, calls, closes, payments."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateRange

from market.demo.catalogue import OFFERS, TAX, Offer
from market.demo.founding import Cast
from pricing.grants.models import FreeUseGrant
from pricing.grants.services import grant_add_evidence, grant_check, grant_claim, grant_decide, grant_submit
from pricing.revenue.services import cap_approve, cap_draft, cap_publish, cap_report
from pricing.selectors import price_state
from pricing.tariffs.services import plan_open, tariff_file, tariff_note
from products.catalogue.models import DataProduct, ReviewRecord
from products.catalogue.publishing import product_publish
from products.catalogue.services import product_list, review_decide
from products.catalogue.spec import ProductSpec
from products.record.clock import BUSINESS_ZONE, business_date, day_start
from products.registry.purposes import is_free
from products.runtimes.keys import secrets_from, variable_name
from settlement.entitlements.models import Entitlement
from settlement.metering.record import NewEvent, event_of, record_events
from settlement.shares.models import DistributionAgreement


def offers_of(operators: Sequence[str]) -> list[Offer]:
    return [offer for offer in OFFERS if offer.operator in operators]


def at(year_day: str, clock_time: str = "10:00") -> datetime:
    """A moment of the story in business time: ``at("2026-08-03", "14:30")``."""
    return datetime.combine(date.fromisoformat(year_day), time.fromisoformat(clock_time), tzinfo=BUSINESS_ZONE)


# What answers tell, where personal data stands behind them or where they join with others.
CONCEPTS = {
    "sme-loan-score": ("firm.credit",),
    "enterprise-check": ("firm.status",),
    "insured-check": ("person.health_insurance", "place.district"),
}
EXEMPT_FROM_CONSENT = {"sme-loan-score": "评分对象是企业，社保字段按单位汇总，不查询个人。（演示文字）"}


def make_product_keys() -> dict[str, str]:
    """A key file for each verification product, kept in the data folder and named in the environment, as an operator would."""
    folder = settings.DATA_DIR / "product_keys"
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    for offer in OFFERS:
        path = folder / offer.code
        if offer.type == "verification" and not path.exists():
            path.write_text(os.urandom(32).hex(), encoding="ascii")
            path.chmod(0o600)
        if offer.type == "verification":
            names[f"{variable_name(offer.code)}_FILE"] = str(path)
    return names


def file_products(told: Cast, operators: Sequence[str], moment: datetime) -> None:
    """Every offer of the operators as a draft with a proven release, through both reviews."""
    secrets = secrets_from({**os.environ, **make_product_keys()}, link_key=settings.SIGNING_KEY.encode())
    for offer in offers_of(operators):
        product_publish(spec=_spec(told, offer), secrets=secrets, by=told.of(offer.operator), at=moment)
    reviewers = {"compliance": told.people["compliance_reviewer"], "security": told.people["security_reviewer"]}
    for review in ReviewRecord.objects.filter(state="requested").order_by("id"):
        reason = "材料齐全，符合应用规范（演示）" if review.kind == "compliance" else "去标识化与接口风险可控（演示）"
        review_decide(review=review, is_passed=True, reason=reason, by=reviewers[review.kind], at=moment + timedelta(days=4))


def _spec(told: Cast, offer: Offer) -> ProductSpec:
    operator = told.bodies[offer.operator]
    return ProductSpec(
        code=offer.code,
        operator=operator.uscc,
        type=offer.type,
        name=offer.name,
        summary=offer.summary,
        description=offer.description,
        authorisation=operator.authorisations_held.get().number,
        resources=(offer.resource,),
        purposes=offer.purposes,
        scenarios=offer.scenarios,
        regime=offer.regime,
        necessity=offer.necessity,
        open_first_override="",
        update_frequency=offer.frequency,
        submitted_by=None,
        request_reviews=True,
        data=offer.make(),
        config=offer.config,
        input_schema=None,
        output_schema=None,
        samples=(offer.sample,),
        tariffs=(),
        concepts=CONCEPTS.get(offer.code, ()),
        consent_exemption=EXEMPT_FROM_CONSENT.get(offer.code, ""),
    )


def set_prices(told: Cast, operators: Sequence[str], *, drafted: datetime, filed: datetime, on_sale: date) -> None:
    """Caps with their written reports, then plans and tariffs that the regulator notes."""
    maker, checker = told.people["authority"], told.people["authority_checker"]
    for number, offer in enumerate((offer for offer in offers_of(operators) if offer.caps), start=1):
        product = DataProduct.objects.get(code=offer.code)
        for purpose_class, entries in offer.caps.items():
            document = {
                "caps": entries,
                "document": f"江数价〔{drafted.year}〕{number}号",
                "from": business_date(drafted + timedelta(days=6)).isoformat(),
                "purposes": [purpose_class],
            }
            filing = cap_draft(product=product, document=document, user=maker, at=drafted)
            filing = cap_approve(filing=filing, user=checker, at=drafted + timedelta(days=1))
            report = f"江数报〔{drafted.year}〕{number}号"
            filing = cap_report(filing=filing, report_no=report, user=maker, at=drafted + timedelta(days=2))
            cap_publish(filing=filing, user=maker, at=drafted + timedelta(days=3))
    for offer in offers_of(operators):
        for code in offer.plans:
            _file_tariff(told, offer, code, filed, on_sale)


def _file_tariff(told: Cast, offer: Offer, code: str, filed: datetime, on_sale: date) -> None:
    plan_terms, user = offer.plans[code], told.of(offer.operator)
    plan = plan_open(
        product=DataProduct.objects.get(code=offer.code),
        code=code,
        name=plan_terms.name[0],
        name_en=plan_terms.name[1],
        purposes=[purpose for purpose in offer.purposes if not is_free(purpose)],
        is_prepaid=plan_terms.is_prepaid,
        user=user,
        at=filed,
    )
    tariff = tariff_file(
        plan=plan,
        document=tariff_document(offer, code),
        from_date=on_sale,
        user=user,
        reason="首次收费标准，按成本与上限测算（演示）",
        at=filed,
    )
    tariff_note(tariff=tariff, user=told.people["regulator"], at=filed + timedelta(days=3))


def tariff_document(offer: Offer, code: str) -> dict[str, object]:
    components = offer.plans[code].components
    codes = {component["code"] for component in components}
    discounts = [each for each in offer.discounts if set(each["components"]) <= codes]
    document: dict[str, object] = {"currency": "CNY", "components": components, "tax": TAX}
    return {**document, "discounts": discounts} if discounts else document


def list_products(told: Cast, operators: Sequence[str], moment: datetime) -> None:
    for offer in offers_of(operators):
        product = DataProduct.objects.get(code=offer.code)
        state = price_state(product=product, on=business_date(moment))
        product_list(product=product, price_state=state, by=told.of(offer.operator), at=moment)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim to free use, as its organisation would make it."""

    body: str
    product: str
    purpose: str
    scenario: str
    quota: int
    statement: str
    beneficiaries: str


def submit_claim(told: Cast, claim: Claim, moment: datetime) -> FreeUseGrant:
    """A claim with its evidence, submitted."""
    organisation, user = told.bodies[claim.body], told.of(claim.body)
    grant = grant_claim(
        organisation=organisation,
        product=DataProduct.objects.get(code=claim.product),
        purpose=claim.purpose,
        scenario=claim.scenario,
        user=user,
        at=moment,
        quota_asked=claim.quota,
        asked_until=date(2027, 5, 31),
        statement=claim.statement,
        beneficiaries=claim.beneficiaries,
        is_noncommercial=True,
        responsible_person=user.name,
    )
    grant_add_evidence(
        grant=grant,
        user=user,
        at=moment,
        file_name="project.txt",
        content=f"项目说明：{claim.statement}（演示文件，虚构）".encode(),
        content_type="text/plain",
    )
    return grant_submit(grant=grant, user=user, at=moment)


def grant_free_use(told: Cast, claim: Claim, moment: datetime) -> FreeUseGrant:
    """A claim from statement to grant, decided by one person and checked by another."""
    grant = submit_claim(told, claim, moment)
    grant = grant_decide(
        grant=grant,
        decision="grant",
        reason="用途属公共治理或公益事业，材料齐全，条件明确。",
        user=told.people["authority"],
        at=moment + timedelta(days=2),
        conditions="仅用于所述用途；不得对外提供或收费；每季报告使用情况。",
    )
    return grant_check(grant=grant, approves=True, user=told.people["authority_checker"], at=moment + timedelta(days=3))


def calls_of(entitlement: Entitlement, *, month: date, calls: int, seed: int, until: datetime | None = None) -> list[NewEvent]:
    """A month of calls of one entitlement, busier on working days and in working hours; none after ``until``."""
    release = entitlement.product.releases.get(state="active")
    key = entitlement.keys.order_by("id").first()
    code = "products" if entitlement.product.type == "report" else "calls"
    return [
        event_of(
            entitlement,
            units={code: "1"},
            time=moment,
            release=release,
            key_id=key.pk if key else None,
            request_digest=hashlib.sha256(f"{seed}:{moment.isoformat()}".encode()).digest(),
        )
        for moment in _moments(month, calls, seed)
        if until is None or moment <= until
    ]


def _moments(month: date, calls: int, seed: int) -> Iterator[datetime]:
    rng = random.Random(seed * 1000 + month.month)
    days = [month + timedelta(days=n) for n in range(31) if (month + timedelta(days=n)).month == month.month]
    weights = [1.0 if day.weekday() < 5 else 0.35 for day in days]
    for day in rng.choices(days, weights=weights, k=calls):
        yield day_start(day) + timedelta(seconds=rng.triangular(0, 86_399, 11 * 3600))


def report_facility_use(told: Cast, entitlement: Entitlement, *, month: date, gigabytes: str) -> None:
    """Storage that the operator's own service reports: shown on the bill, not collected."""
    operator = entitlement.operator
    moment = day_start(month) + timedelta(days=27, hours=20)
    event = event_of(
        entitlement,
        units={"storage": gigabytes},
        time=moment,
        request_digest=hashlib.sha256(f"storage:{month}".encode()).digest(),
        source=f"/operators/{operator.slug}/storage",
        event_id=f"storage-{month:%Y-%m}",
    )
    record_events([event], at=moment)


def agree_shares(told: Cast, operators: Sequence[str], from_date: date, moment: datetime) -> None:
    """How each product's revenue is divided: an example, since no official split exists (domain.md section 11)."""
    platform = told.bodies["platform"]
    for offer in offers_of(operators):
        if not offer.plans:
            continue
        DistributionAgreement.objects.create(
            number=f"FX-{from_date.year}-{offer.code}"[:60],
            product=DataProduct.objects.get(code=offer.code),
            period=DateRange(from_date, None),
            parts=[
                {"organisation": told.bodies[offer.provider].pk, "role": "provider", "percent": "15.00"},
                {"organisation": platform.pk, "role": "platform", "percent": "5.00"},
                {"organisation": told.bodies[offer.operator].pk, "role": "operator", "rest": True},
            ],
            is_example=True,
            proposed_by=told.of(offer.operator),
            approved_by=told.people["authority"],
            created_at=moment,
        )
