"""The demo's first months: organisations and people, resources, registrations, authorisations, distribution agreements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.contrib.auth.hashers import make_password

from market.demo import cast
from market.demo.catalogue import OFFERS
from products.organisations.founding import platform_found
from products.organisations.models import Membership, Organisation, User
from products.organisations.services import member_add, member_change, organisation_register, organisation_verify
from products.record import evidence
from products.record.clock import business_date
from products.record.rule_sets import rule_set_add
from products.registry.models import Authorisation, DataResource
from products.registry.services import authorisation_activate, authorisation_draft, registration_add, resource_add

SIGNED = {"jiangshu": date(2024, 11, 8), "haiwan": date(2024, 12, 12)}
TERMS = {  # the first two were agreed under the trial rules of 2023, which allow three years, and ran before they came here
    "jiangshu": (date(2024, 11, 15), date(2027, 11, 14)),
    "haiwan": (date(2024, 12, 20), date(2027, 12, 19)),
    "qinghe": (date(2026, 6, 1), date(2027, 6, 30)),
}
USUAL_SIGNED, USUAL_TERM = date(2026, 5, 28), (date(2026, 6, 1), date(2029, 5, 31))
DOCUMENT_PREFIXES = {"regulator": "江发改价格", "bureau": "江数据", "authority": "江数授办"}
RESOURCES = {
    "JZ-HRSS-001": ("社会保险缴纳记录", "Social-insurance contributions", "社会保障", 3, True),
    "JZ-HRSS-002": ("参保单位增减记录", "Insured employers by month", "社会保障", 2, False),
    "JZ-AMR-001": ("企业登记信息", "Register of enterprises", "市场监管", 2, False),
    "JZ-AMR-002": ("企业经营综合信息", "Business activity of firms", "市场监管", 3, False),
    "JZ-PORT-001": ("港口生产统计", "Port production statistics", "交通运输", 2, False),
    "JZ-PORT-002": ("船舶靠离泊记录", "Berthing records", "交通运输", 3, False),
    "JZ-HEALTH-001": ("医疗服务量统计", "Volume of medical services", "卫生健康", 2, False),
    "JZ-HEALTH-002": ("基本医保参保信息", "Health-insurance status", "卫生健康", 3, True),
    "JZ-WEATHER-001": ("自动气象站观测", "Weather-station observations", "气象", 2, False),
    "JZ-WEATHER-002": ("公路气象观测", "Road-weather observations", "气象", 2, False),
}
FIELDS = {
    "subject": ("编号", "identifier"),
    "month": ("月份", "month"),
    "value": ("数值", "value"),
    "unit": ("计量单位", "unit of measure"),
}

# What the worked specs in docs/specs need beside the demo's own products, so that anyone can publish them here.
SPEC_SCOPE = [
    ("JZ-PORT-001", "index", "industry.logistics", "port-logistics"),
    ("JZ-PORT-001", "index", "governance.planning", "port-logistics"),
    ("JZ-HRSS-001", "model", "industry.finance.pre_loan", "consumer-credit"),
    ("JZ-AMR-001", "report", "sector.consulting", "economic-monitoring"),
    ("JZ-AMR-001", "report", "governance.planning", "economic-monitoring"),
]


class Cast:
    """Organisations by key and people by account, as they are in the database."""

    def __init__(self) -> None:
        self.bodies: dict[str, Organisation] = {}
        self.people: dict[str, User] = {}

    def of(self, body: str) -> User:
        """The first person of a body."""
        return self.people[next(person.account for person in cast.PEOPLE if person.body == body)]


def found_market(at: datetime) -> Cast:
    """Every organisation verified but the newcomer, and every person with a role; their city may set caps."""
    told = Cast()
    password = make_password(cast.PASSWORD)
    for person in cast.PEOPLE:
        told.people[person.account] = User.objects.create(email=person.email, name=person.name, password=password)
    for serial, body in enumerate(cast.BODIES, start=1):
        people = [person for person in cast.PEOPLE if person.body == body.key]
        owner = next(person for person in people if "owner" in person.roles)
        told.bodies[body.key] = _register(body, body.uscc(serial), told.people[owner.account], told, at)
        for person in people:
            _join(told, body.key, person, owner, at)
    for key, prefix in DOCUMENT_PREFIXES.items():
        Organisation.objects.filter(pk=told.bodies[key].pk).update(document_prefix=prefix)
        told.bodies[key].document_prefix = prefix
    delegate_pricing(at)
    return told


def _register(body: cast.Body, uscc: str, owner: User, told: Cast, at: datetime) -> Organisation:
    if body.kind == "platform":
        return platform_found(uscc=uscc, name=body.name, name_en=body.name_en, owner=owner, at=at)
    organisation = organisation_register(
        uscc=uscc,
        name=body.name,
        name_en=body.name_en,
        kind=body.kind,
        region=body.region,
        user=owner,
        complaint_contact="12345 · complaints@gongshu.example",
        at=at,
    )
    if body.key == "newcomer":
        return organisation
    return organisation_verify(
        organisation=organisation, user=told.people["platform_owner"], at=at, reason="证照与名称相符（演示）"
    )


def _join(told: Cast, body: str, person: cast.Person, owner: cast.Person, at: datetime) -> None:
    organisation, user = told.bodies[body], told.people[person.account]
    if person is owner:
        membership = Membership.objects.get(organisation=organisation, user=user)
        member_change(membership=membership, roles=person.roles, actor=user, at=at)
        return
    member_add(organisation=organisation, user=user, roles=person.roles, actor=told.people[owner.account], at=at)


def open_record(told: Cast, operators: Sequence[str], at: datetime) -> None:
    """The resources that operators build on, with their dictionaries and registrations; an authorisation for each operator."""
    for code in dict.fromkeys(offer.resource for offer in OFFERS if offer.operator in operators):
        _register_resource(told, code, at)
    if "jiangshu" in operators:  # the worked specs use one of the harbour's resources too
        _register_resource(told, "JZ-PORT-001", at)
    for position, operator in enumerate(dict.fromkeys(offer.operator for offer in OFFERS), start=1):
        if operator in operators:
            year = SIGNED.get(operator, USUAL_SIGNED).year
            _authorise(told, operator, f"江数授〔{year}〕{position:03d}号", at)


def delegate_pricing(at: datetime) -> None:
    """The made-up province lets the city set caps, as Anhui lets its cities (domain.md fact 6); otherwise the province would."""
    rule_set_add(
        jurisdiction="330200",
        name="江州市定价授权（演示）",
        name_en="Pricing delegated to Jiangzhou (demo)",
        source="省发改价费〔2025〕演示1号：授权设区市制定公共数据运营服务上限收费标准（虚构）",
        from_date=business_date(at),
        parameters={"pricing_delegated_to_city": True},
        user=None,
        at=at,
    )


def _register_resource(told: Cast, code: str, at: datetime) -> None:
    if DataResource.objects.filter(code=code).exists():
        return
    name, name_en, data_class, grade, personal = RESOURCES[code]
    provider = next(offer.provider for offer in OFFERS if offer.resource == code)
    resource = resource_add(
        code=code,
        name=name,
        name_en=name_en,
        provider=told.bodies[provider],
        data_class=data_class,
        grade=grade,
        open_type="conditional",
        has_personal_data=personal,
        has_security_impact=not personal,
        dictionary=[
            {"field": field, "type": "text", "meaning": meaning, "meaning_en": meaning_en}
            for field, (meaning, meaning_en) in FIELDS.items()
        ],
        update_frequency="daily",
        user=told.of(provider),
        at=at,
    )
    registration_add(
        resource=resource,
        registry=told.bodies["registry"],
        holder=told.bodies[provider],
        level="city",
        region="330200",
        issued_date=business_date(at),
        code=f"330200-R-{code}",
        user=told.of("registry"),
        at=at,
    )


def _authorise(told: Cast, operator: str, number: str, at: datetime) -> Authorisation:
    authority, maker, checker = told.bodies["authority"], told.people["authority"], told.people["authority_checker"]
    minutes = evidence.keep(
        organisation=authority,
        user=maker,
        file_name="decision.txt",
        content="“三重一大”集体决策会议纪要（演示文件，虚构）".encode(),
        content_type="text/plain",
        purpose="decision_record",
        at=at,
    )
    signed, (from_date, to_date) = SIGNED.get(operator, USUAL_SIGNED), TERMS.get(operator, USUAL_TERM)
    scope = [
        (DataResource.objects.get(code=offer.resource), offer.type, purpose, scenario)
        for offer in OFFERS
        if offer.operator == operator
        for purpose in offer.purposes
        for scenario in offer.scenarios
    ]
    if operator == "jiangshu":
        scope += [(DataResource.objects.get(code=code), *rest) for code, *rest in SPEC_SCOPE]
    authorisation = authorisation_draft(
        number=number,
        title=f"{told.bodies[operator].name}公共数据授权运营协议",
        title_en=f"Agreement with {told.bodies[operator].name_en}",
        authorising_body=authority,
        operator=told.bodies[operator],
        mode="scenario",
        region="330200",
        from_date=from_date,
        to_date=to_date,
        operating_since=from_date if operator in SIGNED else None,
        conditions="运营机构为法人组织，制度、诚信、资质与安全条件经核验。",
        operating_model="在授权运营域内开发产品，原始数据不出域，按场景向市场提供。",
        term_clause="期限不超过五年，届满前六个月评估。",
        exit_clause="终止时立即关闭访问、清除运营域数据，日志留存不少于六个月。",
        security_duties="落实分类分级、最小必要、日志留痕与应急处置责任。",
        decision_reference=f"江州市委常委会〔{signed.year}〕第 9 次",
        decision_date=signed,
        decision_evidence=minutes,
        scope=scope,
        user=maker,
        at=at,
    )
    return authorisation_activate(authorisation=authorisation, user=checker, at=at)
