"""Who takes part in the demo: organisations and people, all made up.

Their codes satisfy both check digits and stand in a range that no real body has been given (domain.md F14's way of making fixtures).
"""

from __future__ import annotations

from dataclasses import dataclass

from stdnum.cn.uscc import calc_check_digit

from products.organisations.uscc import inner_check_digit

PASSWORD = "gongshu-demo-2026"


@dataclass(frozen=True)
class Body:
    """An organisation of the demo; ``key`` names it in the story."""

    key: str
    prefix: str
    region: str
    kind: str
    name: str
    name_en: str
    slug: str

    def uscc(self, serial: int) -> str:
        return made_up_uscc(self.prefix, self.region, serial)


@dataclass(frozen=True)
class Person:
    """A person of the demo; ``account`` is the name in .data/demo.json, empty for people in the background."""

    account: str
    body: str
    name: str
    roles: tuple[str, ...]

    @property
    def email(self) -> str:
        return f"{self.account.replace('_', '.')}@gongshu.example"


def made_up_uscc(prefix: str, region: str, serial: int) -> str:
    """A code with both check digits right, for a body that does not exist."""
    inner = f"00009{serial:03d}" if prefix.startswith("1") else f"MA9{serial:05d}"
    body = prefix + region + inner + inner_check_digit(inner)
    return body + calc_check_digit(body)


