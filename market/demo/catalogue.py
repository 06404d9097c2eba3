"""The products of the demo: thirteen of four operators, among them the field's own cases. Prices are fictitious.

Each offer holds what a spec file would (docs/products.md), its plans with tariffs, and the caps that the authorising body sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from market.demo import data

SERIES_FIRST, SERIES_LAST = date(2025, 1, 6), date(2026, 11, 9)
TAX = {"rate": "0.06", "inclusive": True}


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A product of the demo. ``caps``: purpose class → cap entries; ``plans``: code → (names, purposes, tariff components)."""

    code: str
    operator: str
    provider: str
    resource: str
    type: str
    name: tuple[str, str]
    summary: tuple[str, str]
    description: tuple[str, str]
    purposes: tuple[str, ...]
    scenarios: tuple[str, ...]
    config: dict[str, Any]
    make: Callable[[], bytes]
    sample: dict[str, Any]
    regime: str = "trial"
    necessity: str = ""
    frequency: str = "monthly"
    caps: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    discounts: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    name: tuple[str, str]
    components: list[dict[str, Any]]
    is_prepaid: bool = False


def calls(*tiers: tuple[str | None, str]) -> dict[str, Any]:
    """A graduated price a call: (up to, unit price), the last up to None."""
    steps = [{"up_to": up_to, "unit_price": price} for up_to, price in tiers]
    return {
        "code": "calls",
        "label": "技术服务费",
        "basis": "calls",
        "model": "graduated",
        "counts_over": "month",
        "tiers": steps,
    }


def per_call(price: str) -> dict[str, Any]:
    return {"code": "calls", "label": "技术服务费", "basis": "calls", "model": "per_unit", "unit_price": price}


def base_fee(price: str, period: str) -> dict[str, Any]:
    return {"code": "base", "label": "基础技术服务费", "basis": "periods", "model": "flat", "period": period, "price": price}


def per_report(price: str) -> dict[str, Any]:
    return {"code": "products", "label": "报告使用费", "basis": "products", "model": "per_unit", "unit_price": price}


def facility(price: str) -> dict[str, Any]:
    """Metered but not collected, as in a trial of facility fees (domain.md F9)."""
    return {
        "code": "storage",
        "label": "存算设施使用费",
        "basis": "bytes",
        "model": "per_unit",
        "unit_price": price,
        "unit": "GB",
        "collected": False,
    }


def index_config(unit: str, **series: str) -> dict[str, Any]:
    return {"unit": unit, "series": {name: {"unit": unit, "label": label} for name, label in series.items()}, "max_points": 400}


def verification_config(subject: str, *, tells_absence: bool = False, **fields: str) -> dict[str, Any]:
    return {
        "tells_absence": tells_absence,
        "subject": {"label": subject, "normalise": "code"},
        "fields": {name: {"label": label, "normalise": "text"} for name, label in fields.items()},
        "limits": {"attempts_per_subject_per_day": 20, "subjects_per_day": 5000},
    }


def model_config(**fields: tuple[str, str]) -> dict[str, Any]:
    return {
        "fields": [
            {"name": name, "kind": "number", "code": name.upper()[:32], "text": {"zh": zh, "en": en}}
            for name, (zh, en) in fields.items()
        ],
        "decimals": 4,
    }


def report_config(title: str, filename: str) -> dict[str, Any]:
    return {
        "content_type": "text/html",
        "filename": filename,
        "issued_on": "2026-10-20",
        "title": title,
        "link_minutes": 15,
    }


SMALL_BUSINESS = {"reason": "small_business", "percent": "20", "components": ["calls"]}
FEE = "平台建设、数据治理与持续更新的成本需由使用者分担；不收费则无法持续更新与保障质量。（演示文字）"
PRE_LOAN = {
    "insured_months": (60.0, 24.0, -0.9),
    "contribution_base": (7800.0, 2300.0, -0.6),
    "employees": (38.0, 14.0, -0.3),
    "late_payments": (1.5, 1.2, 0.8),
}
THRESHOLD = {
    "invoiced_revenue": (1500.0, 420.0, 1.1),
    "power_use": (82.0, 25.0, 0.5),
    "employees": (26.0, 9.0, 0.7),
    "growth": (8.0, 6.0, 0.6),
}
FROST = {
    "night_low": (4.0, 3.5, -1.3),
    "humidity": (70.0, 12.0, 0.3),
    "altitude": (320.0, 180.0, 0.6),
}

