"""The operator files a tariff: rows or JSON, checked under the caps with the counter-example and its arithmetic."""

import json
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from market.consoles.tariffs.forms import rows_of, tier, tiers_text
from pricing.models import Tariff
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, tariff

TODAY = date(2026, 10, 20)
BASE = "/console/operator/tariffs/"


@pytest.fixture
def plan(cast, clock):
    product = make_product(cast, clock.now)
    published(cast, product, caps(("calls", "0.50"), ("year", "12000"), start=TODAY), clock.now)
    return make_plan(cast, product, clock.now)


def head(**more):
    rows = {"components-TOTAL_FORMS": "2", "components-INITIAL_FORMS": "0"}
    return rows | {"from_date": "2026-10-20", "reason": "按成本测算", "tax_rate": "0.06", "is_inclusive": "on"} | more


def component(number, **values):
    named = {"basis": "calls", "model": "per_unit", "counts_over": "month", "is_collected": "on"} | values
    return {f"components-{number}-{name}": value for name, value in named.items()}


def test_a_tariff_is_filed_from_rows(cast, plan):
    tiers = component(0, code="calls", label="技术服务费", model="graduated", tiers="10000: 0.50\n100000: 0.30\n*: 0.10")
    flat = component(1, code="base", basis="periods", model="flat", period="year", price="12000.00")
    discounts = "key_scenario: 30: calls"
    answer = acting(cast.operator.owner).post(f"{BASE}plans/{plan.pk}/new/", head(**tiers, **flat, discounts=discounts, file="1"))
    filing = Tariff.objects.get()
    assert answer.url == f"{BASE}{filing.pk}/"
    assert filing.document["components"][0]["tiers"][2] == {"up_to": None, "unit_price": "0.10"}
    assert filing.document["components"][1]["period"] == "year"
    assert filing.document["discounts"] == [{"reason": "key_scenario", "percent": "30", "components": ["calls"]}]


def test_a_tariff_is_filed_from_json_or_a_file(cast, plan):
    client = acting(cast.operator.owner)
    client.post(f"{BASE}plans/{plan.pk}/new/", head(json=json.dumps(per_call("0.40")), file="1"))
    assert Tariff.objects.get().document == per_call("0.40")
    upload = SimpleUploadedFile("t.json", json.dumps(per_call("0.30")).encode(), "application/json")
    client.post(f"{BASE}plans/{plan.pk}/new/", head(from_date="2026-10-21", upload=upload, file="1"))
    assert Tariff.objects.get(version=2).document == per_call("0.30")


def test_a_check_shows_the_counter_example_and_files_nothing(cast, plan):
    both = component(0, code="calls", label="调用", price="0.45") | component(1, code="facility", label="设施费", price="0.10")
    client = acting(cast.operator.owner)
    page = text(client.post(f"{BASE}plans/{plan.pk}/new/", head(**both, check="1")))
    assert "¥0.45" in page and "¥0.10" in page and "¥0.55" in page and "甬发改价〔2026〕1号" in page
    answer = client.post(f"{BASE}plans/{plan.pk}/new/", head(**both, file="1"))
    assert answer.status_code == 422
    assert not Tariff.objects.exists()


@pytest.mark.parametrize(
    "written", ['{"components": 1', '{"currency": "CNY", "components": [], "tax": {"rate": 0.06, "inclusive": true}}', "[]"]
)
def test_an_unreadable_document_is_refused_with_its_place(cast, plan, written):
    answer = acting(cast.operator.owner).post(f"{BASE}plans/{plan.pk}/new/", head(json=written, file="1"))
    assert answer.status_code == 422
    assert "errorlist" in text(answer)
    assert not Tariff.objects.exists()


def test_a_tariff_is_withdrawn_before_it_begins(cast, clock, plan):
    later = filed(cast, plan, per_call(), date(2026, 12, 1), clock.now)
    acting(cast.operator.owner).post(f"{BASE}{later.pk}/withdraw/")
    later.refresh_from_db()
    assert later.state == "withdrawn"


