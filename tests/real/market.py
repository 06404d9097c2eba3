"""From three files to three products on sale, through the services and commands that an operator, an authority and others use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.revenue.services import cap_approve, cap_draft, cap_publish, cap_report
from pricing.selectors import price_state
from pricing.tariffs.models import Plan
from pricing.tariffs.services import plan_open, tariff_file, tariff_note
from products.catalogue.models import DataProduct
from products.catalogue.services import product_list, review_decide
from products.organisations.models import Organisation
from products.record.clock import business_date
from products.registry.models import Authorisation, DataResource
from products.registry.services import authorisation_activate, authorisation_draft, registration_add, resource_add
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_open, key_issue
from settlement.shares.models import DistributionAgreement
from tests.factories.cast import Cast, make_uscc
from tests.real.files import Credit, Divisions, Inflation
from tests.real.prices import CAPS, PARTS, TARIFFS
from tests.real.web_log import ORGANISATIONS, PRODUCTS

APRIL = datetime.fromisoformat("2026-04-20T09:00:00+08:00")
MAY = date(2026, 5, 1)
NUMBER = "甬数授〔2026〕9号"
KINDS = {"cpi-index": "index", "division-check": "verification", "credit-default": "model"}
PURPOSES = {
    "cpi-index": "sector.consulting",
    "division-check": "industry.logistics",
    "credit-default": "industry.finance.pre_loan",
}
SCENARIOS = {"cpi-index": "economic-monitoring", "division-check": "port-logistics", "credit-default": "consumer-credit"}
CONCEPTS = {"cpi-index": ["aggregate.statistics"], "division-check": ["place.district"], "credit-default": ["person.credit"]}
RATE_PER_MINUTE = 60_000  # the log is replayed as fast as it goes: days pass in a minute


@dataclass
class Key:
    """A key of an organisation for a product: what the log's client sends."""

    entitlement: Entitlement
    secret: str