OFFERS = [
    Offer(
        code="sme-loan-score",
        operator="jiangshu",
        provider="social",
        resource="JZ-HRSS-001",
        type="model",
        name=("小微企业贷前信用评分", "Pre-loan score for small businesses"),
        summary=(
            "用社保缴纳字段评估小微企业的违约可能，附原因代码",
            "Default risk from social-insurance fields, with reason codes",
        ),
        description=(
            "以单位参保月数、缴费基数、参保人数与迟缴次数为输入，输出违约概率与每个字段的贡献。原始数据不出域，只返回评分。",
            "Takes months insured, contribution base, head count and late payments; answers a probability of default and what each "
            "field contributed. The raw data never leaves its domain.",
        ),
        purposes=("industry.finance.pre_loan", "industry.finance.in_loan"),
        scenarios=("small-business-lending",),
        config=model_config(
            insured_months=("参保月数", "Months insured"),
            contribution_base=("缴费基数（元）", "Contribution base (yuan)"),
            employees=("参保人数", "People insured"),
            late_payments=("近一年迟缴次数", "Late payments in a year"),
        ),
        make=lambda: data.score_model(seed=11, fields=PRE_LOAN),
        sample={"insured_months": 48, "contribution_base": 6500, "employees": 21, "late_payments": 2},
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "0.50"}, {"basis": "periods", "period": "year", "cap": "12000.00"}]},
        plans={
            "tiered": Plan(
                name=("阶梯计费", "Tiered"),
                components=[calls(("10000", "0.50"), ("100000", "0.30"), (None, "0.10")), facility("1.20")],
            ),
            "two-part": Plan(
                name=("两部制（年费＋按次）", "Two-part: yearly fee and per call"),
                components=[base_fee("12000.00", "year"), per_call("0.20")],
            ),
        },
        discounts=({"reason": "key_scenario", "percent": "30", "components": ["calls"]}, SMALL_BUSINESS),
    ),
    Offer(
        code="enterprise-check",
        operator="jiangshu",
        provider="markets",
        resource="JZ-AMR-001",
        type="verification",
        name=("企业登记信息核验", "Enterprise verification"),
        summary=(
            "核对企业类型、状态与行业是否与登记一致，只答是否",
            "Checks type, state and trade against the register; never a value",
        ),
        description=(
            "提交统一社会信用代码与待核字段，逐项返回一致、不一致或无记录，不返回任何登记值。",
            "Send a credit code and claims; each is answered match, mismatch or not found. No registered value is returned.",
        ),
        purposes=("industry.finance", "industry.trade", "governance.supervision"),
        scenarios=("enterprise-verification", "supply-chain-finance", "market-supervision"),
        config=verification_config("统一社会信用代码", tells_absence=True, kind="企业类型", state="登记状态", trade="行业"),
        make=lambda: data.table_csv(
            seed=12,
            subject_prefix="913302MA2T",
            rows=4000,
            fields={
                "kind": ("有限责任公司", "股份有限公司", "个人独资企业"),
                "state": ("存续", "存续", "存续", "注销"),
                "trade": ("制造业", "批发和零售业", "软件和信息技术服务业", "交通运输业"),
            },
        ),
        sample={"subject": "913302MA2T000017", "claims": {"kind": "股份有限公司", "state": "存续"}},
        frequency="daily",
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "0.30"}]},
        plans={"per-call": Plan(name=("按次", "Per call"), components=[per_call("0.25")])},
    ),
    Offer(
        code="threshold-firms",
        operator="jiangshu",
        provider="markets",
        resource="JZ-AMR-002",
        type="model",
        name=("四上企业挖掘模型", "Firms near the reporting threshold"),
        summary=(
            "找出即将达到规上标准的企业，供统计部门免费使用",
            "Finds firms about to cross the statistical threshold; free for statistics",
        ),
        description=(
            "以开票收入、用电量、参保人数和增速估计企业一年内跨过规模以上标准的可能。仅用于公共治理，无偿使用。",
            "Estimates from invoices, power use, head count and growth whether a firm will cross the threshold within a year. "
            "For public governance only, free of charge.",
        ),
        purposes=("governance.statistics",),
        scenarios=("threshold-firms", "economic-monitoring"),
        config=model_config(
            invoiced_revenue=("开票收入（万元）", "Invoiced revenue (10 000 yuan)"),
            power_use=("用电量（兆瓦时）", "Power use (MWh)"),
            employees=("参保人数", "People insured"),
            growth=("收入增速（%）", "Revenue growth (%)"),
        ),
        make=lambda: data.score_model(seed=13, fields=THRESHOLD),
        sample={"invoiced_revenue": 1830, "power_use": 96, "employees": 33, "growth": 12.5},
        regime="free",
    ),
    Offer(
        code="employment-index",
        operator="jiangshu",
        provider="social",
        resource="JZ-HRSS-002",
        type="index",
        name=("用工景气指数", "Employment climate index"),
        summary=("由参保增减合成的周度用工指数，含修订版次", "A weekly index of employment with its vintages"),
        description=(
            "每周一期，初值十日后发布，四十日后修订；可按日期、区间和当时已知版次查询。",
            "Weekly; first estimate after ten days, revised after forty; ask by date, range, or as known on a day.",
        ),
        purposes=("industry.finance", "sector.consulting", "governance.planning"),
        scenarios=("economic-monitoring", "price-analysis"),
        config=index_config("点", all="全市", manufacturing="制造业"),
        make=lambda: data.index_csv(
            seed=14, series={"all": (100, 6), "manufacturing": (98, 9)}, first=SERIES_FIRST, last=SERIES_LAST, step_days=7
        ),
        sample={"ask": "latest", "series": "all"},
        frequency="weekly",
        necessity=FEE,
        caps={
            "industry": [{"basis": "calls", "cap": "2.00"}, {"basis": "periods", "period": "month", "cap": "600.00"}],
            "sector": [{"basis": "calls", "cap": "2.00"}, {"basis": "periods", "period": "month", "cap": "600.00"}],
        },
        plans={
            "monthly": Plan(
                name=("包月", "Monthly"),
                components=[base_fee("480.00", "month"), {**per_call("1.50"), "included": "200"}],
            )
        },
    ),
    Offer(
        code="port-climate-index",
        operator="haiwan",
        provider="harbour",
        resource="JZ-PORT-001",
        type="index",
        name=("港航物流景气指数", "Port-logistics index"),
        summary=("船舶在港、箱量与疏港速度合成的日度指数", "A daily index of ships in port, boxes and clearance speed"),
        description=(
            "每日更新，分吞吐、候泊与疏港三个序列，供货代、船公司与金融机构安排运力与授信。",
            "Daily, in three series: throughput, waiting and clearance; for forwarders, carriers and lenders.",
        ),
        purposes=("industry.logistics", "industry.finance", "sector.transport", "governance.emergency"),
        scenarios=("port-logistics", "freight-planning", "supply-chain-finance"),
        config=index_config("点", throughput="吞吐", waiting="候泊", clearance="疏港"),
        make=lambda: data.index_csv(
            seed=21,
            series={"throughput": (105, 8), "waiting": (92, 14), "clearance": (101, 7)},
            first=date(2026, 1, 1),
            last=SERIES_LAST,
            step_days=1,
        ),
        sample={"ask": "date", "series": "waiting", "date": "2026-03-02"},
        frequency="daily",
        necessity=FEE,
        caps={
            "industry": [{"basis": "calls", "cap": "1.00"}, {"basis": "periods", "period": "month", "cap": "800.00"}],
            "sector": [{"basis": "calls", "cap": "1.00"}, {"basis": "periods", "period": "month", "cap": "800.00"}],
        },
        plans={
            "monthly": Plan(
                name=("包月＋按次", "Monthly and per call"),
                components=[base_fee("600.00", "month"), calls(("2000", "0.80"), (None, "0.50"))],
            ),
            "per-call": Plan(name=("按次", "Per call"), components=[per_call("1.00")]),
        },
    ),
    Offer(
        code="vessel-check",
        operator="haiwan",
        provider="harbour",
        resource="JZ-PORT-002",
        type="verification",
        name=("船舶靠泊核验", "Vessel berthing check"),
        summary=("核对船舶是否按申报靠泊、装卸与离港", "Checks whether a ship berthed, worked and left as declared"),
        description=(
            "按航次编号核对码头、货类与离港状态，只答一致与否。",
            "By voyage: berth, cargo and departure, answered match or mismatch only.",
        ),
        purposes=("industry.insurance", "industry.logistics", "industry.finance"),
        scenarios=("port-logistics", "insurance-underwriting", "supply-chain-finance"),
        config=verification_config("航次编号", tells_absence=True, berth="码头", cargo="货类", left="离港状态"),
        make=lambda: data.table_csv(
            seed=22,
            subject_prefix="JZV26",
            rows=2500,
            fields={
                "berth": ("一号码头", "二号码头", "三号码头"),
                "cargo": ("集装箱", "散货", "液货"),
                "left": ("已离港", "在港"),
            },
        ),
        sample={"subject": "JZV26000042", "claims": {"berth": "一号码头", "cargo": "集装箱"}},
        frequency="daily",
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "0.80"}]},
        plans={
            "package": Plan(
                name=("次数包（每 100 次）", "Packages of 100 calls"),
                components=[
                    {
                        "code": "calls",
                        "label": "技术服务费",
                        "basis": "calls",
                        "model": "package",
                        "package_size": "100",
                        "package_price": "70.00",
                    }
                ],
            )
        },
    ),
    Offer(
        code="port-monthly-report",
        operator="haiwan",
        provider="harbour",
        resource="JZ-PORT-001",
        type="report",
        name=("港口运行月报", "Monthly report on the port"),
        summary=("每月一份的港口运行分析，签名链接交付", "A monthly analysis of the port, delivered by signed link"),
        description=(
            "含吞吐、结构、候泊与同比，每次下载计一份。",
            "Throughput, mix, waiting and change on a year; each delivery counts once.",
        ),
        purposes=("industry.logistics", "sector.consulting"),
        scenarios=("port-logistics", "freight-planning"),
        config=report_config("港口运行月报（2026年9月）", "port-report-2026-09.html"),
        make=lambda: data.report_html(
            title="港口运行月报（2026年9月）",
            issued=date(2026, 10, 20),
            rows=[("货物吞吐量", "1 932 万吨"), ("集装箱", "104.6 万标箱"), ("平均候泊", "6.8 小时"), ("疏港周转", "2.3 天")],
        ),
        sample={},
        necessity=FEE,
        caps={
            "industry": [{"basis": "products", "cap": "500.00"}],
            "sector": [{"basis": "products", "cap": "500.00"}],
        },
        plans={"copy": Plan(name=("按份", "Per copy"), components=[per_report("380.00")])},
    ),
    Offer(
        code="hospital-load-index",
        operator="yunling",
        provider="health",
        resource="JZ-HEALTH-001",
        type="index",
        name=("医疗资源负荷指数", "Hospital load index"),
        summary=("门诊、住院与急救负荷的日度指数", "A daily index of out-patient, in-patient and emergency load"),
        description=(
            "供公共卫生研判与公益救助调度无偿使用；保险等产业用途按政府指导价收费。",
            "Free for public health and relief; insurance and other industrial uses pay the guided price.",
        ),
        purposes=("welfare.health", "welfare.relief", "governance.emergency", "industry.insurance"),
        scenarios=("disease-prevention", "emergency-response", "insurance-underwriting"),
        config=index_config("点", outpatient="门诊", inpatient="住院", emergency="急救"),
        make=lambda: data.index_csv(
            seed=31,
            series={"outpatient": (100, 11), "inpatient": (97, 5), "emergency": (103, 13)},
            first=date(2026, 1, 1),
            last=SERIES_LAST,
            step_days=1,
        ),
        sample={"ask": "latest", "series": "emergency"},
        frequency="daily",
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "1.20"}]},
        plans={"per-call": Plan(name=("按次", "Per call"), components=[calls(("5000", "1.20"), (None, "0.90"))])},
    ),
    Offer(
        code="insured-check",
        operator="yunling",
        provider="health",
        resource="JZ-HEALTH-002",
        type="verification",
        name=("参保状态核验", "Insurance status check"),
        summary=("经本人同意核对参保地与参保状态", "Checks place and state of insurance, with consent"),
        description=(
            "个人授权后方可核验，逐项返回一致与否。",
            "Only with the person's consent; each claim is answered match or mismatch.",
        ),
        purposes=("industry.insurance", "welfare.relief"),
        scenarios=("insurance-underwriting", "student-aid", "elderly-care"),
        config=verification_config("受核验人编号", place="参保地", state="参保状态"),
        make=lambda: data.table_csv(
            seed=32,
            subject_prefix="JZP",
            rows=3000,
            fields={"place": ("江州市区", "江州北县", "江州南县"), "state": ("正常参保", "暂停参保")},
        ),
        sample={"subject": "JZP000101", "claims": {"state": "正常参保"}},
        frequency="daily",
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "0.60"}]},
        plans={"per-call": Plan(name=("按次", "Per call"), components=[per_call("0.55")])},
    ),
    Offer(
        code="elderly-care-report",
        operator="yunling",
        provider="health",
        resource="JZ-HEALTH-001",
        type="report",
        name=("养老服务需求报告", "Report on demand for elderly care"),
        summary=("街道级养老服务缺口分析，供公益组织无偿使用", "Gaps in elderly care by district; free for public welfare"),
        description=("每季一份，含人数区间、服务缺口与建议。", "Quarterly: numbers in ranges, gaps, proposals."),
        purposes=("welfare.relief", "welfare.health", "governance.planning"),
        scenarios=("elderly-care",),
        config=report_config("养老服务需求报告（2026年三季度）", "elderly-care-2026-q3.html"),
        make=lambda: data.report_html(
            title="养老服务需求报告（2026年三季度）",
            issued=date(2026, 10, 20),
            rows=[("助餐缺口", "约 1 200 人次／日"), ("上门护理缺口", "约 340 人次／日"), ("适老化改造", "约 610 户")],
        ),
        sample={},
        regime="free",
        frequency="quarterly",
    ),
    Offer(
        code="frost-risk",
        operator="qinghe",
        provider="weather",
        resource="JZ-WEATHER-001",
        type="model",
        name=("农业霜冻风险模型", "Frost risk for farming"),
        summary=("按地块估计次日霜冻可能，附影响因素", "Chance of frost on a plot next day, with its causes"),
        description=(
            "输入预报最低气温、湿度与海拔，输出霜冻概率与贡献。",
            "Takes forecast low, humidity and altitude; answers a probability.",
        ),
        purposes=("industry.agriculture", "industry.insurance", "welfare.relief"),
        scenarios=("weather-risk", "insurance-underwriting"),
        config=model_config(
            night_low=("夜间最低气温（℃）", "Night low (°C)"),
            humidity=("相对湿度（%）", "Humidity (%)"),
            altitude=("海拔（米）", "Altitude (m)"),
        ),
        make=lambda: data.score_model(seed=41, fields=FROST),
        sample={"night_low": 1.5, "humidity": 78, "altitude": 410},
        frequency="daily",
        necessity=FEE,
        caps={"industry": [{"basis": "calls", "cap": "0.20"}]},
        plans={"seasonal": Plan(name=("按次（预付）", "Per call, prepaid"), components=[per_call("0.18")], is_prepaid=True)},
    ),
    Offer(
        code="road-weather-index",
        operator="qinghe",
        provider="weather",
        resource="JZ-WEATHER-002",
        type="index",
        name=("公路气象通行指数", "Road weather index"),
        summary=("主要公路的能见度与路面通行日度指数", "A daily index of visibility and road surface"),
        description=("供物流调度与交通管理使用。", "For freight planning and traffic management."),
        purposes=("industry.logistics", "sector.transport", "governance.emergency"),
        scenarios=("freight-planning", "urban-mobility", "emergency-response"),
        config=index_config("点", visibility="能见度", surface="路面"),
        make=lambda: data.index_csv(
            seed=42,
            series={"visibility": (88, 12), "surface": (94, 8)},
            first=date(2026, 1, 1),
            last=SERIES_LAST,
            step_days=1,
        ),
        sample={"ask": "range", "series": "surface", "from": "2026-04-01", "to": "2026-04-07"},
        frequency="daily",
        necessity=FEE,
        caps={
            "industry": [{"basis": "calls", "cap": "0.40"}],
            "sector": [{"basis": "calls", "cap": "0.40"}],
        },
        plans={"per-call": Plan(name=("按次", "Per call"), components=[per_call("0.36")])},
    ),
    Offer(
        code="relief-need-index",
        operator="qinghe",
        provider="weather",
        resource="JZ-WEATHER-001",
        type="index",
        name=("灾害救助需求指数", "Disaster relief index"),
        summary=("乡镇级灾害影响与救助需求，供救助调度无偿使用", "Impact and need for relief by township; free for relief"),
        description=("暴雨、台风与寒潮期间逐日更新。", "Daily during storms, typhoons and cold waves."),
        purposes=("welfare.relief", "governance.emergency"),
        scenarios=("emergency-response", "weather-risk"),
        config=index_config("点", north="北部", south="南部"),
        make=lambda: data.index_csv(
            seed=43, series={"north": (20, 12), "south": (24, 15)}, first=date(2026, 1, 1), last=SERIES_LAST, step_days=1
        ),
        sample={"ask": "latest", "series": "north"},
        regime="free",
        frequency="daily",
    ),
]
