"""Words of two characters in a catalogue of many products: the queries of a results page, word by word."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import product as pairs

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.scale import scaled
from bench.table import Figure
from market.storefront.catalogue import Wanted, find
from products.catalogue.importing import listings_import
from products.catalogue.listings import ForeignListing
from products.catalogue.models import DataProduct

AT = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)
PLACES = ("宁波", "杭州", "深圳", "成都", "武汉", "青岛", "厦门", "大连", "贵阳", "广州")
FIELDS = ("港口", "社保", "气象", "工商", "税务", "医疗", "物流", "电力", "交通", "房产", "水务", "农业")
KINDS = ("指数", "核验服务", "评分模型", "分析报告", "监测报告", "信用评价")
ROUNDS = 3


def run() -> list[Figure]:
    count = scaled(20_000)
    began = time.perf_counter()
    listings_import(rows=(_listing(number) for number in range(count)), file_name="made up", at=AT)
    imported = count / (time.perf_counter() - began)
    DataProduct.objects.update(state="listed")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    wanted = [Wanted(words=words) for words in (*PLACES, *FIELDS, *KINDS, *map("".join, pairs(PLACES[:3], FIELDS[:4])), "")]
    for each in wanted:
        find(each, 1)
    seconds = sorted(_timed(each) for _round in range(ROUNDS) for each in wanted)
    with CaptureQueriesContext(connection) as asked:
        find(wanted[0], 1)
    how = f"{count:,} listed products, {len(wanted)} words × {ROUNDS}, first page (budget: at 370,000)"
    return [
        Figure("catalogue search, p95", seconds[int(len(seconds) * 0.95)] * 1000, "ms", 50, is_at_least=False, note=how),
        Figure("catalogue search, queries", len(asked), "queries", 12, is_at_least=False, note="of the search alone"),
        Figure("`import_catalogue`", imported, "listings/s", note="pinyin, bigrams, bulk insert with the search index"),
    ]


def _listing(number: int) -> ForeignListing:
    place, field, kind = PLACES[number % 10], FIELDS[number // 10 % 12], KINDS[number // 120 % 6]
    return ForeignListing(
        line=number,
        platform="made up",
        title=f"{place}{field}{kind}{number}",
        provider=f"{place}公共数据运营公司{number % 40}",
        description=f"由{place}市{field}汇总数据加工的{kind}，按月更新，供企业与机构查询。编号{number}。" * 3,
        category=field,
        price_mode="usage-based",
        price=None,
        update_frequency="monthly",
    )


def _timed(wanted: Wanted) -> float:
    began = time.perf_counter()
    find(wanted, 1)
    return time.perf_counter() - began
