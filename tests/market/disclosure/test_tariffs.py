"""The public price list: scenario 47 in every form, filters, versions, headroom, caching, a fixed number of queries."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
from django.conf import settings

from market.disclosure.tariffs import COLUMNS
from pricing.tariffs.services import tariff_file, tariff_note, tariff_return
from products.models import DataProduct, Organisation
from tests.market.pages import text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, tariff

TODAY = date(2026, 10, 20)


def on_sale(cast, at, code="credit-score", price="0.45", **changes):
    made = make_product(cast, at, code=code)
    DataProduct.objects.filter(pk=made.pk).update(state="listed", listed_at=at, **changes)
    published(cast, made, caps(("calls", "0.50"), start=TODAY), at)
    plan = make_plan(cast, made, at)
    return made, plan, filed(cast, plan, per_call(price), TODAY, at)


@pytest.fixture
def offer(cast, clock):
    return on_sale(cast, clock.now)


def rows(client, address="/tariffs.json"):
    return json.loads(client.get(address).content)["tariffs"]


def test_scenario_47_every_item_shows_unit_price_cap_document_date_regime_and_complaint_channels(cast, client, offer):
    Organisation.objects.filter(pk=cast.regulator.organisation.pk).update(complaint_contact="0574-12358")
    charged, free = (next(row for row in rows(client) if row["charge"] == charge) for charge in ("charged", "free"))
    named = ("unit", "price", "cap", "cap_document", "in_force_from", "regime", "operator_slug", "tariff_version", "standing")
    assert [charged[name] for name in named] == [
        *("call", "0.45", "0.50", "甬发改价〔2026〕1号", "2026-10-20", "trial", "operator", "1", "in_force")
    ]
    assert (free["purpose_class"], free["price"], free["standing"]) == ("welfare", "0.00", "in_force")
    for row in (charged, free):
        assert (row["complaint_channel"], row["regulator_complaint_channel"]) == ("0574-12345", "0574-12358")
    for address in ("/tariffs/", "/tariffs/operator/", "/tariffs/operator/credit-score/"):
        page = text(client.get(address))
        for part in ("¥0.45", "¥0.50", "甬发改价〔2026〕1号", "2026-10-20", "0574-12345", "0574-12358", "¥0.00"):
            assert part in page, (address, part)


def test_an_english_page_names_plan_and_usual_fees_in_english(client, offer):
    plan = offer[1]
    plan.__class__.objects.filter(pk=plan.pk).update(name_en="Paid by the call")
    assert "Paid by the call" not in text(client.get("/tariffs/"))
    client.cookies["django_language"] = "en"
    page = text(client.get("/tariffs/"))
    assert "Paid by the call · Technical service fee" in page and "技术服务费" not in page


def test_the_forms_say_the_same_and_name_their_columns(client, offer):
    answer = client.get("/tariffs.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert read == [list(COLUMNS), *(list(row.values()) for row in rows(client))]
    assert rows(client) == rows(client, "/tariffs/operator.json")
    assert rows(client, "/tariffs/operator-b.json") == []


def test_an_unchanged_list_is_not_sent_again(client, cast, clock, offer):
    first = client.get("/tariffs.json")
    assert first["Cache-Control"] == "max-age=300, public" or "public" in first["Cache-Control"]
    assert first["Access-Control-Allow-Origin"] == "*"
    again = client.get("/tariffs.json", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    on_sale(cast, clock.now, code="another")
    assert client.get("/tariffs.json", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_list_is_narrowed_by_operator_sector_regime_and_words(client, cast, clock, offer):
    on_sale(
        cast, clock.now, code="weather", name="气象风险指数", purposes=["sector.weather"], regime="guided", search_terms=["气象"]
    )
    assert {row["product_code"] for row in rows(client, "/tariffs.json?sector=industry.finance")} == {"credit-score"}
    assert {row["product_code"] for row in rows(client, "/tariffs.json?regime=guided")} == {"weather"}
    assert {row["product_code"] for row in rows(client, "/tariffs.json?q=气象")} == {"weather"}
    assert rows(client, "/tariffs.json?operator=operator-b") == []
    page = text(client.get("/tariffs/?sector=industry.finance&q=%E4%B8%8D%E5%AD%98%E5%9C%A8"))
    assert "credit-score" not in page
    assert client.get("/tariffs/?regime=%27%22&operator=%00&page=x&sector=..").status_code == 200


def test_a_later_price_stands_beside_the_one_in_force_marked_with_its_day(cast, client, clock, offer):
    _product, plan, _first = offer
    filed(cast, plan, per_call("0.40"), TODAY + timedelta(days=7), clock.now)
    shown = [(row["price"], row["standing"], row["in_force_from"]) for row in rows(client) if row["charge"] == "charged"]
    assert shown == [("0.45", "in_force", "2026-10-20"), ("0.40", "upcoming", "2026-10-27")]
    client.cookies["django_language"] = "en"
    assert "from 2026-10-27" in text(client.get("/tariffs/"))


def test_each_price_opens_to_its_arithmetic_headroom_and_what_the_cap_would_allow(client, cast, clock):
    made = make_product(cast, clock.now)
    DataProduct.objects.filter(pk=made.pk).update(state="listed", listed_at=clock.now)
    published(cast, made, caps(("calls", "0.50"), start=TODAY), clock.now)
    tiers = [{"up_to": "10000", "unit_price": "0.50"}, {"up_to": None, "unit_price": "0.30"}]
    graded = {"code": "calls", "label": "技术服务费", "basis": "calls", "model": "graduated", "tiers": tiers}
    discounts = [{"reason": "key_scenario", "percent": "30", "components": ["calls"]}]
    filed(cast, make_plan(cast, made, clock.now), tariff(graded, discounts=discounts), TODAY, clock.now)
    client.cookies["django_language"] = "en"
    page = text(client.get("/tariffs/operator/credit-score/?units-calls=12000"))
    # 10 000 × 0.50 + 2 000 × 0.30 = 5 600; the cap allows 12 000 × 0.50 = 6 000; headroom of the second tier 0.20, 40 %
    for part in ("¥5,600.00", "¥6,000.00", "¥400.00", "¥0.20", "40%", "Use in a key supported scenario", "30%"):
        assert part in page, part
    assert "aria-invalid" in text(client.get("/tariffs/operator/credit-score/?units-calls=-3"))
    assert "aria-invalid" in text(client.get("/tariffs/operator/credit-score/?units-calls=1e99"))


def test_the_history_says_what_changed_when_and_by_which_document(cast, client, clock, offer):
    made, plan, first = offer
    tariff_note(tariff=first, user=cast.regulator.owner, at=clock.now, reason="符合上限")
    second = filed(cast, plan, per_call("0.40"), TODAY + timedelta(days=3), clock.now)
    tariff_return(tariff=second, user=cast.regulator.owner, reason="成本依据不足", at=clock.now)
    clock.move(days=2)
    lower = caps(("calls", "0.30"), start=TODAY + timedelta(days=30), document="甬发改价〔2026〕9号")
    published(cast, made, lower, clock.now)
    client.cookies["django_language"] = "en"
    page = text(client.get("/tariffs/operator/credit-score/"))
    for part in (
        "¥0.45 → ¥0.40",
        "成本依据不足",
        "¥0.45 → ¥0.30",
        "Cut by a new cap: 甬发改价〔2026〕9号",
        "from 2026-11-19",
        "符合上限",
    ):
        assert part in page, part


def test_the_feed_names_the_latest_change_first(cast, client, clock, offer):
    _made, plan, _first = offer
    clock.move(days=1)
    tariff_file(
        plan=plan,
        document=per_call("0.41"),
        from_date=TODAY + timedelta(days=9),
        user=cast.operator.owner,
        reason="降价",
        at=clock.now,
    )
    body = client.get("/tariffs/operator.atom").content.decode()
    assert body.index("2026-10-29") < body.index("2026-10-20")
    assert client.get("/tariffs.atom")["Content-Type"].startswith("application/atom+xml")
    assert client.get("/tariffs/nobody.atom").status_code == 404


def test_what_is_not_public_has_no_price_page(cast, client, offer):
    made, _plan, _first = offer
    assert client.get("/tariffs/operator-b/credit-score/").status_code == 404
    assert client.get("/tariffs/buyer/").status_code == 404
    DataProduct.objects.filter(pk=made.pk).update(state="draft")
    assert client.get("/tariffs/operator/credit-score/").status_code == 404
    assert rows(client) == []


def test_a_page_has_twenty_products_and_a_fixed_number_of_queries(cast, client, clock, offer, django_assert_num_queries):
    with django_assert_num_queries(QUERIES):
        client.get("/tariffs/")
    for number in range(21):
        on_sale(cast, clock.now, code=f"more-{number:02}")
    with django_assert_num_queries(QUERIES):
        page = text(client.get("/tariffs/"))
    assert page.count("<section id=") == 20
    assert text(client.get("/tariffs/?page=2")).count("<section id=") == 2
    with django_assert_num_queries(6):
        client.get("/tariffs.json")


QUERIES = 10


def test_the_page_of_columns_names_them_all():
    page = (settings.BASE_DIR / "docs" / "disclosure.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in page] == []
