"""The hedonic model on real prices a call of five Chinese data exchanges, cross-validated against the median of the category."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from django.conf import settings

from pricing.estimation.comparables import Item, Market, market
from tests.pricing.estimation.test_results import table

WORDS = (
    "查询",
    "核验",
    "验证",
    "评分",
    "标签",
    "指数",
    "报告",
    "API",
    "要素",
    "模型",
    "监测",
    "画像",
)  # of titles and first lines
PAGE = Path(settings.BASE_DIR) / "docs" / "pricing" / "estimation.md"


def items(folder: Path, *, are_providers_withheld: bool) -> list[Item]:
    with (folder / "data_products_cn.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["price_mode"] == "usage-based" and float(row["price"]) > 0]
    return [item_of(number, row, are_providers_withheld) for number, row in enumerate(rows)]


def item_of(number: int, row: dict[str, str], is_withheld: bool) -> Item:
    opening = row["title"] + row["description"][:80]
    kinds = {
        "platform": row["platform"],
        "category": row["category"],
        "class": row["category_aws"],
        "update": row["update_frequency"],
    }
    kinds |= {word: str(word in opening) for word in WORDS}
    kinds |= {} if is_withheld else {"provider": row["provider"]}
    fields = float(row["dimension"])
    numbers = {"length": math.log1p(len(row["description"])), "fields": math.log1p(fields) if fields else None}
    group = (row["provider"] or row["title"][:4]) if is_withheld else ""
    return Item(f"{number:04d}", float(row["price"]), kinds, numbers, group)


def row_of(found: Market) -> list[str]:
    errors = [f"× {math.exp(error):.1f}" for error in (found.error, found.error_of_median)]
    return [str(found.prices), found.method, f"{100 * found.coverage:.0f} %", *errors]


@pytest.mark.parametrize(("label", "is_withheld"), [("products withheld", False), ("whole providers withheld", True)])
def test_the_page_says_how_the_model_does_on_real_prices(folder, label: str, is_withheld: bool):
    found = market(items(folder, are_providers_withheld=is_withheld), alike=("category",))
    assert row_of(found) == table(PAGE, "real")[label]
