"""`import_catalogue`: what it takes, what it skips and why, and that the shop never sees it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from products.catalogue.importing import HOLDER
from products.catalogue.listing_gate import listing_gaps
from products.catalogue.models import DataProduct
from products.catalogue.search import query_terms
from products.organisations import uscc
from products.record.audit import check_chain
from products.record.models import AuditEntry

HEAD = "platform,title,provider,description,category,price_mode,price,currency,update_frequency,volume\n"
GOOD = """某交易所,港口物流指数,某港口集团,"反映到港\n船舶",交通运输,usage-based,0.30,RMB,daily,9
某交易所,企业信用报告,,企业的信用,金融,free,0.0,RMB,no-update,9
"""
BAD = """某交易所,,某公司,无题,金融,free,0,RMB,,9
某交易所,气象,某公司,晴,金融,barter,0,RMB,,9
某交易所,气象,某公司,晴,金融,one-off,dear,RMB,,9
某交易所,气象,某公司,晴,金融,one-off,-1,RMB,,9
某交易所,气象,某公司,晴,金融,one-off,1,USD,,9
某交易所,港口物流指数,某港口集团,又来了,交通运输,free,0,RMB,,9
某交易所,气象
"""
pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    def run(text: str) -> list[str]:
        (tmp_path / "some.csv").write_text(text, encoding="utf-8")
        out = StringIO()
        call_command("import_catalogue", str(tmp_path / "some.csv"), stdout=out)
        return out.getvalue().splitlines()

    return run


def test_a_listing_becomes_a_draft_with_its_words(run):
    assert run(HEAD + GOOD) == ["accepted 2 (2 new, 0 changed, 0 unchanged), skipped 0"]
    index, report = DataProduct.objects.order_by("-name_key")[1], DataProduct.objects.order_by("-name_key")[0]
    assert (index.name, index.type, index.regime, index.state) == ("港口物流指数", "index", "market", "draft")
    assert (report.name, report.type, report.regime) == ("企业信用报告", "report", "free")
    assert "某交易所" in index.description and "0.30" in index.description_en and index.summary == "反映到港 船舶"
    for word, names in (("物流", [index]), ("信用", [report]), ("某港", [index]), ("天气", [])):
        assert list(DataProduct.objects.filter(search_terms__contains=query_terms(word))) == names


def test_every_row_left_out_is_named_with_its_line_and_reason(run):
    lines = run(HEAD + GOOD + BAD)
    assert lines[-1] == "accepted 2 (2 new, 0 changed, 0 unchanged), skipped 7"
    begun = [line.split(": ")[0] for line in lines[:-1]]
    assert begun == [f"skipped some.csv:{number}" for number in range(5, 12)]
    assert len({line.split(": ", 1)[1] for line in lines[:-1]}) == 7


def test_again_it_changes_only_what_changed(run):
    run(HEAD + GOOD)
    assert run(HEAD + GOOD)[-1] == "accepted 2 (0 new, 0 changed, 2 unchanged), skipped 0"
    assert run(HEAD + GOOD.replace("企业的信用", "法人的资信"))[-1] == "accepted 2 (0 new, 1 changed, 1 unchanged), skipped 0"
    assert DataProduct.objects.filter(search_terms__contains=query_terms("资信")).count() == 1
    assert AuditEntry.objects.filter(action="catalogue.imported").count() == 2
    assert check_chain() == []


def test_a_product_that_left_its_draft_is_not_touched(run):
    run(HEAD + GOOD)
    DataProduct.objects.filter(name="港口物流指数").update(state="delisted")
    lines = run(HEAD + GOOD.replace("反映到港", "说明到港"))
    assert lines[0].startswith("skipped some.csv:2: ")
    assert DataProduct.objects.get(name="港口物流指数").description.startswith("反映到港")


def test_the_listing_gate_keeps_it_out_of_the_shop(run, clock):
    run(HEAD + GOOD)
    for product in DataProduct.objects.all():
        codes = {gap.code for gap in listing_gaps(product=product, at=clock.now, price_state=None)}
        assert {"operator_unverified", "authorisation_missing", "resources_missing", "release_missing"} <= codes


def test_a_file_that_is_no_catalogue_is_refused_whole(run):
    for text in ("title,price\nA,1\n", HEAD + GOOD + 'A,"unclosed\n', ""):
        with pytest.raises(CommandError):
            run(text)
    assert not DataProduct.objects.exists()


def test_the_made_up_holder_has_a_code_that_checks():
    uscc.check(HOLDER["uscc"])
