"""The regulator's queue: every case with its clock, the most urgent first; what is overdue; a page for each case."""

from datetime import date, datetime, timedelta

import pytest

from pricing.models import OperationReport
from products.models import Authorisation, Case
from products.record import cases
from products.record.clock import BUSINESS_ZONE
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

TODAY = date(2026, 10, 20)
QUEUE = "/console/regulator/"


@pytest.fixture
def tariff(cast, clock):
    product = make_product(cast, clock.now)
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    return filed(cast, make_plan(cast, product, clock.now), per_call("0.45"), TODAY, clock.now)


def made_up_case(cast, at, number, limit_days=10):
    return cases.open_case(
        kind="cost_filing" if number % 2 else "unheard_of",
        obj=("pricing.costfiling", str(9000 + number)),
        applicant=cast.operator.organisation,
        handler=cast.regulator.organisation,
        limit_days=limit_days,
        at=at,
        actor=cast.operator.owner,
    )


def test_the_queue_shows_the_most_urgent_first_and_leads_to_where_it_is_dealt_with(cast, clock, tariff):
    urgent = made_up_case(cast, clock.now - timedelta(days=20), 2, limit_days=3)
    later = made_up_case(cast, clock.now, 4, limit_days=15)
    page = text(acting(cast.regulator.decider).get(QUEUE))
    places = [page.index(f"/console/regulator/cases/{urgent.pk}/"), page.index(f"/console/regulator/tariffs/{tariff.pk}/")]
    places.append(page.index(f"/console/regulator/cases/{later.pk}/"))
    assert places == sorted(places)


def test_the_queue_is_filtered_by_kind_by_lateness_and_by_applicant(cast, clock, tariff):
    late = made_up_case(cast, clock.now - timedelta(days=30), 2, limit_days=3)
    client = acting(cast.regulator.decider)
    tariff_link = f"/console/regulator/tariffs/{tariff.pk}/"
    assert tariff_link not in text(client.get(QUEUE, {"kind": "unheard_of"}))
    found = text(client.get(QUEUE, {"state": "late"}))
    assert f"/cases/{late.pk}/" in found and tariff_link not in found
    assert tariff_link not in text(client.get(QUEUE, {"q": "no such applicant"}))
    cases.close(case=late, outcome="done", actor=cast.regulator.decider, at=clock.now)
    assert f"/cases/{late.pk}/" in text(client.get(QUEUE, {"state": "closed"}))
    assert f"/cases/{late.pk}/" not in text(client.get(QUEUE))


def test_a_long_queue_takes_as_many_queries_as_a_short_one(cast, clock, tariff, django_assert_max_num_queries):
    client = acting(cast.regulator.decider)
    client.get(QUEUE)
    for number in range(120):
        made_up_case(cast, clock.now - timedelta(days=number % 9), 2 * number)
    with django_assert_max_num_queries(20):
        page = text(client.get(QUEUE))
    assert "?page=2" in page or "page=2" in page


def test_the_queue_leaves_as_a_table(cast, clock, tariff):
    response = acting(cast.regulator.decider).get(f"{QUEUE}cases.csv")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 2 and cast.operator.organisation.name in lines[1]


def test_a_table_of_the_queue_holds_no_formula_of_a_users(cast, clock, tariff):
    organisation = cast.operator.organisation
    organisation.__class__.objects.filter(pk=organisation.pk).update(name="=HYPERLINK(0)")
    response = acting(cast.regulator.decider).get(f"{QUEUE}cases.csv")
    assert ",'=HYPERLINK(0)," in response.content.decode()


def test_another_offices_case_is_not_there(cast, clock, tariff):
    case = Case.objects.get(object_id=str(tariff.pk))
    cast.regulator.organisation.__class__.objects.filter(pk=cast.data_bureau.organisation.pk).update(region="440300")
    assert acting(cast.regulator.decider).get(f"{QUEUE}cases/{case.pk}/").status_code == 200
    assert acting(cast.data_bureau.owner).get(f"{QUEUE}cases/{case.pk}/").status_code == 404


def test_a_note_goes_on_the_file_and_an_empty_one_does_not(cast, clock, tariff):
    case = Case.objects.get(object_id=str(tariff.pk))
    client, url = acting(cast.regulator.decider), f"{QUEUE}cases/{case.pk}/"
    assert client.post(f"{url}note/", {"note": " "}).status_code == 422
    assert client.post(f"{url}note/", {"note": "已电话核对成本口径"}).status_code == 302
    assert "已电话核对成本口径" in text(client.get(url))
    assert acting(cast.data_bureau.owner).post(f"{url}note/", {"note": "x"}).status_code == 404


def test_a_missing_annual_report_is_overdue_from_the_first_of_april(cast, clock):
    make_product(cast, clock.now)
    Authorisation.objects.update(operating_since=date(2025, 1, 1))
    client = acting(cast.regulator.decider)
    assert "2026-03-31" in text(client.get(f"{QUEUE}overdue/"))
    OperationReport.objects.create(
        authorisation=Authorisation.objects.get(), year=2025, summary="年报", filed_by=cast.operator.owner, filed_at=clock.now
    )
    assert "2026-03-31" not in text(client.get(f"{QUEUE}overdue/"))


def test_an_approved_cap_that_was_not_reported_in_time_is_overdue(cast, clock):
    from pricing.revenue.services import cap_approve, cap_draft

    product = make_product(cast, clock.now)
    long_ago = datetime(2026, 9, 1, 10, tzinfo=BUSINESS_ZONE)
    document = caps(("calls", "0.50"), start=date(2026, 12, 1))
    filing = cap_draft(product=product, document=document, user=cast.authority.owner, at=long_ago)
    cap_approve(filing=filing, user=cast.authority.checker, at=long_ago)
    assert "2026-09-15" in text(acting(cast.regulator.decider).get(f"{QUEUE}overdue/"))
