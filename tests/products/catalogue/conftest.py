"""The public record under which the specs of docs/specs may be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from products.catalogue.models import DataProduct, ReviewRecord
from products.catalogue.publishing import Published, product_publish
from products.catalogue.services import review_decide
from products.catalogue.spec import ProductSpec, spec_parse
from products.organisations.models import Membership, Organisation, User
from products.registry.models import Authorisation, DataResource, Purpose, Registration, Scenario, ScopeItem
from products.runtimes.base import Secrets

SPECS = Path(__file__).parents[3] / "docs" / "specs"
AT = datetime.fromisoformat("2026-05-10T12:00:00+08:00")
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@dataclass(frozen=True)
class Priced:
    kind: str = "priced"
    gaps: tuple[Any, ...] = ()


@dataclass
class World:
    operator: Organisation
    authority: Organisation
    publisher: User
    reviewer: User
    stranger: User
    authorisation: Authorisation
    at: datetime = AT

    def resource(self, code: str) -> DataResource:
        return DataResource.objects.get(code=code)

    def spec(self, name: str = "port-logistics-index", **changes: Any) -> ProductSpec:
        return replace(spec_parse((SPECS / f"{name}.yaml").read_text(encoding="utf-8"), folder=SPECS), **changes)

    def publish(self, spec: ProductSpec | None = None, at: datetime = AT, **options: Any) -> Published:
        secrets = Secrets(product_key=lambda code: KEY, link_key=b"link")
        return product_publish(spec=spec or self.spec(), secrets=secrets, by=options.pop("by", None), at=at, **options)

    def pass_reviews(self, product: DataProduct) -> None:
        for review in product.reviews.filter(state=ReviewRecord.State.REQUESTED):
            review_decide(review=review, is_passed=True, reason="in order", by=self.reviewer, at=self.at)


def organisation(serial: int, slug: str, kind: str) -> Organisation:
    return Organisation.objects.create(uscc=f"91330200MA9T{serial:04d}00", name=slug, slug=slug, kind=kind, created_at=AT)


def member(organisation: Organisation, email: str, roles: Iterable[str]) -> User:
    user = User.objects.create(email=email)
    Membership.objects.create(user=user, organisation=organisation, roles=list(roles), created_at=AT)
    return user


SCOPE = {
    "JZ-PORT-001": ("index", ["industry.logistics", "governance.planning"], "port-logistics"),
    "JZ-AMR-001": ("verification", ["industry.finance", "governance.supervision"], "enterprise-verification"),
    "JZ-HRSS-001": ("model", ["industry.finance"], "consumer-credit"),
}


@pytest.fixture
def world(db) -> World:
    operator = organisation(1, "jiangshu-data-operations", "operator")
    authority = organisation(2, "authority", "authorising_body")
    provider = organisation(3, "provider", "data_provider")
    publisher = member(operator, "publisher@operator.example", ["publisher"])
    reviewer = member(authority, "reviewer@authority.example", ["reviewer"])
    Organisation.objects.update(state="verified", verified_at=AT, verified_by=reviewer)
    authorisation = Authorisation.objects.create(
        number="江数授〔2026〕001号",
        title="公共数据授权",
        authorising_body=authority,
        operator=operator,
        mode="field",
        from_date=date(2026, 1, 1),
        to_date=date(2029, 12, 31),
        state="active",
        conditions="一",
        operating_model="二",
        term_clause="三",
        exit_clause="四",
        security_duties="五",
        decision_reference="纪要1号",
        decision_date=date(2025, 12, 1),
        created_at=AT,
        activated_at=AT,
    )
    for serial, code in enumerate(SCOPE):
        make_resource(code, provider, serial)
    register = DataResource.objects.get(code="JZ-AMR-001")
    for code, (kind, purposes, scenario) in SCOPE.items():
        make_scope(authorisation, DataResource.objects.get(code=code), kind, purposes, scenario)
    make_scope(authorisation, register, "report", ["sector.consulting", "governance.planning"], "economic-monitoring")
    operator.refresh_from_db()
    stranger = User.objects.create(email="stranger@nowhere.example")
    Purpose.objects.get_or_create(
        code="industry.finance.pre_loan", defaults={"purpose_class": "industry", "name": "贷前", "name_en": "Pre-loan"}
    )
    return World(operator, authority, publisher, reviewer, stranger, authorisation)


def make_resource(code: str, provider: Organisation, serial: int) -> None:
    resource = DataResource.objects.create(
        code=code,
        name=code,
        provider=provider,
        data_class="经济",
        grade=2,
        open_type="conditional",
        has_personal_data=True,
        has_security_impact=False,
        dictionary=[{"field": "a", "type": "text", "meaning": "甲"}],
        update_frequency="daily",
        created_at=AT,
    )
    Registration.objects.create(
        code=f"REG-{serial}",
        resource=resource,
        registry=provider,
        holder=provider,
        level="city",
        issued_date=date(2026, 1, 1),
        valid_to=date(2028, 12, 31),
    )


def make_scope(authorisation: Authorisation, resource: DataResource, kind: str, purposes: list[str], scenario: str) -> None:
    Scenario.objects.get_or_create(code=scenario, defaults={"name": scenario, "name_en": scenario})
    for code in purposes:
        purpose_class = code.partition(".")[0]
        names = {"purpose_class": purpose_class, "name": code, "name_en": code}
        Purpose.objects.get_or_create(code=code, defaults=names)
        ScopeItem.objects.create(
            authorisation=authorisation, resource=resource, product_type=kind, purpose_id=code, scenario_id=scenario
        )


@pytest.fixture
def listed(world) -> Callable[..., DataProduct]:
    """A product in the shop."""
    from products.catalogue.services import product_list

    def make() -> DataProduct:
        product = world.publish().product
        world.pass_reviews(product)
        return product_list(product=product, price_state=Priced(), by=world.publisher, at=AT)

    return make