class Market:
    """``open`` puts the products on sale in April; ``keys`` has one key an organisation and product."""

    def __init__(self, cast: Cast, folder: Path, workplace: Path, clock: Any) -> None:
        self.cast, self.workplace, self.clock = cast, workplace, clock
        self.files = {"cpi-index": Inflation(folder), "division-check": Divisions(folder), "credit-default": Credit(folder)}
        self.products: dict[str, DataProduct] = {}
        self.plans: dict[str, Plan] = {}
        self.buyers: list[Organisation] = []
        self.keys: dict[tuple[int, str], Key] = {}

    def open(self) -> None:
        self.clock.move_to(APRIL)
        resources = {code: self._resource(code) for code in PRODUCTS}
        authorisation = self._authorise(resources)
        for code, resource in resources.items():
            self._register(code, resource, authorisation)
            self.publish(code)
            self._price(code)
        self.clock.move_to(datetime.fromisoformat("2026-05-01T00:00:00+08:00"))
        for code in PRODUCTS:
            product = self.products[code]
            price = price_state(product=product, on=business_date(self.clock.now))
            product_list(product=product, price_state=price, by=self.cast.operator.owner, at=self.clock.now)
            self._agree(product)
        self._sell()

    def _resource(self, code: str) -> DataResource:
        dictionary = [{"field": "code", "type": "text", "meaning": "代码", "meaning_en": "Code"}]
        return resource_add(
            provider=self.cast.provider.organisation,
            code=f"R-{code.upper()}",
            name=f"{code} 原始数据",
            data_class="经济",
            grade=2,
            open_type="conditional",
            has_personal_data=code == "credit-default",
            has_security_impact=False,
            update_frequency="yearly",
            dictionary=dictionary,
            user=self.cast.provider.owner,
            at=APRIL,
        )

    def _authorise(self, resources: dict[str, DataResource]) -> Authorisation:
        clauses = ("conditions", "operating_model", "term_clause", "exit_clause", "security_duties", "decision_reference")
        draft = authorisation_draft(
            authorising_body=self.cast.authority.organisation,
            operator=self.cast.operator.organisation,
            number=NUMBER,
            title="真实文件试验授权",
            mode="scenario",
            from_date=date(2026, 1, 1),
            to_date=date(2028, 12, 31),
            user=self.cast.authority.owner,
            at=APRIL,
            scope=[(resource, KINDS[code], PURPOSES[code], SCENARIOS[code]) for code, resource in resources.items()],
            decision_date=date(2025, 12, 20),
            **dict.fromkeys(clauses, "依决定"),
        )
        return authorisation_activate(authorisation=draft, user=self.cast.authority.checker, at=APRIL)

    def _register(self, code: str, resource: DataResource, authorisation: Authorisation) -> None:
        registration_add(
            registry=self.cast.registry.organisation,
            holder=self.cast.operator.organisation,
            code=f"D-{code}",
            level="city",
            issued_date=date(2026, 3, 2),
            user=self.cast.registry.owner,
            at=APRIL,
            resource=resource,
            authorisation=authorisation,
        )

    def publish(self, code: str) -> str:
        """`manage.py publish_product`, then both reviews; returns what the command printed."""
        path = self.workplace / f"{code}.yaml"
        (self.workplace / f"{code}.data").write_bytes(self.files[code].data())
        path.write_text(yaml.safe_dump(self._spec(code), allow_unicode=True), encoding="utf-8")
        out = StringIO()
        call_command("publish_product", str(path), stdout=out)
        product = self.products[code] = DataProduct.objects.get(code=code)
        for review in product.reviews.filter(state="requested"):
            review_decide(review=review, is_passed=True, reason="合规", by=self.cast.data_bureau.reviewer, at=self.clock.now)
        return out.getvalue()

    def _spec(self, code: str) -> dict[str, Any]:
        file = self.files[code]
        return {
            "code": code,
            "operator": self.cast.operator.organisation.slug,
            "type": KINDS[code],
            "name": {"zh": f"{code} 试验产品", "en": code},
            "summary": {"zh": "由真实文件制成的试验产品。", "en": "A product made of a real file, for a test."},
            "authorisation": NUMBER,
            "resources": [f"R-{code.upper()}"],
            "purposes": [PURPOSES[code]],
            "scenarios": [SCENARIOS[code]],
            "necessity": "试验产品的存算成本。",
            "open_first_override": "原始数据已公开，收费部分为核验与查询服务。",
            "concepts": CONCEPTS[code],
            "consent_exemption": "已公开的研究与统计数据，不指向任何人。",
            "release": {"data": f"{code}.data", "config": self._config(code), "samples": [file.body(0), file.body(3)]},
        }

    def _config(self, code: str) -> dict[str, Any]:
        if code == "cpi-index":
            economies = self.files[code].economies
            return {"series": {name: {"unit": "percent a year", "label": name} for name in economies}}
        if code == "division-check":
            return {
                "subject": {"label": "行政区划代码", "column": "code", "normalise": "code"},
                "fields": {"name": {"label": "名称"}, "city": {"label": "所属城市代码", "column": "cityCode"}},
                # Divisions are no secret and their codes are neighbours of each other by nature, so that asking about many in a
                # row, many times, with many claims, is the ordinary use of this product and no probing.
                "limits": {
                    "attempts_per_subject_per_day": 1000,
                    "subjects_per_day": 5000,
                    "claims_per_subject": 1000,
                    "neighbours_per_day": 5000,
                },
                "tells_absence": True,
            }
        return {"fields": self.files[code].fields(), "decimals": 6, "limits": {"seconds": 10, "memory_mb": 1024}}

    def _price(self, code: str) -> None:
        cast, product, at = self.cast, self.products[code], self.clock.now
        document = {
            "caps": CAPS[code],
            "document": f"甬发改价〔2026〕{code}",
            "from": MAY.isoformat(),
            "purposes": [PURPOSES[code].split(".")[0]],
        }
        filing = cap_draft(product=product, document=document, user=cast.authority.owner, at=at)
        filing = cap_approve(filing=filing, user=cast.authority.checker, at=at)
        filing = cap_report(filing=filing, report_no=f"甬数报 {code}", user=cast.authority.owner, at=at)
        cap_publish(filing=filing, user=cast.authority.owner, at=at)
        plan = self.plans[code] = plan_open(
            product=product,
            code="standard",
            name="标准版",
            purposes=[PURPOSES[code]],
            user=cast.operator.owner,
            at=at,
            rate_per_minute=RATE_PER_MINUTE,
        )
        tariff = tariff_file(
            plan=plan, document=TARIFFS[code], from_date=MAY, user=cast.operator.owner, reason="按成本测算", at=at
        )
        tariff_note(tariff=tariff, user=cast.regulator.owner, at=at)

    def _agree(self, product: DataProduct) -> None:
        parties = {role: getattr(self.cast, role).organisation for role, _percent in PARTS}
        DistributionAgreement.objects.create(
            number=f"分配-{product.code}",
            product=product,
            period=DateRange(MAY, None),
            parts=[{"organisation": parties[role].pk, "role": role, "percent": str(percent)} for role, percent in PARTS],
            is_example=True,
            proposed_by=self.cast.operator.owner,
            approved_by=self.cast.platform.owner,
            created_at=self.clock.now,
        )

    def _sell(self) -> None:
        owner, at = self.cast.platform.owner, self.clock.now
        self.buyers = Organisation.objects.bulk_create(
            Organisation(
                uscc=make_uscc(number, region="110000"),
                name=f"访问者{number:02d}",
                slug=f"visitor-{number:02d}",
                kind="enterprise",
                state="verified",
                created_at=APRIL,
                verified_at=APRIL,
                verified_by=owner,
            )
            for number in range(ORGANISATIONS)
        )
        for number, buyer in enumerate(self.buyers):
            for code in PRODUCTS:
                entitlement = entitlement_open(
                    organisation=buyer,
                    product=self.products[code],
                    plan=self.plans[code],
                    purposes=[PURPOSES[code]],
                    scenario=SCENARIOS[code],
                    valid_from=at,
                    valid_to=datetime.fromisoformat("2027-05-01T00:00:00+08:00"),
                    at=at,
                )
                _key, secret = key_issue(entitlement=entitlement, mode="live", user=None, at=at)
                self.keys[number, code] = Key(entitlement, secret)