BODIES = [
    Body("platform", "91", "330200", "platform", "公数平台运营中心", "Gongshu Platform Centre", "gongshu"),
    Body("bureau", "11", "330200", "data_bureau", "江州市数据局", "Jiangzhou Data Bureau", "jiangzhou-data-bureau"),
    Body(
        "authority",
        "11",
        "330200",
        "authorising_body",
        "江州市公共数据授权办公室",
        "Jiangzhou Authorising Office",
        "jiangzhou-office",
    ),
    Body("regulator", "11", "330200", "price_regulator", "江州市发展和改革委员会", "Jiangzhou Price Regulator", "jiangzhou-drc"),
    Body("registry", "12", "330200", "registry", "江州市公共数据登记中心", "Jiangzhou Data Registry", "jiangzhou-registry"),
    Body("auditor", "11", "330200", "auditor", "江州市审计局", "Jiangzhou Audit Office", "jiangzhou-audit"),
    Body("social", "11", "330200", "data_provider", "江州市人力资源和社会保障局", "Social Insurance Bureau", "jiangzhou-hrss"),
    Body("markets", "11", "330200", "data_provider", "江州市市场监督管理局", "Market Supervision Bureau", "jiangzhou-amr"),
    Body("harbour", "11", "330200", "data_provider", "江州市港航管理局", "Harbour Authority", "jiangzhou-harbour"),
    Body("health", "11", "330200", "data_provider", "江州市卫生健康委员会", "Health Commission", "jiangzhou-health"),
    Body("weather", "12", "330200", "data_provider", "江州市气象台", "Weather Observatory", "jiangzhou-weather"),
    Body("jiangshu", "91", "330200", "operator", "江数公共数据运营有限公司", "Jiangshu Data Operations", "jiangshu"),
    Body("haiwan", "91", "330200", "operator", "海湾港航数据运营有限公司", "Haiwan Port Data", "haiwan"),
    Body("yunling", "91", "330200", "operator", "云岭健康数据运营有限公司", "Yunling Health Data", "yunling"),
    Body("qinghe", "91", "330200", "operator", "清禾气象数据运营有限公司", "Qinghe Weather Data", "qinghe"),
    Body("bank", "91", "330200", "enterprise", "江州农商银行股份有限公司", "Jiangzhou Rural Bank", "jiangzhou-bank"),
    Body("insurer", "91", "330200", "enterprise", "东岸财产保险股份有限公司", "Dong'an Property Insurance", "dongan-insurance"),
    Body("freight", "91", "330200", "enterprise", "顺屿国际物流有限公司", "Shunyu Logistics", "shunyu"),
    Body("grower", "93", "330200", "enterprise", "青禾岭果蔬专业合作社", "Qingheling Growers' Cooperative", "qingheling"),
    Body("newcomer", "91", "330200", "enterprise", "新叶信息技术有限公司", "Xinye Technology", "xinye"),
    Body("foundation", "53", "330200", "nonprofit", "江州市暖阳公益基金会", "Warm Sun Foundation", "warm-sun"),
    Body(
        "association", "51", "330200", "nonprofit", "江州市防灾减灾志愿者协会", "Disaster Relief Volunteers", "relief-volunteers"
    ),
    Body("statistics", "11", "330200", "public_body", "江州市统计局", "Jiangzhou Statistics Office", "jiangzhou-statistics"),
    Body("citybank", "91", "330200", "enterprise", "江州城市银行股份有限公司", "Jiangzhou City Bank", "jiangzhou-city-bank"),
    Body("westbank", "91", "330200", "enterprise", "西岭银行股份有限公司", "Xiling Bank", "xiling-bank"),
    Body("guarantee", "91", "330200", "enterprise", "江州中小企业融资担保有限公司", "Jiangzhou Guarantee", "jiangzhou-guarantee"),
    Body("leasing", "91", "330200", "enterprise", "海旭融资租赁有限公司", "Haixu Leasing", "haixu-leasing"),
    Body("microloan", "91", "330200", "enterprise", "江北小额贷款有限公司", "Jiangbei Microloans", "jiangbei-microloans"),
    Body("factoring", "91", "330200", "enterprise", "信禾商业保理有限公司", "Xinhe Factoring", "xinhe-factoring"),
    Body("adviser", "91", "330200", "enterprise", "明渡经济咨询有限公司", "Mingdu Economics", "mingdu-economics"),
]
PEOPLE = [
    Person("platform_cashier", "platform", "钱书敏", ("finance",)),
    Person("platform_owner", "platform", "于国栋", ("owner", "reviewer", "finance")),
    Person("compliance_reviewer", "platform", "何谨", ("reviewer",)),
    Person("security_reviewer", "platform", "安立", ("reviewer",)),
    Person("data_bureau", "bureau", "舒桐", ("owner", "decider", "reviewer")),
    Person("authority", "authority", "权仲", ("owner", "decider", "pricing")),
    Person("authority_checker", "authority", "章复核", ("decider", "reviewer", "pricing")),
    Person("regulator", "regulator", "贾明", ("owner", "decider", "pricing")),
    Person("regulator_checker", "regulator", "柯严", ("decider", "reviewer")),
    Person("registry", "registry", "邓记", ("owner", "reviewer", "decider")),
    Person("auditor", "auditor", "沈计", ("owner", "auditor")),
    Person("provider", "social", "佘保", ("owner", "publisher")),
    Person("provider_markets", "markets", "石监", ("owner", "publisher")),
    Person("provider_harbour", "harbour", "港生", ("owner", "publisher")),
    Person("provider_health", "health", "卫安", ("owner", "publisher")),
    Person("provider_weather", "weather", "云望", ("owner", "publisher")),
    Person("operator", "jiangshu", "江运", ("owner", "publisher", "pricing", "developer", "finance")),
    Person("operator_checker", "jiangshu", "江审", ("approver", "reviewer", "pricing", "publisher")),
    Person("operator_haiwan", "haiwan", "海舟", ("owner", "publisher", "pricing", "developer", "finance")),
    Person("operator_yunling", "yunling", "云康", ("owner", "publisher", "pricing", "developer", "finance")),
    Person("operator_qinghe", "qinghe", "禾青", ("owner", "publisher", "pricing", "developer", "finance")),
    Person("buyer", "bank", "卞利", ("owner", "buyer", "developer", "finance")),
    Person("buyer_approver", "bank", "毕审", ("approver", "finance")),
    Person("buyer_insurer", "insurer", "保宁", ("owner", "buyer", "developer", "finance")),
    Person("buyer_freight", "freight", "舒达", ("owner", "buyer", "developer", "finance")),
    Person("buyer_grower", "grower", "田实", ("owner", "buyer", "developer", "finance")),
    Person("buyer_newcomer", "newcomer", "叶新", ("owner", "buyer", "developer")),
    Person("nonprofit", "foundation", "温暖", ("owner", "buyer", "developer")),
    Person("nonprofit_relief", "association", "关援", ("owner", "buyer", "developer")),
    Person("buyer_citybank", "citybank", "程霖", ("owner", "buyer", "developer", "finance")),
    Person("buyer_westbank", "westbank", "席岭", ("owner", "buyer", "developer", "finance")),
    Person("buyer_guarantee", "guarantee", "丹宝", ("owner", "buyer", "developer", "finance")),
    Person("buyer_leasing", "leasing", "租海", ("owner", "buyer", "developer", "finance")),
    Person("buyer_microloan", "microloan", "江小贷", ("owner", "buyer", "developer", "finance")),
    Person("buyer_factoring", "factoring", "辛禾", ("owner", "buyer", "developer", "finance")),
    Person("buyer_adviser", "adviser", "明渡", ("owner", "buyer", "developer", "finance")),
    Person("public_body", "statistics", "童计", ("owner", "buyer", "developer")),
]
ACCOUNTS = [
    "buyer",
    "buyer_approver",
    "nonprofit",
    "public_body",
    "operator",
    "operator_checker",
    "authority",
    "authority_checker",
    "regulator",
    "regulator_checker",
    "data_bureau",
    "provider",
    "compliance_reviewer",
    "security_reviewer",
    "platform_cashier",
    "auditor",
    "registry",
]
