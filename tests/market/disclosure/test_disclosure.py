"""What everybody may read: capability lists in five forms, authorisations with object, content, scope, term."""

import csv
import io
import json
from datetime import date

import pytest
from openpyxl import load_workbook

from market.disclosure.capabilities import COLUMNS
from market.disclosure.exports import harmless
from products.models import Authorisation, DataProduct, DataResource, Purpose, ScopeItem
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

TODAY = date(2026, 10, 20)
LIST = "/operators/operator/capabilities"


@pytest.fixture
def product(cast, clock):
    made = make_product(cast, clock.now)
    DataProduct.objects.filter(pk=made.pk).update(state="listed", listed_at=clock.now)
    published(cast, made, caps(("calls", "0.50"), start=TODAY), clock.now)
    filed(cast, make_plan(cast, made, clock.now), per_call("0.45"), TODAY, clock.now)
    return made


def rows(client):
    return json.loads(client.get(f"{LIST}.json").content)["capabilities"]


def test_scenario_47_every_item_shows_unit_price_cap_document_and_date(client, product):
    charged = next(row for row in rows(client) if row["charge"] == "charged")
    shown = (charged["unit"], charged["price"], charged["cap"], charged["cap_document"], charged["in_force_from"])
    assert shown == ("call", "0.45", "0.50", "甬发改价〔2026〕1号", "2026-10-20")
    free = next(row for row in rows(client) if row["charge"] == "free")
    assert (free["purpose_class"], free["price"], free["purposes"]) == ("welfare", "0.00", "welfare.education")
    page = text(client.get(LIST))
    assert "¥0.45" in page and "¥0.50" in page and "甬发改价〔2026〕1号" in page and "0574-12345" in page


def test_the_forms_of_the_list_say_the_same(client, product):
    found = [list(row.values()) for row in rows(client)]
    read = list(csv.reader(io.StringIO(client.get(f"{LIST}.csv").content.decode("utf-8-sig"))))
    assert read == [list(COLUMNS), *found]
    sheet = load_workbook(io.BytesIO(client.get(f"{LIST}.xlsx").content)).active
    assert [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)] == read
    linked = json.loads(client.get(f"{LIST}.jsonld").content)
    assert linked["@type"] == "dcat:Catalog"
    offers = linked["dcat:service"][0]["schema:offers"]
    assert [offer["schema:priceSpecification"]["schema:price"] for offer in offers] == [row["price"] for row in rows(client)]


def test_a_product_that_is_not_public_yet_is_not_in_the_list(client, product):
    DataProduct.objects.filter(pk=product.pk).update(state="draft")
    assert rows(client) == []
    assert product.name not in text(client.get(LIST))


def test_a_spreadsheet_runs_nothing_from_the_list():
    assert [harmless(value) for value in ("=1+1", "@x", "-5", "0.50")] == ["'=1+1", "'@x", "'-5", "0.50"]


def test_the_operators_are_open_to_all(cast, client, product):
    assert cast.operator.organisation.name in text(client.get("/operators/"))
    assert client.get("/operators/buyer/capabilities").status_code == 404
    assert client.get("/operators/nobody/capabilities.json").status_code == 404
    assert client.get("/operators/operator/capabilities.exe").status_code == 404
    assert client.post(LIST).status_code == 405
    assert acting(cast.stranger).get(LIST).status_code == 200


def test_an_authorisation_shows_object_content_scope_and_term(cast, client, clock, product):
    authorisation = product.authorisation
    Authorisation.objects.filter(pk=authorisation.pk).update(security_duties="原始数据不出域")
    resource = DataResource.objects.create(
        code="R-1",
        name="社保参保信息",
        provider=cast.provider.organisation,
        data_class="社会保障",
        grade=3,
        open_type="conditional",
        has_personal_data=True,
        has_security_impact=False,
        update_frequency="monthly",
        created_at=clock.now,
    )
    purpose = Purpose.objects.get(code="industry.finance.pre_loan")
    ScopeItem.objects.create(
        authorisation=authorisation,
        resource=resource,
        product_type="model",
        purpose=purpose,
        scenario_id="small-business-lending",
    )
    page = text(client.get(f"/authorisations/{authorisation.number}/"))
    for part in (
        "社保参保信息",
        "原始数据不出域",
        "2026-01-01",
        "2028-12-31",
        cast.authority.organisation.name,
        purpose.name,
        product.name,
    ):
        assert part in page
    assert authorisation.number in text(client.get("/authorisations/"))
    assert client.post("/authorisations/").status_code == 405


def test_a_draft_authorisation_is_not_shown(client, product):
    Authorisation.objects.filter(pk=product.authorisation.pk).update(state="draft")
    assert client.get(f"/authorisations/{product.authorisation.number}/").status_code == 404


def test_the_lists_have_a_fixed_number_of_queries(cast, client, clock, product, django_assert_num_queries):
    for number in range(4):
        more = make_product(cast, clock.now, code=f"more-{number}")
        DataProduct.objects.filter(pk=more.pk).update(state="listed")
        filed_caps = caps(("calls", "0.50"), start=TODAY)
        published(cast, more, filed_caps, clock.now)
        filed(cast, make_plan(cast, more, clock.now), per_call("0.45"), TODAY, clock.now)
    with django_assert_num_queries(8):
        client.get(LIST)
    with django_assert_num_queries(2):
        client.get("/operators/")
    with django_assert_num_queries(2):
        client.get("/authorisations/")
