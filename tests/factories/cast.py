"""The cast: one organisation of each kind with the people who act for it. The demo's cast is the same (market/demo)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateRange
from stdnum.cn.uscc import calc_check_digit

from products.models import Membership, Organisation, RuleSet, User
from products.organisations.uscc import inner_check_digit

PASSWORD = "a-long-test-password"
PARTIES = {  # key: (kind, USCC prefix, name, English name, {person: roles})
    "platform": (
        "platform",
        "91",
        "公数平台运营中心",
        "Gongshu platform",
        {"owner": ["owner"], "cashier": ["finance"], "reviewer": ["reviewer"]},
    ),
    "buyer": (
        "enterprise",
        "91",
        "甬城商业银行",
        "Yongcheng Bank",
        {"owner": ["owner", "buyer"], "approver": ["approver", "finance"], "developer": ["developer"]},
    ),
    "buyer_b": (
        "enterprise",
        "91",
        "海曙保险",
        "Haishu Insurance",
        {"owner": ["owner", "buyer", "approver", "developer", "finance"]},
    ),
    "nonprofit": (
        "nonprofit",
        "53",
        "助学基金会",
        "Student Aid Foundation",
        {"owner": ["owner", "buyer", "approver", "developer"]},
    ),
    "public_body": (
        "public_body",
        "11",
        "市统计局",
        "City statistics office",
        {"owner": ["owner", "buyer", "approver", "developer"]},
    ),
    "operator": (
        "operator",
        "91",
        "甬数公共数据运营公司",
        "Yongshu Data Operations",
        {"owner": ["owner", "publisher", "pricing"], "checker": ["approver", "finance"], "developer": ["developer", "publisher"]},
    ),
    "operator_b": (
        "operator",
        "91",
        "舟数公共数据运营公司",
        "Zhoushu Data Operations",
        {"owner": ["owner", "publisher", "pricing", "finance"]},
    ),
    "authority": (
        "authorising_body",
        "11",
        "市政府办公厅",
        "City government office",
        {"owner": ["owner", "reviewer", "pricing"], "checker": ["decider"]},
    ),
    "regulator": (
        "price_regulator",
        "11",
        "市发展和改革委员会",
        "City development and reform commission",
        {"owner": ["owner", "reviewer"], "decider": ["decider"]},
    ),
    "data_bureau": (
        "data_bureau",
        "11",
        "市数据局",
        "City data bureau",
        {"owner": ["owner", "reviewer"], "reviewer": ["reviewer"]},
    ),
    "provider": (
        "data_provider",
        "11",
        "市人力资源和社会保障局",
        "City social security bureau",
        {"owner": ["owner", "publisher"]},
    ),
    "registry": ("registry", "12", "市公共数据登记中心", "City registry", {"owner": ["owner", "reviewer"]}),
    "auditor": ("auditor", "11", "市审计局", "City audit office", {"owner": ["owner", "auditor"]}),
}


def make_uscc(serial: int, *, prefix: str = "91", region: str = "330200") -> str:
    """A code of nobody with both check digits right."""
    body = f"MA9T{serial:04d}"
    code = prefix + region + body + inner_check_digit(body)
    return code + calc_check_digit(code)


@dataclass
class Party:
    """An organisation and its people: ``cast.buyer.organisation``, ``cast.buyer.owner``, ``cast.buyer.approver``."""

    organisation: Organisation
    people: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class Cast:
    platform: Party
    buyer: Party
    buyer_b: Party
    nonprofit: Party
    public_body: Party
    operator: Party
    operator_b: Party
    authority: Party
    regulator: Party
    data_bureau: Party
    provider: Party
    registry: Party
    auditor: Party
    stranger: User


def delegate_pricing() -> None:
    """Let the cast's city set caps, as a province may (domain.md fact 6); the document is made up."""
    RuleSet.objects.get_or_create(
        jurisdiction="330200",
        defaults={
            "name": "市级定价授权",
            "source": "授权设区市制定公共数据运营服务上限收费标准的通知（虚构）",
            "period": DateRange(date(2025, 1, 20), None),
            "parameters": {"pricing_delegated_to_city": True},
        },
    )


def make_cast(at: datetime) -> Cast:
    """Everyone, verified a month before ``at``; all share PASSWORD. Their city may set caps."""
    delegate_pricing()
    password, since = make_password(PASSWORD), at - timedelta(days=30)

    def person(email: str, name: str) -> User:
        return User(email=email, name=name, password=password, date_joined=since)

    people = {
        (key, who): person(f"{who}@{key.replace('_', '-')}.example", f"{name_en} {who}")
        for key, (*_rest, name_en, roles) in PARTIES.items()
        for who in roles
    }
    stranger = person("stranger@nowhere.example", "Stranger")
    User.objects.bulk_create([*people.values(), stranger])
    organisations = {
        key: Organisation(
            uscc=make_uscc(serial, prefix=prefix),
            name=name,
            name_en=name_en,
            slug=key.replace("_", "-"),
            kind=kind,
            region="330200",
            state="verified",
            name_key=key,
            complaint_contact="0574-12345",
            created_at=since,
            verified_at=since,
            verified_by=people["platform", "owner"],
        )
        for serial, (key, (kind, prefix, name, name_en, _roles)) in enumerate(PARTIES.items(), start=1)
    }
    Organisation.objects.bulk_create(organisations.values())
    Membership.objects.bulk_create(
        Membership(user=people[key, who], organisation=organisations[key], roles=granted, created_at=since)
        for key, (*_rest, roles) in PARTIES.items()
        for who, granted in roles.items()
    )
    parties = {key: Party(organisations[key], {who: user for (of, who), user in people.items() if of == key}) for key in PARTIES}
    return Cast(**parties, stranger=stranger)
