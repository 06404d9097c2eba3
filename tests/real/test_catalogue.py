"""2 733 real listings of five Chinese data exchanges in our catalogue, found by words of two characters."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.core.management import call_command

from products.catalogue.models import DataProduct
from products.catalogue.search import query_terms
from products.record.models import AuditEntry
from tests.real.report import figures

WORDS = ("企业", "信用", "气象", "物流", "金融", "交通", "医疗", "核验", "指数", "港口", "社保", "信贷")
pytestmark = pytest.mark.django_db


@pytest.fixture
def printed(folder) -> str:
    return run(folder)


def run(folder) -> str:
    out = StringIO()
    call_command("import_catalogue", str(folder / "data_products_cn.csv"), stdout=out)
    return out.getvalue()


@pytest.fixture
def rows(folder) -> list[dict[str, str]]:
    with (folder / "data_products_cn.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_listing_is_taken_in_and_none_reaches_the_shop(printed, rows):
    page = figures()
    assert printed.splitlines()[-1] == f"accepted {len(rows)} ({len(rows)} new, 0 changed, 0 unchanged), skipped 0"
    assert len(rows) == page["listings in the file, all taken in"]
    assert DataProduct.objects.count() == len(rows)
    assert set(DataProduct.objects.values_list("state", flat=True)) == {"draft"}
    assert not DataProduct.objects.filter(authorisation__isnull=False).exists()


def test_the_same_file_again_changes_nothing(printed, folder, rows):
    before = list(DataProduct.objects.order_by("id").values())
    assert run(folder).splitlines()[-1] == f"accepted {len(rows)} (0 new, 0 changed, {len(rows)} unchanged), skipped 0"
    assert list(DataProduct.objects.order_by("id").values()) == before
    assert AuditEntry.objects.filter(action="catalogue.imported").count() == 1


def test_a_word_of_two_characters_finds_exactly_the_listings_that_contain_it(printed, rows):
    page = figures()
    for word in WORDS:
        with_word = [row for row in rows if any(word in row[name] for name in ("title", "provider", "category", "description"))]
        products = DataProduct.objects.filter(search_terms__contains=query_terms(word))
        got = sorted((product.name, row_provider(product)) for product in products)
        assert got == sorted((row["title"], row["provider"] or "–") for row in with_word), word
        assert len(with_word) == page[word]


def row_provider(product: DataProduct) -> str:
    return product.description_en.split("Provider: ")[1].split(". Category: ")[0]
