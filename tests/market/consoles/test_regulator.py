"""The regulator's pages: tariffs with days left against their caps; the data bureau reads the same."""

import re
from datetime import date, timedelta

import pytest

from products.models import Organisation
from products.record.clock import frozen_at
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, reported

TODAY = date(2026, 10, 20)
LIST = "/console/regulator/tariffs/"


@pytest.fixture
def tariff(cast, clock):
    product = make_product(cast, clock.now)
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    return filed(cast, make_plan(cast, product, clock.now), per_call("0.45"), TODAY, clock.now)


def test_a_tariff_is_noted(cast, tariff):
    client = acting(cast.regulator.decider)
    assert re.search(r"days-left info\">[^<]*5", text(client.get(LIST)))
    page = text(client.get(f"{LIST}{tariff.pk}/"))
    for onward in (f"cases/{tariff.case.pk}/", "/console/regulator/comparables/", "/what-if/new/?operator="):
        assert onward in page
    assert "¥0.45" in page and "¥0.50" in page and "甬发改价〔2026〕1号" in page
    assert client.post(f"{LIST}{tariff.pk}/note/").status_code == 302
    tariff.refresh_from_db()
    assert (tariff.state, tariff.decided_by) == ("accepted", cast.regulator.decider)


def test_a_return_needs_a_reason(cast, tariff):
    client = acting(cast.regulator.decider)
    assert client.post(f"{LIST}{tariff.pk}/return/", {"reason": ""}).status_code == 422
    tariff.refresh_from_db()
    assert tariff.state == "filed"
    client.post(f"{LIST}{tariff.pk}/return/", {"reason": "成本依据不足"})
    tariff.refresh_from_db()
    assert (tariff.state, tariff.decision_reason) == ("stopped", "成本依据不足")


def test_a_refused_return_keeps_what_was_typed(cast, clock, tariff):
    with frozen_at(clock.now + timedelta(days=14)):
        response = acting(cast.regulator.decider).post(f"{LIST}{tariff.pk}/return/", {"reason": "口径不清，请补充测算表"})
    assert response.status_code == 422 and "口径不清，请补充测算表" in text(response)
    tariff.refresh_from_db()
    assert tariff.state == "filed"


def test_the_data_bureau_reads_and_changes_nothing(cast, tariff):
    client = acting(cast.data_bureau.reviewer)
    assert 'note/"' not in text(client.get(f"{LIST}{tariff.pk}/"))
    assert client.post(f"{LIST}{tariff.pk}/note/").status_code == 403
    tariff.refresh_from_db()
    assert tariff.state == "filed"


def test_reported_caps_are_shown_to_both(cast, clock):
    filing = reported(cast, make_product(cast, clock.now), caps(("calls", "0.50"), start=TODAY), clock.now)
    for person in (cast.regulator.owner, cast.data_bureau.owner):
        assert "甬数报〔2026〕7号" in text(acting(person).get("/console/regulator/caps/"))
        assert acting(person).get(f"/console/regulator/caps/{filing.pk}/").status_code == 200


def test_the_pages_are_the_regulators_own(cast, client, tariff):
    for url in (LIST, f"{LIST}{tariff.pk}/", "/console/regulator/caps/"):
        assert client.get(url).status_code == 302
        assert acting(cast.stranger).get(url).status_code == 403
        assert acting(cast.operator.owner).get(url).status_code == 403
        assert acting(cast.regulator.owner).post(url).status_code == 405
    assert acting(cast.operator.owner).post(f"{LIST}{tariff.pk}/note/").status_code == 403
    assert acting(cast.regulator.decider).post(f"{LIST}{tariff.pk}/dance/").status_code == 404


def test_another_region_sees_nothing(cast, tariff):
    Organisation.objects.filter(kind="data_bureau").update(region="460000")
    client = acting(cast.data_bureau.owner)
    assert client.get(f"{LIST}{tariff.pk}/").status_code == 404
    assert str(tariff.plan.product.name) not in text(client.get(LIST))


def test_the_list_has_a_fixed_number_of_queries(cast, clock, tariff, django_assert_num_queries):
    for number in range(5):
        plan = make_plan(cast, tariff.plan.product, clock.now, code=f"p{number}")
        filed(cast, plan, per_call(), TODAY, clock.now)
    client = acting(cast.regulator.decider)
    client.get(LIST)
    with django_assert_num_queries(7):
        client.get(LIST)
