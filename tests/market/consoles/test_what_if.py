"""The what-if bench in the browser's eyes: who may open it, what it says, what it keeps, what leaves it as a file."""

import io
import re
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.core.cache import cache
from django.db.backends.postgresql.psycopg_any import DateRange

from products.models import Organisation
from products.record.clock import frozen_at
from settlement.billing.services import close_month
from settlement.metering.record import event_of, record_events
from settlement.shares.models import DistributionAgreement
from settlement.whatif.models import WhatIfCase
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published
from tests.settlement.stall import digest_of, entitle

ROOT = "/console/regulator/what-if/"
SCOPE = "new/?operator=operator&from_month=2026-10&last_month=2026-10"
NOW = datetime.fromisoformat("2026-11-10T10:00:00+08:00")


@pytest.fixture
def past(cast, clock):
    """October of one product at 0.45 under a cap of 0.50: 1 000 calls of the bank, 200 of the insurer; closed."""
    cache.clear()
    before = datetime.fromisoformat("2026-09-20T10:00:00+08:00")
    product = make_product(cast, before)
    published(cast, product, caps(("calls", "0.50"), start=date(2026, 10, 1)), before)
    plan = make_plan(cast, product, before)
    filed(cast, plan, per_call("0.45"), date(2026, 10, 1), before)
    DistributionAgreement.objects.create(
        number="DA",
        product=product,
        period=DateRange(date(2026, 1, 1), None),
        parts=[
            {"organisation": cast.authority.organisation.pk, "role": "provider", "percent": "20"},
            {"organisation": cast.operator.organisation.pk, "role": "operator", "rest": True},
        ],
        proposed_by=cast.operator.owner,
        approved_by=cast.authority.owner,
        created_at=before,
    )
    for buyer, units in ((cast.buyer, "1000"), (cast.buyer_b, "200")):
        entitlement = entitle(product, buyer.organisation, plan)
        used = datetime.fromisoformat("2026-10-05T12:00:00+08:00")
        event = event_of(entitlement, units={"calls": units}, time=used, request_digest=digest_of(units))
        record_events([event], at=used)
    Organisation.objects.filter(pk=cast.buyer_b.organisation.pk).update(size="small")
    close_month(month=date(2026, 10, 1), at=datetime.fromisoformat("2026-11-05T09:00:00+08:00"))
    with frozen_at(NOW):
        yield product


def cap_field(product):
    return f"cap:{product.code}:industry:calls:"


def lower(product, cap="0.40", **more):
    return {cap_field(product): cap, "try": "1"} | more


def saved(client, product, **more):
    answer = client.post(ROOT + SCOPE, lower(product, title="十月降到四角", save="1") | more)
    assert answer.status_code == 302, text(answer)
    return WhatIfCase.objects.order_by("-pk").first()


# --- the bench ------------------------------------------------------------------------------------------------------------------


def test_the_bench_is_filled_with_the_caps_in_force(cast, past):
    client = acting(cast.regulator.decider)
    page = text(client.get(ROOT + SCOPE + "&percent=-10"))
    assert f'name="{cap_field(past)}" value="0.45"' in page and ">0.50<" in page
    assert 'type="month"' in text(client.get(f"{ROOT}new/"))


def test_a_lower_cap_is_tried_and_shows_who_pays_less(cast, past):
    """1 200 calls at 0.45 are 540.00; at 0.40 480.00: the bank pays 50.00 less, the insurer 10.00 less."""
    page = text(acting(cast.regulator.decider).post(ROOT + SCOPE, lower(past)))
    assert "¥480.00" in page and "−¥60.00" in page and "−¥50.00" in page and "−¥10.00" in page
    assert "alert ok" in page and 'role="alert"' not in page
    assert WhatIfCase.objects.count() == 0


