"""Ledger files and filings for the tests of costs."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import xlsxwriter

from pricing.costs.models import AllocationRule, CostFiling
from pricing.costs.services import allocation_rule_make, cost_file, cost_ledger_keep
from products.registry.models import Authorisation

HEAD = ["成本项目", "成本性质", "业务线", "资金来源", "会计年度", "金额（元）", "分摊规则", "凭证"]
OWN = ["服务器折旧", "平台建设", "公共数据运营", "自有资金", 2025, 1200000, "", "记-001"]
FISCAL = ["政务云机房折旧（财政投资）", "平台建设", "公共数据运营", "财政或其他专项资金", 2025, 3000000, "", "记-002"]
FINE = ["税收滞纳金", "罚款滞纳金", "公共数据运营", "自有资金", 2025, 20000, "", "记-003"]
DONATION = ["赞助创新大赛", "捐赠赞助", "公共数据运营", "自有资金", 2025, 50000, "", "记-004"]
SHARED = ["数据团队薪酬", "人力", "共享", "自有资金", 2025, 1000000.01, "staff-hours", "记-005"]
OTHER_LINE = ["集成项目人工", "人力", "系统集成", "自有资金", 2025, 400000, "", "记-006"]
PARTS = [{"business_line": "public_data", "percent": "62.5"}, {"business_line": "系统集成", "percent": "37.5"}]


def row(sample: list[Any], **changes: Any) -> list[Any]:
    names = ["item", "nature", "business_line", "funding", "year", "amount", "allocation", "voucher"]
    return [changes.get(name, value) for name, value in zip(names, sample, strict=True)]


def xlsx(*rows: list[Any], head: list[str] = HEAD, sheet: str = "成本台账") -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": True}) as book:
        page = book.add_worksheet(sheet)
        for number, values in enumerate([head, *rows]):
            page.write_row(number, 0, values)
    return content.getvalue()


def as_csv(*rows: list[Any], encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    return text.getvalue().encode(encoding)


def make_operation(cast, at, *, number: str = "江数授〔2024〕001号", operator=None, **changes: Any) -> Authorisation:
    """An operation that runs since 2024."""
    fields: dict[str, Any] = {
        "number": number,
        "title": "公共数据授权运营",
        "authorising_body": cast.authority.organisation,
        "operator": (operator or cast.operator).organisation,
        "mode": "field",
        "region": "330200",
        "from_date": date(2024, 11, 1),
        "to_date": date(2028, 12, 31),
        "state": "active",
        "created_at": at,
    }
    return Authorisation.objects.create(**(fields | changes))


def make_rule(cast, at, *, code: str = "staff-hours", parts: Any = PARTS) -> AllocationRule:
    named = {"name": "按工时", "driver": "工时", "reason": "考勤系统年度汇总"}
    return allocation_rule_make(
        operator=cast.operator.organisation, code=code, parts=parts, user=cast.operator.owner, at=at, **named
    )


def make_filing(cast, authorisation, at, *rows: list[Any], year: int = 2025, content: bytes | None = None) -> CostFiling:
    """A ledger filed by the operator's owner."""
    named: dict[str, Any] = {"authorisation": authorisation, "year": year, "user": cast.operator.owner, "at": at}
    file = cost_ledger_keep(file_name="台账.xlsx", content=content or xlsx(*rows), **named)
    return cost_file(file=file, **named)
