"""The words of a cost ledger file: headings, natures and the like in Chinese and English, and how they are recognised.

A file speaks one language whatever the reader's page does, so these are its own words, not translations of the site's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from pricing.costs.rules import PUBLIC_DATA, SHARED

COLUMNS = {  # in the order of the template
    "item": ("成本项目", "Item"),
    "nature": ("成本性质", "Nature"),
    "business_line": ("业务线", "Business line"),
    "funding": ("资金来源", "Funding source"),
    "year": ("会计年度", "Year"),
    "amount": ("金额（元）", "Amount (yuan)"),
    "allocation": ("分摊规则", "Allocation rule"),
    "voucher": ("凭证", "Evidence"),
}
NATURES = {
    "platform": ("平台建设", "Platform building"),
    "operation": ("运维", "Operation and maintenance"),
    "acquisition": ("获取", "Acquisition"),
    "transmission": ("传输", "Transmission"),
    "aggregation": ("汇聚", "Aggregation"),
    "storage": ("存储", "Storage"),
    "governance": ("治理", "Data governance"),
    "staff": ("人力", "Staff"),
    "taxes": ("税费", "Taxes and fees"),
    "fine": ("罚款滞纳金", "Fine or late fee"),
    "donation": ("捐赠赞助", "Donation or sponsorship"),
    "other": ("其他", "Other"),
}
FUNDINGS = {
    "own": ("自有资金", "Own funds"),
    "fiscal": ("财政或其他专项资金", "Fiscal or other special funds"),
    "user": ("用户付费", "Paid by users"),
}
LINES = {PUBLIC_DATA: ("公共数据运营", "Public data operation"), SHARED: ("共享（按规则分摊）", "Shared (by a rule)")}
MORE = {
    "nature": {
        "平台": "platform",
        "平台建设运维": "platform",
        "数据治理": "governance",
        "人工": "staff",
        "罚款": "fine",
        "捐赠": "donation",
    },
    "funding": {"自筹": "own", "自有": "own", "财政资金": "fiscal", "财政": "fiscal", "专项资金": "fiscal"},
    "business_line": {"共享": SHARED, "公共数据": PUBLIC_DATA},
    "amount": {"金额": "amount", "金额(元)": "amount", "amount": "amount"},
}
EXAMPLE = ("【示例】", "[example]")


def plain(text: str) -> str:
    """The text for comparing: full-width forms made narrow, spaces gone, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def _index(words: Mapping[str, tuple[str, str]], more: Mapping[str, str]) -> dict[str, str]:
    found = {plain(word): code for code, pair in words.items() for word in (code, *pair)}
    return found | {plain(word): code for word, code in more.items()}


HEADINGS = _index(COLUMNS, MORE["amount"])
NATURE_OF = _index(NATURES, MORE["nature"])
FUNDING_OF = _index(FUNDINGS, MORE["funding"])
LINE_OF = _index(LINES, MORE["business_line"])


def is_example(item: str) -> bool:
    """Whether a row is one of the template's examples, which are never read as costs."""
    return item.strip().startswith(EXAMPLE)
