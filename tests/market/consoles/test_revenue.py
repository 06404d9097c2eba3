"""The permitted-revenue pages: two bodies act on one page, everybody concerned sees it, nothing that was typed is lost."""

from datetime import date

import pytest

from pricing.models import OperationReport, PermittedRevenue
from products.models import Membership, Organisation
from products.record.models import Case
from settlement.oversight.warnings import warn
from tests.market.pages import acting, text
from tests.pricing.revenue.operation import SOURCE, drafted, make_filing, make_operation, opened
from tests.settlement.books import make_books
from tests.settlement.oversight.operations import permit

pytestmark = pytest.mark.django_db
REGULATOR, OPERATOR, AUTHORITY = (f"/console/{name}/revenue/" for name in ("regulator", "operator", "authority"))


@pytest.fixture
def operation(cast, clock):
    return make_operation(cast, clock.now)


@pytest.fixture
def filing(cast, clock, operation):
    return make_filing(cast, operation, clock.now)


def typed(filing, **changes):
    data = {
        "from_date": "2026-01-01",
        "to_date": "2026-12-31",
        "filings": [filing.pk],
        "treasury_yield": "1.83",
        "treasury_source": SOURCE,
        "profit_rate": "7.83",
        "assets": "",
        "income_tax_rate": "",
        "reason": "",
    }
    return data | changes


def test_a_draft_is_typed_worked_out_and_saved(cast, operation, filing):
    client = acting(cast.regulator.owner)
    assert str(operation.operator.name) in text(client.get(f"{REGULATOR}new/"))
    url = f"{REGULATOR}new/{operation.pk}/"
    assert client.get(url).status_code == 200
    partial = client.post(f"{url}work/", typed(filing))
    assert "¥8,835,200.00" in text(partial) and "<html" not in text(partial)
    assert "¥8,835,200.00" in text(client.post(url, typed(filing, work="")))
    assert not PermittedRevenue.objects.exists()
    saved = client.post(url, typed(filing, save=""))
    own = PermittedRevenue.objects.get()
    assert saved.status_code == 302 and saved.url == f"{REGULATOR}{own.pk}/"
    page = text(client.get(saved.url))
    for figure in ("8,835,200.00", "626,400.00", "208,800.00", "7.83%", SOURCE, "发改价格〔2025〕65号"):
        assert figure in page


def test_scenario_22_on_the_page_the_rate_is_refused_at_its_field_and_everything_typed_is_kept(cast, operation, filing):
    answer = acting(cast.regulator.owner).post(
        f"{REGULATOR}new/{operation.pk}/", typed(filing, profit_rate="8", reason="拟按上限", save="")
    )
    page = text(answer)
    assert answer.status_code == 422 and "7.83%" in page and "拟按上限" in page and 'value="8"' in page
    assert not PermittedRevenue.objects.exists()


def test_every_wrong_field_is_said_at_once(cast, operation, filing):
    wrong = typed(
        filing, from_date="2026-01-02", filings=[], treasury_yield="30", profit_rate="40", income_tax_rate="99", save=""
    )
    answer = acting(cast.regulator.owner).post(f"{REGULATOR}new/{operation.pk}/", wrong)
    errors = answer.context["form"].errors
    assert set(errors) == {"from_date", "filings", "treasury_yield", "profit_rate", "income_tax_rate"}


def test_scenario_24_on_the_page_the_trial_is_offered(cast, clock):
    young = make_operation(cast, clock.now, number="young", since=date(2026, 3, 1))
    filing = make_filing(cast, young, clock.now)
    client = acting(cast.regulator.owner)
    assert "试行收费标准" in text(client.get(f"{REGULATOR}new/{young.pk}/"))
    assert client.post(f"{REGULATOR}new/{young.pk}/", typed(filing, save="")).status_code == 422


def test_both_bodies_take_their_steps_on_one_page(cast, clock, operation, filing):
    own = drafted(cast, operation, clock.now, filing)
    url = f"{REGULATOR}{own.pk}/"
    assert acting(cast.operator.owner).get(f"{OPERATOR}{own.pk}/").status_code == 404, "a draft is not shown before it is opened"
    assert acting(cast.regulator.owner).post(f"{url}open/").status_code == 302
    operator, authority = acting(cast.operator.owner), acting(cast.authority.owner)
    assert operator.post(f"{OPERATOR}{own.pk}/opinion/", {"stance": "remark", "text": ""}).status_code == 422
    assert operator.post(f"{OPERATOR}{own.pk}/opinion/", {"stance": "remark", "text": "成本上涨"}).status_code == 302
    assert authority.post(f"{AUTHORITY}{own.pk}/opinion/", {"stance": "agree", "text": ""}).status_code == 302
    bureau = acting(cast.data_bureau.reviewer)
    assert "agree/" in text(bureau.get(url)) and "成本上涨" in text(bureau.get(url))
    assert bureau.post(f"{url}agree/", {"text": "同意"}).status_code == 302
    assert "determine/" not in text(acting(cast.regulator.owner).get(url)), "who drafted it is not offered to determine"
    assert acting(cast.regulator.owner).post(f"{url}determine/").status_code == 422
    decider = acting(cast.regulator.decider)
    assert "determine/" in text(decider.get(url))
    assert decider.post(f"{url}determine/").status_code == 302
    own.refresh_from_db()
    assert own.state == "determined"
    for client, base in ((operator, OPERATOR), (authority, AUTHORITY), (bureau, REGULATOR)):
        page = text(client.get(f"{base}{own.pk}/"))
        assert own.document.number in page and "8,835,200.00" in page


