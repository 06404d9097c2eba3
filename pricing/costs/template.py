"""The Excel template of a cost ledger: headings, drop-downs, marked examples, instructions. And the same headings as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter

from pricing.costs.explain import DOCUMENT
from pricing.costs.rules import MOST_MINOR
from pricing.costs.sheets import MOST_ROWS, SHEET
from pricing.costs.words import COLUMNS, EXAMPLE, FUNDINGS, LINES, NATURES

LISTS, HELP = "选项", "填报说明"
WIDTHS = {"item": 40, "nature": 16, "business_line": 30, "funding": 22, "year": 10, "amount": 18, "allocation": 22, "voucher": 30}
EXAMPLES: list[tuple[str, str, str, str, str, str, str]] = [
    ("服务器折旧", "platform", "public_data", "own", "1200000.00", "", "记-2025-012-031"),
    ("政务云机房折旧（财政投资部分）", "platform", "public_data", "fiscal", "860000.00", "", "固定资产卡片 0007"),
    ("数据团队薪酬", "staff", "shared", "own", "2400000.00", "staff-hours", "工资汇总表 2025"),
]
HEAD_NOTES = {
    "item": "必填。写清是什么成本，最多 200 字。",
    "nature": "必填。从下拉列表选择。罚款滞纳金、捐赠赞助也要如实列出，系统不予计入。",
    "business_line": "必填。公共数据运营；可细到产品：public_data.产品代码；多条业务线共同发生的成本选“共享”；其他业务写其名称。",
    "funding": "必填。从下拉列表选择。财政或其他专项资金、用户付费的部分单独列行，系统不予计入。",
    "year": "必填。四位年度，与报送年度一致。",
    "amount": "必填。以元为单位的数字，大于 0，最多两位小数；不要写公式、单位或文字。",
    "allocation": "业务线为“共享”时必填：分摊规则代码（最新版本），或“代码 v2”指定版本；其他行留空。",
    "voucher": "必填。凭证号、合同号或附件名，能据以查到原始凭证。",
}


def workbook(*, operator: str, year: int, products: Sequence[tuple[str, str]], allocations: Sequence[tuple[str, str]]) -> bytes:
    """The template for an operator: ``products`` and ``allocations`` are (code, name) and fill the drop-downs."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet, help_sheet, lists = book.add_worksheet(SHEET), book.add_worksheet(HELP), book.add_worksheet(LISTS)
        ranges = _lists(book, lists, products, allocations)
        _ledger(book, sheet, year, ranges)
        _help(book, help_sheet, operator, year)
    return content.getvalue()


def _ledger(book: Any, sheet: Any, year: int, ranges: dict[str, str]) -> None:
    head = book.add_format({"bold": True, "bg_color": "#F0EFE9", "border": 1, "text_wrap": True, "valign": "top"})
    example = book.add_format({"italic": True, "font_color": "#5B6672"})
    formats = {"amount": book.add_format({"num_format": "#,##0.00"}), "year": book.add_format({"num_format": "0"})}
    text = book.add_format({"num_format": "@"})
    for place, (code, (name, _english)) in enumerate(COLUMNS.items()):
        sheet.write_string(0, place, name, head)
        sheet.write_comment(0, place, HEAD_NOTES[code], {"x_scale": 2})
        sheet.set_column(place, place, WIDTHS[code], formats.get(code, text))
        if code in ranges:
            strict = code in ("nature", "funding")
            rule = {"validate": "list", "source": ranges[code], "error_type": "stop" if strict else "information"}
            sheet.data_validation(
                1, place, MOST_ROWS, place, rule | {"error_title": name, "error_message": HEAD_NOTES[code][:255]}
            )
    places = list(COLUMNS)
    most = MOST_MINOR // 100
    bounds = {"validate": "decimal", "criteria": "between", "minimum": "0.01", "maximum": most}
    sheet.data_validation(
        1, places.index("amount"), MOST_ROWS, places.index("amount"), bounds | {"error_message": HEAD_NOTES["amount"]}
    )
    only = {"validate": "integer", "criteria": "==", "value": year, "error_message": f"本表报送 {year} 年度成本。"}
    sheet.data_validation(1, places.index("year"), MOST_ROWS, places.index("year"), only)
    for number, row in enumerate(example_rows(year), start=1):
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, place, value, example)
            else:
                sheet.write_number(number, place, value, example)
    sheet.freeze_panes(1, 1)


