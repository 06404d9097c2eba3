"""What every installation starts with: purposes, scenarios, the national rule set, and the working days that are published.

Loaded by a data migration; ``load`` adds what is missing and never changes a row that is there, so it can run again.
Confidence of the rules is noted in the parameters' source; what is uncertain is a dated parameter, not a constant.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

PURPOSES = [
    ("governance", "公共治理", "Public governance"),
    ("governance.statistics", "统计调查", "Statistics"),
    ("governance.supervision", "监管执法", "Supervision and enforcement"),
    ("governance.emergency", "应急管理", "Emergency management"),
    ("governance.planning", "规划与决策", "Planning and decisions"),
    ("governance.services", "政务服务", "Government services"),
    ("welfare", "公益事业", "Public welfare"),
    ("welfare.health", "公共卫生", "Public health"),
    ("welfare.education", "教育助学", "Education"),
    ("welfare.relief", "救助帮扶", "Relief and support"),
    ("welfare.research", "公益研究", "Research for the public good"),
    ("welfare.environment", "生态环境", "Environment"),
    ("industry", "产业发展", "Industrial development"),
    ("industry.finance", "金融服务", "Finance"),
    ("industry.finance.pre_loan", "贷前审查", "Before lending"),
    ("industry.finance.in_loan", "贷中管理", "While lending"),
    ("industry.finance.post_loan", "贷后管理", "After lending"),
    ("industry.insurance", "保险服务", "Insurance"),
    ("industry.insurance.underwriting", "承保核保", "Underwriting"),
    ("industry.insurance.claims", "理赔", "Claims"),
    ("industry.logistics", "物流运输", "Logistics"),
    ("industry.trade", "商贸流通", "Trade"),
    ("industry.manufacturing", "生产制造", "Manufacturing"),
    ("industry.agriculture", "农业生产", "Agriculture"),
    ("industry.real_estate", "房产交易", "Real estate"),
    ("industry.energy", "能源管理", "Energy"),
    ("sector", "行业发展", "Sector development"),
    ("sector.weather", "气象服务", "Weather services"),
    ("sector.transport", "交通运输", "Transport"),
    ("sector.consulting", "行业研究与咨询", "Sector research and consulting"),
    ("sector.data_services", "数据商再开发", "Further development by data merchants"),
    ("sector.tourism", "文化旅游", "Culture and tourism"),
]
SCENARIOS = [
    ("small-business-lending", "小微企业信贷", "Small-business lending", "经济发展"),
    ("consumer-credit", "惠民信用贷", "Consumer credit", "经济发展"),
    ("supply-chain-finance", "供应链金融", "Supply-chain finance", "经济发展"),
    ("enterprise-verification", "企业信息核验", "Enterprise verification", "经济发展"),
    ("insurance-underwriting", "保险核保", "Insurance underwriting", "经济发展"),
    ("port-logistics", "港航物流", "Port logistics", "经济发展"),
    ("freight-planning", "货运规划", "Freight planning", "经济发展"),
    ("threshold-firms", "四上企业挖掘", "Finding firms near the reporting threshold", "基层治理"),
    ("economic-monitoring", "经济运行监测", "Economic monitoring", "基层治理"),
    ("market-supervision", "市场监管", "Market supervision", "基层治理"),
    ("emergency-response", "应急处置", "Emergency response", "基层治理"),
    ("one-stop-services", "一网通办", "One-stop services", "政务服务"),
    ("student-aid", "助学帮困", "Student aid", "公共服务"),
    ("disease-prevention", "疾病防控", "Disease prevention", "公共服务"),
    ("elderly-care", "养老服务", "Care for the elderly", "公共服务"),
    ("environment-protection", "生态保护", "Environmental protection", "公共服务"),
    ("weather-risk", "气象风险", "Weather risk", "公共服务"),
    ("urban-mobility", "城市出行", "Urban mobility", "公共服务"),
    ("energy-efficiency", "节能增效", "Energy efficiency", "经济发展"),
    ("price-analysis", "价格分析", "Price analysis", "经济发展"),
]
NATIONAL_SOURCE = "发改价格〔2025〕65号、发改数据规〔2025〕26号、27号；未明处为本平台默认值"
NATIONAL_PARAMETERS = {
    "profit_base": "OPERATING_COST",
    "profit_spread_max": "0.06",
    "y10_year": "AVERAGE_OF_YEAR_BEFORE",
    "cycle_months": 36,
    "under_recovery_carry": False,
    "over_recovery_interest": "0",
    "capacity_floor": "0.65",
    "vat_rate": "0.06",
    "pricing_delegated_to_city": False,
    "authorisation_max_years": 5,
    "registration_validity_years": 3,
    "registration_renewal_window_days": 60,
    "registration_first_working_days": 20,
    "registration_acceptance_working_days": 3,
    "registration_review_working_days": 20,
    "registration_publicity_working_days": 10,
    "product_registration_mandatory": False,
    "disclosure_deadline": "03-31",
    "tariff_return_working_days": 5,
    "tariff_rise_notice_days": 30,
    "cap_report_working_days": 10,
    "grant_decision_working_days": 10,
    "objection_acceptance_working_days": 5,
    "objection_answer_working_days": 15,
    "income_tax_rate": "0.25",
    "cost_audit_working_days": 20,
    "revenue_opinion_working_days": 10,
    "revenue_determination_working_days": 40,
    "revenue_warning_percents": [90, 100],
    "trial_to_formal_working_days": 60,
    "operation_report_deadline": "03-31",
    "equal_treatment_answer_working_days": 10,
    "supply_refusal_review_working_days": 10,
    "out_of_purpose_refusals": 3,
    "out_of_purpose_span_days": 30,
    "risk_case_working_days": 5,
    "join_review_working_days": 10,
    "minimum_cell": 10,
    "capacity_share_free": "0.6",
    "capacity_share_paid": "0.8",
    "organisation_calls_per_minute": 6_000_000,
    "closing_grace_days": 3,
    "invoice_due_days": 30,
    "network_log_months": 12,
    "usage_months_in_database": 25,
}
ZHEJIANG_2023_SOURCE = "浙政办发〔2023〕44号（期限3年未核对原文）"
HAINAN_SOURCE = "海南省公共数据资源登记管理规定：产品全量登记（文号、施行日期未核对原文）"
RULE_SETS = [
    ("CN", "全国规则", "National rules", NATIONAL_SOURCE, date(2025, 1, 20), None, NATIONAL_PARAMETERS),
    (
        "330000",
        "浙江试行规则（2023）",
        "Zhejiang trial rules (2023)",
        ZHEJIANG_2023_SOURCE,
        date(2023, 9, 1),
        date(2025, 9, 1),
        {"authorisation_max_years": 3},
    ),
    (
        "330000",
        "浙江省公共数据资源授权运营管理办法（2025）",
        "Zhejiang measures on authorised operation (2025)",
        "《浙江省公共数据资源授权运营管理办法》，2025年9月1日起施行，取代2023年试行规则（期限未核对原文，从全国规则）",
        date(2025, 9, 1),
        None,
        {"authorisation_max_years": 5},
    ),
    (
        "460000",
        "海南登记规则",
        "Hainan registration rules",
        HAINAN_SOURCE,
        date(2025, 3, 1),
        None,
        {"product_registration_mandatory": True},
    ),
]
CALENDAR_YEARS = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}


def load(apps: Apps = installed_apps) -> None:
    """Add the missing rows; ``apps`` is the model registry of a migration, or today's."""
    purpose, scenario = apps.get_model("products", "Purpose"), apps.get_model("products", "Scenario")
    purpose.objects.bulk_create(
        [purpose(code=code, purpose_class=code.split(".")[0], name=name, name_en=en) for code, name, en in PURPOSES],
        ignore_conflicts=True,
    )
    scenario.objects.bulk_create(
        [scenario(code=code, name=name, name_en=en, domain=domain) for code, name, en, domain in SCENARIOS],
        ignore_conflicts=True,
    )
    load_rule_sets(apps)
    for year, source in CALENDAR_YEARS.items():
        load_calendar_year(apps, year, source)