def test_sending_back_without_a_reason_keeps_the_page_and_with_one_reopens_the_draft(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    bureau = acting(cast.data_bureau.owner)
    assert bureau.post(f"{REGULATOR}{own.pk}/send-back/", {"reason": ""}).status_code == 422
    assert bureau.post(f"{REGULATOR}{own.pk}/send-back/", {"reason": "利润率偏高"}).status_code == 302
    client = acting(cast.regulator.decider)
    assert "利润率偏高" in text(client.get(f"{REGULATOR}{own.pk}/"))
    form = client.get(f"{REGULATOR}{own.pk}/revise/")
    assert 'value="7.83"' in text(form)
    assert client.post(f"{REGULATOR}{own.pk}/revise/", typed(filing, profit_rate="5", save="")).status_code == 302
    own.refresh_from_db()
    assert (own.profit_minor, own.drafted_by) == (400_000_00, cast.regulator.decider)


def test_what_is_refused_keeps_what_was_typed(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    own_drafter = acting(cast.regulator.owner)
    answer = own_drafter.post(f"{REGULATOR}{own.pk}/send-back/", {"reason": "我想退回"})
    assert answer.status_code == 422 and "另一人" in text(answer)
    assert own_drafter.post(f"{REGULATOR}{own.pk}/dance/").status_code == 404


@pytest.fixture
def watched(cast, clock):
    books = make_books()
    own = books.stall.authorisation
    own.region, own.operating_since, own.authorising_body = "330200", date(2024, 11, 1), cast.authority.organisation
    own.save()
    Membership.objects.create(
        user=cast.operator.developer, organisation=books.stall.operator, roles=["owner"], created_at=clock.now
    )
    for month in ("07", "08", "09"):
        books.use("636", f"2026-{month}-28 12:00")
    return permit(cast, books, 1_000_00)


def test_the_account_shows_months_products_share_and_forecast(cast, watched):
    for client, base in (
        (acting(cast.regulator.owner), REGULATOR),
        (acting(cast.operator.developer, watched.authorisation.operator), OPERATOR),
        (acting(cast.authority.owner), AUTHORITY),
    ):
        index = text(client.get(base))
        assert "90.0 %" in index and "¥900.00" in index
        page = text(client.get(f"{base}{watched.pk}/"))
        assert "¥1,000.00" in page and "¥300.00" in page and "港口物流指数" in page and "data:image/svg+xml" in page


def test_scenario_30_on_the_page_the_warning_stands_with_a_suggested_cut_and_its_case_is_closed(cast, clock, watched):
    (warning,) = warn(at=clock.now)
    client = acting(cast.regulator.owner)
    page = text(client.get(f"{REGULATOR}{watched.pk}/"))
    assert "90 %" in page and "note/" in page
    assert client.get(f"{REGULATOR}warnings/{warning.pk}/").url == f"{REGULATOR}{watched.pk}/"
    assert client.post(f"{REGULATOR}{watched.pk}/note/", {"item": warning.pk, "note": ""}).status_code == 422
    assert client.post(f"{REGULATOR}{watched.pk}/note/", {"item": warning.pk, "note": "建议降价"}).status_code == 302
    assert Case.objects.get(kind="revenue_warning").state == "closed"
    assert client.get("/console/regulator/").status_code == 200


def test_other_regions_and_other_parties_see_nothing(cast, clock, operation, filing):
    own = opened(cast, operation, clock.now, filing)
    assert acting(cast.operator_b.owner).get(f"{OPERATOR}{own.pk}/").status_code == 404
    assert acting(cast.buyer.owner).get(f"{OPERATOR}{own.pk}/").status_code == 403
    Organisation.objects.filter(kind="data_bureau").update(region="460000")
    assert acting(cast.data_bureau.owner).get(f"{REGULATOR}{own.pk}/").status_code == 200, "it is the bureau of this one"


def test_only_the_regulator_drafts(cast, operation):
    for person in (cast.data_bureau.owner, cast.operator.owner, cast.authority.owner):
        assert acting(person).get(f"{REGULATOR}new/{operation.pk}/").status_code == 403


def test_the_list_costs_the_same_number_of_queries_for_one_and_for_many(cast, clock, watched, queries_of):
    client = acting(cast.regulator.owner)
    before = queries_of(client, REGULATOR)
    for serial in (2, 3):
        books = make_books(serial)
        own = books.stall.authorisation
        own.region = "330200"
        own.save()
        books.use("106")
        permit(cast, books, 1_000_00)
        operation = make_operation(cast, clock.now, number=f"w{serial}")
        opened(cast, operation, clock.now, make_filing(cast, operation, clock.now))
    many = queries_of(client, REGULATOR)
    assert many <= before + 1  # a list that was empty is paged and filled
    operation = make_operation(cast, clock.now, number="w4")
    opened(cast, operation, clock.now, make_filing(cast, operation, clock.now))
    assert queries_of(client, REGULATOR) == many


def test_reports_are_filed_and_overdue_ones_are_said(cast, clock, operation):
    client = acting(cast.operator.owner)
    assert "逾期" in text(acting(cast.regulator.owner).get(f"{REGULATOR}reports/"))
    bad = client.post(f"{OPERATOR}reports/", {"authorisation": operation.pk, "year": 2026, "summary": "还没过完"})
    assert bad.status_code == 422 and "还没过完" in text(bad)
    good = client.post(f"{OPERATOR}reports/", {"authorisation": operation.pk, "year": 2025, "summary": "运行平稳"})
    assert good.status_code == 302 and OperationReport.objects.get().summary == "运行平稳"
    assert "运行平稳" in text(acting(cast.authority.owner).get(f"{AUTHORITY}reports/"))
    assert acting(cast.regulator.owner).post(f"{REGULATOR}reports/", {"year": 2025}).status_code == 403
