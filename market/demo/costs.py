"""Jiangshu's costs of 2025, made up: filed, returned once, filed again, two rows overruled, audited in April 2026."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from market.demo.founding import Cast
from market.demo.trade import at
from pricing.costs.models import CostFiling
from pricing.costs.services import (
    allocation_rule_make,
    cost_audit,
    cost_file,
    cost_item_overrule,
    cost_ledger_keep,
    cost_return,
)
from pricing.costs.sheets import SHEET
from pricing.costs.words import COLUMNS
from products.registry.models import Authorisation

YEAR = 2025
HOURS = [("public_data", "46.5"), ("public_data.sme-loan-score", "12.25"), ("政务信息化集成", "33.75"), ("数据咨询", "7.5")]
SPACE = [("public_data", "41.666667"), ("政务信息化集成", "45.833333"), ("数据咨询", "12.5")]
OURS, OTHER, SHARED = "公共数据运营", "政务信息化集成", "共享"
OWN, FISCAL, USERS = "自有资金", "财政或其他专项资金", "用户付费"
# item, nature, business line, funding, yuan, allocation rule, evidence
ROWS: list[tuple[str, str, str, str, str, str, str]] = [
    ("数据运营平台软件摊销（自建）", "平台建设", OURS, OWN, "312000.00", "", "无形资产卡片 W-003"),
    ("政务云机房与服务器折旧（市财政项目）", "平台建设", OURS, FISCAL, "486000.00", "", "固定资产卡片 G-001 至 G-027"),
    ("隐私计算一体机折旧", "平台建设", OURS, OWN, "168000.00", "", "固定资产卡片 G-031"),
    ("平台等保三级整改", "平台建设", OURS, OWN, "74800.00", "", "合同 JS-2025-011"),
    ("平台运维服务", "运维", OURS, OWN, "186500.00", "", "合同 JS-2025-004"),
    ("等保测评与渗透测试", "运维", OURS, OWN, "58000.00", "", "合同 JS-2025-016"),
    ("数据库与中间件许可续费", "运维", OURS, OWN, "92600.00", "", "发票 20254418"),
    ("机房电费", "运维", SHARED, OWN, "143280.66", "floor-space", "电费结算单 2025"),
    ("社保数据接口改造", "获取", OURS, OWN, "66000.00", "", "合同 JS-2025-008"),
    ("企业登记数据核对服务", "获取", "public_data.enterprise-check", OWN, "48200.00", "", "合同 JS-2025-013"),
    ("电子政务外网专线", "传输", OURS, OWN, "60000.00", "", "合同 JS-2024-022"),
    ("商密网关租用", "传输", OURS, OWN, "39600.00", "", "合同 JS-2025-002"),
    ("跨域汇聚任务调度", "汇聚", OURS, OWN, "45000.00", "", "合同 JS-2025-009"),
    ("云存储资源", "存储", OURS, OWN, "118400.00", "", "云资源账单 2025"),
    ("备份一体机折旧", "存储", OURS, OWN, "36000.00", "", "固定资产卡片 G-033"),
    ("数据质量稽核与标准化", "治理", OURS, OWN, "157000.00", "", "合同 JS-2025-006"),
    ("主题库治理（省级专项资金）", "治理", OURS, FISCAL, "240000.00", "", "专项资金下达文件 2025-17"),
    ("就业指数样本校准", "治理", "public_data.employment-index", OWN, "52500.00", "", "合同 JS-2025-014"),
    ("数据团队薪酬", "人力", SHARED, OWN, "864000.00", "staff-hours", "工资汇总表 2025"),
    ("数据团队社会保险与公积金", "人力", SHARED, OWN, "246240.00", "staff-hours", "社保公积金汇总 2025"),
    ("模型工程师薪酬（贷前评分）", "人力", "public_data.sme-loan-score", OWN, "182000.00", "", "工资汇总表 2025"),
    ("职工培训", "人力", SHARED, OWN, "18400.00", "staff-hours", "培训记录 2025"),
    ("办公场所租金", "其他", SHARED, OWN, "216000.00", "floor-space", "租赁合同 2024-01"),
    ("法律与审计服务", "其他", OURS, OWN, "64000.00", "", "合同 JS-2025-018"),
    ("差旅", "其他", OURS, OWN, "27350.40", "", "差旅明细表 2025"),
    ("客户定制报表（客户另行付费）", "其他", OURS, USERS, "38000.00", "", "合同 JS-2025-020"),
    ("印花税", "税费", OURS, OWN, "3124.50", "", "完税证明 2025"),
    ("企业所得税", "税费", OURS, OWN, "41870.00", "", "汇算清缴表 2025"),
    ("税收滞纳金", "罚款滞纳金", OURS, OWN, "1260.00", "", "缴款书 20250713"),
    ("赞助数据创新大赛", "捐赠赞助", OURS, OWN, "50000.00", "", "协议 JS-2025-Z01"),
    ("智慧园区集成项目人工", "人力", OTHER, OWN, "386000.00", "", "项目工时表 2025"),
]
FIRST_TIME = {"数据运营平台软件摊销（自建）": "412000.00"}  # what the first version said, and the regulator asked about
OVERRULED = {  # yuan that count instead, and why
    "差旅": ("19350.40", "其中 8000.00 元为集成项目投标差旅，与授权运营无关"),
    "平台等保三级整改": ("37400.00", "属两年受益的改造支出，按两年摊销"),
}


def file_costs(
    told: Cast,
    *,
    ruled: datetime | None = None,
    filed: datetime | None = None,
    returned: datetime | None = None,
    filed_again: datetime | None = None,
    audited: datetime | None = None,
    times: Decimal = Decimal(1),
) -> CostFiling:
    """The whole story at its moments (spring 2026 where none are given); ``times`` scales every amount. Returns the audited filing."""
    operator, regulator = told.people["operator"], told.people["regulator"]
    authorisation = Authorisation.objects.get(operator=told.bodies["jiangshu"])
    make_rules(told, ruled or at("2026-03-02", "14:00"))
    named: dict[str, Any] = {"authorisation": authorisation, "year": YEAR, "user": operator}
    first = _file(named, ledger(times, FIRST_TIME), "江数2025年度成本台账.xlsx", filed or at("2026-03-16", "10:20"))
    reason = "“数据运营平台软件摊销”与无形资产卡片 W-003 的年摊销额不符，请核对后重新报送。"
    cost_return(filing=first, reason=reason, user=regulator, at=returned or at("2026-03-25", "15:40"))
    second = _file(named, ledger(times, {}), "江数2025年度成本台账（更正）.xlsx", filed_again or at("2026-04-08", "09:30"))
    closed = audited or at("2026-04-22", "16:10")
    for item in second.items.filter(item__in=OVERRULED):
        yuan, why = OVERRULED[item.item]
        cost_item_overrule(item=item, amount_minor=_minor(yuan, times), reason=why, user=regulator, at=closed)
    return cost_audit(filing=second, reason="凭证抽查无误，两行已调整，其余按规则核定。", user=regulator, at=closed)


def make_rules(told: Cast, moment: datetime) -> None:
    rules = [
        ("staff-hours", "按工时分摊", "工时", HOURS, "2025 年考勤与项目工时系统汇总"),
        ("floor-space", "按面积分摊", "机房与办公面积", SPACE, "2025 年场地台账：250、275、75 平方米，共 600 平方米"),
    ]
    for code, name, driver, parts, reason in rules:
        allocation_rule_make(
            operator=told.bodies["jiangshu"],
            code=code,
            name=name,
            driver=driver,
            parts=[{"business_line": line, "percent": percent} for line, percent in parts],
            reason=f"{reason}（演示）",
            user=told.people["operator"],
            at=moment,
        )


def _file(named: dict[str, Any], content: bytes, file_name: str, moment: datetime) -> CostFiling:
    kept = cost_ledger_keep(**named, file_name=file_name, content=content, at=moment)
    return cost_file(**named, file=kept, statement="各项成本单独核算，凭证存档于财务部（演示）。", at=moment)


def _minor(yuan: str, times: Decimal) -> int:
    return int((Decimal(yuan) * times).quantize(Decimal("0.01")).scaleb(2))


def ledger(
    times: Decimal = Decimal(1), changed: dict[str, str] | None = None, only: Callable[[str], bool] = lambda line: True
) -> bytes:
    """The ledger as an Excel file in the form of the template; ``only`` chooses rows by their business line."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(SHEET)
        sheet.write_row(0, 0, [chinese for chinese, _english in COLUMNS.values()])
        kept = [row for row in ROWS if only(row[2])]
        for number, (item, nature, line, funding, yuan, rule, evidence) in enumerate(kept, start=1):
            amount = Decimal(_minor((changed or {}).get(item, yuan), times)).scaleb(-2)
            for place, value in enumerate([item, nature, line, funding, YEAR, amount, rule, evidence]):
                if value != "":
                    sheet.write(number, place, value)
    return content.getvalue()