def load_rule_sets(apps: Apps) -> None:
    """Add the versions that are missing, by place and first day; where another version is in force then, that one stays."""
    rule_set = apps.get_model("products", "RuleSet")
    for jurisdiction, name, name_en, source, starts, ends, parameters in RULE_SETS:
        period = DateRange(starts, ends)
        if not rule_set.objects.filter(jurisdiction=jurisdiction, period__overlap=period).exists():
            rule_set.objects.create(
                jurisdiction=jurisdiction, name=name, name_en=name_en, source=source, period=period, parameters=parameters
            )


def extend_rule_sets(apps: Apps) -> None:
    """Give the nation's rules the parameters that this version of the software adds; a value that is there is never changed.

    The only door past the trigger that keeps rule sets, and it lets in nothing but new names.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL gongshu.extending_rule_sets = 'on'")
    for rule_set in apps.get_model("products", "RuleSet").objects.filter(jurisdiction="CN"):
        rule_set.parameters = NATIONAL_PARAMETERS | rule_set.parameters
        rule_set.save(update_fields=["parameters"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL gongshu.extending_rule_sets = 'off'")


def load_calendar_year(apps: Apps, year: int, source: str) -> None:
    """A year of the package chinesecalendar: its holidays, and its working Saturdays and Sundays."""
    from chinese_calendar import Holiday
    from chinese_calendar.constants import holidays, workdays

    years, days = apps.get_model("products", "CalendarYear"), apps.get_model("products", "CalendarDay")
    if years.objects.filter(year=year).exists():
        return
    chinese = {holiday.value: holiday.chinese for holiday in Holiday}
    loaded = years.objects.create(year=year, source=source, loaded_at=datetime(year - 1, 11, 15, tzinfo=UTC))
    off = [
        days(day=day, year=loaded, is_working=False, name=chinese.get(name, ""))
        for day, name in holidays.items()
        if day.year == year
    ]
    work = [days(day=day, year=loaded, is_working=True, name="") for day in workdays if day.year == year]
    days.objects.bulk_create(off + work)
