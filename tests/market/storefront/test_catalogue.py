"""Finding products: by two-character words, filters, pages; always with the same few queries."""

from __future__ import annotations

import pytest
from django.test import Client

from market.storefront import catalogue
from tests.factories.cast import Cast
from tests.factories.offers import USAGE_ONLY, make_offer, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(cast: Cast, clock):
    make_offer(cast, clock.now)
    make_offer(
        cast,
        clock.now,
        "port-index",
        name="港航物流景气指数",
        summary="港口吞吐。",
        type="index",
        purposes=["industry.logistics"],
    )
    make_product(cast, clock.now, "threshold-firms", name="四上企业挖掘", regime="free", purposes=["governance.statistics"])
    make_product(cast, clock.now, "hidden", name="港口内部草稿", state="draft")


def codes(**query: str) -> set[str]:
    return {product.code for product in catalogue.find(catalogue.Wanted.from_query(query), 1).products}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "港口"}, {"port-index"}),
        ({"q": "信用 评分"}, {"credit-pre-loan"}),
        ({"q": "ＰＯＲＴ 四上"}, set()),
        ({"q": "四上企业"}, {"threshold-firms"}),
        ({"q": "，。"}, set()),
        ({"type": "index"}, {"port-index"}),
        ({"regime": "free"}, {"threshold-firms"}),
        ({"purpose": "governance"}, {"threshold-firms"}),
        ({"purpose": "industry"}, {"credit-pre-loan", "port-index"}),
        ({"type": "no such type"}, {"credit-pre-loan", "port-index", "threshold-firms"}),
        ({"operator": "nobody"}, set()),
    ],
)
def test_words_and_filters_find_what_they_name(goods, query, expected):
    assert codes(**query) == expected


def test_the_catalogue_takes_the_same_few_queries_for_one_and_for_many(
    cast: Cast, clock, client: Client, goods, django_assert_max_num_queries
):
    for number in range(25):
        make_offer(cast, clock.now, f"many-{number}", name=f"港口产品{number}", document=USAGE_ONLY)
    with django_assert_max_num_queries(12) as taken:
        page = client.get("/products/?q=港口&purpose=industry")
    assert page.status_code == 200 and len(taken.captured_queries) <= 12
    assert page.context["found"].count == 26 and len(page.context["found"].products) == 20


def test_a_page_number_outside_gives_the_nearest_page(goods, client: Client):
    for asked in ("0", "99", "abc", "-1"):
        assert client.get(f"/products/?page={asked}").context["found"].number == 1


def test_counts_are_exact_up_to_the_limit_and_say_more_beyond(goods, monkeypatch, client: Client):
    monkeypatch.setattr(catalogue, "COUNT_LIMIT", 2)
    found = client.get("/products/").context["found"]
    assert (found.count, found.has_more) == (2, True)