def test_htmx_gets_the_result_alone_and_refusals_in_it(cast, past):
    client = acting(cast.regulator.decider)
    page = client.post(ROOT + SCOPE, lower(past), headers={"HX-Request": "true"})
    assert "<html" not in text(page) and "¥480.00" in text(page)
    refused = client.post(ROOT + SCOPE, lower(past, "-1"), headers={"HX-Request": "true"})
    assert refused.status_code == 200 and 'role="alert"' in text(refused)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, ""),
        ({"discount_percent": "101"}, ""),
        ({"quota_units": "-3"}, ""),
        ({"discount_percent": "10", "with_estimates": "on", "elasticity": "5"}, ""),
    ],
)
def test_what_cannot_be_tried_is_refused_and_what_was_typed_is_kept(cast, past, typed, words):
    answer = acting(cast.regulator.decider).post(ROOT + SCOPE, {"try": "1", cap_field(past): "0.50"} | typed)
    assert answer.status_code == 422
    page = text(answer)
    assert 'role="alert"' in page
    for name, value in typed.items():
        assert f'value="{value}"' in page or name == "with_estimates", name


def test_months_that_are_not_closed_are_refused_in_words_and_count_where_asked(cast, past):
    client = acting(cast.regulator.decider)
    november = "new/?operator=operator&from_month=2026-10&last_month=2026-11"
    answer = client.post(ROOT + november, lower(past))
    assert answer.status_code == 422 and "2026-11" in text(answer)
    assert client.post(ROOT + november + "&with_running=on", lower(past)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "operator=nobody&from_month=2026-10&last_month=2026-10",
        "from_month=2026-10&last_month=2026-10",
        "operator=operator&from_month=2026-10&last_month=2026-09",
        "operator=operator&from_month=2020-01&last_month=2026-10",
        "operator=operator&from_month=x&last_month=2026-10",
    ],
)
def test_a_scope_that_makes_no_sense_is_refused_at_its_field(cast, past, query):
    answer = acting(cast.regulator.decider).get(f"{ROOT}new/?{query}")
    assert answer.status_code == 422 and "errorlist" in text(answer)


def test_a_tariff_is_tried_through_the_tariff_editor(cast, past):
    client = acting(cast.regulator.decider)
    plan = past.plans.get()
    url = f"{ROOT}{SCOPE}&plan={plan.pk}"
    assert 'value="0.45"' in text(client.get(url))
    typed = {
        "json": '{"currency": "CNY", "components": [{"code": "calls", "basis": "calls", "model": "per_unit", "unit_price": "PRICE"}],'
        ' "tax": {"rate": "0.06", "inclusive": true}}',
        "tax_rate": "0.06",
    }
    rows = {"components-TOTAL_FORMS": "0", "components-INITIAL_FORMS": "0", "try": "1", cap_field(past): "0.50"}
    below = client.post(url, rows | typed | {"json": typed["json"].replace("PRICE", "0.30")})
    assert below.status_code == 200 and "¥360.00" in text(below)
    above = client.post(url, rows | typed | {"json": typed["json"].replace("PRICE", "0.51")})
    assert above.status_code == 422 and "0.510000" in text(above) and "0.50" in text(above)
    assert client.post(url, rows | typed | {"json": "{"}).status_code == 422


def test_too_many_tries_in_a_minute_are_refused(cast, past, monkeypatch):
    monkeypatch.setattr("market.consoles.whatif.views.TRIES_A_MINUTE", 1)
    client = acting(cast.regulator.decider)
    assert client.post(ROOT + SCOPE, lower(past)).status_code == 200
    assert client.post(ROOT + SCOPE, lower(past)).status_code == 429


# --- cases ----------------------------------------------------------------------------------------------------------------------