def example_rows(year: int) -> list[list[Any]]:
    """Rows that show how it is done; whatever begins with the mark is never read as a cost."""
    return [
        [
            f"{EXAMPLE[0]}{item}",
            NATURES[nature][0],
            LINES[line][0],
            FUNDINGS[funding][0],
            year,
            Decimal(amount),
            allocation,
            voucher,
        ]
        for item, nature, line, funding, amount, allocation, voucher in EXAMPLES
    ]


def _lists(book: Any, sheet: Any, products: Sequence[tuple[str, str]], allocations: Sequence[tuple[str, str]]) -> dict[str, str]:
    bold = book.add_format({"bold": True})
    columns = {
        "nature": [(chinese, english) for chinese, english in NATURES.values()],
        "business_line": [*LINES.values(), *((f"public_data.{code}", name) for code, name in products)],
        "funding": list(FUNDINGS.values()),
        "allocation": list(allocations),
    }
    ranges = {}
    for place, (code, rows) in enumerate(columns.items()):
        column = place * 2
        sheet.write_string(0, column, COLUMNS[code][0], bold)
        for number, (value, meaning) in enumerate(rows, start=1):
            sheet.write_string(number, column, value)
            sheet.write_string(number, column + 1, meaning)
        sheet.set_column(column, column + 1, 26)
        letter = chr(ord("A") + column)
        if rows:
            ranges[code] = f"='{LISTS}'!${letter}$2:${letter}${len(rows) + 1}"
    return ranges


def _help(book: Any, sheet: Any, operator: str, year: int) -> None:
    title, wrap = book.add_format({"bold": True, "font_size": 14}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 90, wrap)
    sheet.write_string(0, 0, f"{operator} {year} 年度成本台账填报说明", title)
    general = [
        (
            "填在哪里",
            f"只读取工作表“{SHEET}”，第一行为表头，请勿改动；最多 {MOST_ROWS} 行。以“{EXAMPLE[0]}”开头的行是示例，不读取。",
        ),
        ("不要做", "不要使用公式、合并单元格、宏；不要隐藏工作表；模板各列之外不要有内容。隐藏的行同样会被读取。"),
        ("哪些计入", f"依据 {DOCUMENT} 经营成本要点：合法、与授权运营相关、由运营机构自行承担的成本计入。"),
        (
            "哪些不计入",
            "罚款滞纳金；捐赠赞助；财政或其他专项资金、用户已经付费的部分；与授权运营无关的业务；企业所得税和增值税（前者在准许收入的税金中单列，后者为价外税）。均须如实列出，由系统按规则标明不计入及理由。",
        ),
        (
            "共同成本",
            "几条业务线共同发生的成本，业务线选“共享”，并填分摊规则。规则在网站“成本报送—分摊规则”中建立，各部分合计须恰为 100%；"
            "规则有版本，已报送的台账不受新版本影响。",
        ),
        (
            "报送之后",
            "任何一行有误，整个文件退回，并逐个单元格说明；全部无误方可报送。报送后台账不能修改；价格主管部门审核时可以附理由调整单行核定金额、退回更正或审定。",
        ),
    ]
    rows = [*general, *((COLUMNS[code][0], note) for code, note in HEAD_NOTES.items())]
    for number, (name, note) in enumerate(rows, start=2):
        sheet.write_string(number, 0, name, book.add_format({"bold": True, "valign": "top"}))
        sheet.write_string(number, 1, note, wrap)


def csv_template(*, year: int) -> bytes:
    """The headings and the examples, UTF-8 with a byte-order mark."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([chinese for chinese, _english in COLUMNS.values()])
    writer.writerows(example_rows(year))
    return text.getvalue().encode("utf-8-sig")