def test_the_pages_are_the_operators_own(cast, clock, client, plan):
    filing = filed(cast, plan, per_call(), TODAY, clock.now)
    pages = (BASE, f"{BASE}{filing.pk}/", f"{BASE}plans/{plan.pk}/new/")
    for url in pages:
        assert client.get(url).status_code == 302
        assert acting(cast.stranger).get(url).status_code == 403
        assert acting(cast.buyer.owner).get(url).status_code == 403
        assert acting(cast.operator.owner).get(url).status_code == 200
        assert acting(cast.operator.owner).put(url).status_code == 405
    for url in pages[1:]:
        assert acting(cast.operator_b.owner).get(url).status_code == 404
    assert acting(cast.operator.developer).get(pages[2]).status_code == 403
    assert acting(cast.operator_b.owner).post(f"{BASE}{filing.pk}/withdraw/").status_code == 404


def test_the_list_has_a_fixed_number_of_queries(cast, clock, plan, django_assert_num_queries):
    for number in range(4):
        filed(cast, make_plan(cast, plan.product, clock.now, code=f"p{number}"), per_call(), TODAY, clock.now)
    client = acting(cast.operator.owner)
    client.get(BASE)
    with django_assert_num_queries(8):
        client.get(BASE)


def test_the_editor_reads_back_what_it_wrote():
    document = tariff({"code": "c", "basis": "calls", "model": "volume", "tiers": [tier("10: 0.50 + 5.00"), tier("*: 0.10")]})
    assert rows_of(document)[0]["tiers"] == "10: 0.50 + 5.00\n*: 0.10"
    assert [tier(line) for line in tiers_text(document["components"][0]["tiers"]).splitlines()] == document["components"][0][
        "tiers"
    ]


FALLING = "100: 0.50\n*: 0.25"


def test_the_preview_proves_the_document_as_one_types_and_files_nothing(cast, plan):
    client = acting(cast.operator.owner)
    volume = component(0, code="calls", label="技术服务费", model="volume", tiers=FALLING)
    page = text(client.post(f"{BASE}plans/{plan.pk}/preview/", head(**volume)))
    assert "¥50.00" in page and "¥25.25" in page and "<html" not in page
    dear = text(client.post(f"{BASE}plans/{plan.pk}/preview/", head(**component(0, code="calls", price="0.51"))))
    assert "甬发改价〔2026〕1号" in dear and "data:image/svg+xml" in dear
    unfinished = component(0, code="calls", price="")
    assert "/components/0/unit_price" in text(client.post(f"{BASE}plans/{plan.pk}/preview/", head(reason="", **unfinished)))
    assert not Tariff.objects.exists()


@pytest.mark.parametrize("changes", [{"tax_rate": ""}, {"from_date": "soon"}, {"json": "{"}, {"components-0-basis": "nothing"}])
def test_the_preview_of_what_is_half_typed_is_a_page_and_no_error(cast, plan, changes):
    rows = component(0, code="calls", price="0.40")
    answer = acting(cast.operator.owner).post(f"{BASE}plans/{plan.pk}/preview/", head(**rows) | changes)
    assert answer.status_code == 200


def test_a_preview_compares_the_totals_with_todays(cast, clock, plan):
    filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    rows = component(0, code="calls", price="0.50")
    page = text(acting(cast.operator.owner).post(f"{BASE}plans/{plan.pk}/preview/", head(from_date="2026-12-01", **rows)))
    assert "¥500.00" in page and "¥400.00" in page and "+¥100.00" in page


def test_a_falling_total_is_filed_only_with_the_box_ticked_and_then_shown(cast, plan):
    client = acting(cast.operator.owner)
    volume = component(0, code="calls", label="技术服务费", model="volume", tiers=FALLING)
    answer = client.post(f"{BASE}plans/{plan.pk}/new/", head(**volume, file="1"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["may_fall"]
    assert FALLING in text(answer)
    client.post(f"{BASE}plans/{plan.pk}/new/", head(**volume, may_fall="on", file="1"))
    filing = Tariff.objects.get()
    assert filing.may_fall
    for person, url in ((cast.operator.owner, f"{BASE}{filing.pk}/"), (cast.regulator.decider, REGULATOR.format(filing.pk))):
        assert "¥25.25" in text(acting(person).get(url))


REGULATOR = "/console/regulator/tariffs/{}/"


def test_the_list_shows_each_price_with_its_cap_and_headroom(cast, clock, plan):
    filed(cast, plan, per_call("0.40"), TODAY, clock.now)
    page = text(acting(cast.operator.owner).get(BASE))
    assert "¥0.40" in page and "¥0.50" in page and "¥0.10" in page and "甬发改价〔2026〕1号" in page