def test_a_case_is_saved_opened_compared_and_taken_away(cast, past, queries_of):
    client = acting(cast.regulator.decider)
    one, two = saved(client, past), saved(client, past, **{cap_field(past): "0.30", "title": "三角"})
    page = text(client.get(f"{ROOT}{one.pk}/"))
    assert "十月降到四角" in page and "¥480.00" in page and one.inputs_digest[:10] in page
    side = text(client.get(f"{ROOT}compare/?a={one.pk}&b={two.pk}"))
    assert "三角" in side and "−¥180.00" in side
    assert "十月降到四角" in text(client.get(ROOT))
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{ROOT}{one.pk}.xlsx").content))
    assert len(book.sheetnames) == 7
    buyers = list(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert {(Decimal(str(row[3])), Decimal(str(row[4]))) for row in buyers} == {
        (Decimal(450), Decimal(400)),
        (Decimal(90), Decimal(80)),
    }
    paper = client.get(f"{ROOT}{one.pk}.pdf")
    assert paper["Content-Type"] == "application/pdf" and paper.content.startswith(b"%PDF")
    assert paper["Content-Disposition"].startswith("attachment")


def test_lists_and_pages_cost_a_fixed_number_of_queries(cast, past, queries_of):
    client = acting(cast.regulator.decider)
    one = saved(client, past)
    few = [queries_of(client, url) for url in (ROOT, f"{ROOT}{one.pk}/", ROOT + SCOPE)]
    for title in "ab":
        saved(client, past, title=title)
    assert [queries_of(client, url) for url in (ROOT, f"{ROOT}{one.pk}/", ROOT + SCOPE)] == few


def test_saving_without_a_title_is_refused_and_keeps_what_was_typed(cast, past):
    answer = acting(cast.regulator.decider).post(ROOT + SCOPE, lower(past, "0.41", save="1", title=" "))
    assert answer.status_code == 422 and 'value="0.41"' in text(answer)
    assert WhatIfCase.objects.count() == 0


def test_another_bodys_case_is_not_found_until_it_is_shared(cast, past):
    client = acting(cast.regulator.decider)
    case = saved(client, past)
    bureau = acting(cast.data_bureau.reviewer)
    authority, operator = acting(cast.authority.checker), acting(cast.operator.owner)
    paths = [f"{case.pk}/", f"{case.pk}.xlsx", f"{case.pk}.pdf", f"compare/?a={case.pk}&b={case.pk}"]
    for path in paths:
        assert bureau.get(ROOT + path).status_code == 404, path
        assert authority.get(f"/console/authority/what-if/{path}").status_code == 404, path
        assert operator.get(f"/console/operator/what-if/{path}").status_code == 404, path
    assert client.post(f"{ROOT}{case.pk}/share/", {"shared": "1"}).status_code == 302
    for path in paths:
        assert bureau.get(ROOT + path).status_code == 200, path
        assert operator.get(f"/console/operator/what-if/{path}").status_code == 404, path
    assert bureau.post(f"{ROOT}{case.pk}/share/", {"shared": "0"}).status_code == 302
    case.refresh_from_db()
    assert case.is_shared, "only its owner shares it"


def test_an_operator_and_an_authorising_body_try_their_own_products(cast, past):
    for person, console in ((cast.operator.owner, "operator"), (cast.authority.owner, "authority")):
        page = acting(person).post(f"/console/{console}/what-if/{SCOPE}", lower(past))
        assert page.status_code == 200 and "¥480.00" in text(page), console
    assert "new/" in text(acting(cast.operator.owner).get("/console/operator/what-if/"))


def test_an_operator_never_reaches_another_operators_history(cast, past):
    organisation = Organisation.objects.create(
        uscc="91330200MA2T001030", name="别家", slug="other-operator", kind="operator", created_at=NOW
    )
    url = f"/console/operator/what-if/new/?operator={organisation.slug}&from_month=2026-10&last_month=2026-10"
    assert acting(cast.operator.owner).get(url).status_code == 422


def test_each_console_lets_in_its_own_kinds_only(cast):
    people = {"regulator": cast.regulator.decider, "authority": cast.authority.owner, "operator": cast.operator.owner}
    for own, person in people.items():
        client = acting(person)
        for console in people:
            assert client.get(f"/console/{console}/what-if/").status_code == (200 if console == own else 403), (own, console)


@pytest.mark.parametrize("who", ["buyer", "nonprofit", "auditor", "platform", "provider", "registry"])
def test_nobody_else_gets_in(cast, past, who):
    client = acting(getattr(cast, who).owner)
    for console in ("regulator", "authority", "operator"):
        for path in ("", SCOPE, "1/", "1.xlsx", "1.pdf", "compare/?a=1&b=2"):
            assert client.get(f"/console/{console}/what-if/{path}").status_code == 403


def test_english_pages_have_no_chinese_of_ours(cast, past):
    client = acting(cast.regulator.decider)
    client.cookies["django_language"] = "en"
    page = text(client.post(ROOT + SCOPE, lower(past)))
    assert "Pre-loan score" in page and re.search(r"Exact: 2 rows replayed", page)
