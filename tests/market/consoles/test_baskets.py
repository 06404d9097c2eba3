"""Sets of caps in the browser: from a permitted revenue to publication, what is typed kept, files out and in."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from pricing.models import Cap, CapBasket, CapFiling
from pricing.revenue.baskets import basket_draft
from products.models import Notice
from settlement.models import Entitlement
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, per_call, published
from tests.pricing.revenue.sets import make_products, permit, row

TODAY, NOVEMBER = date(2026, 10, 20), date(2026, 11, 1)
LIST = "/console/authority/baskets/"


@pytest.fixture
def pair(cast, clock):
    return make_products(cast, clock.now, "credit-score", "risk-check")


@pytest.fixture
def permitted(cast, clock, pair):
    return permit(cast, clock.now, pair[0].authorisation)


def typed(pair, *, act, first="2026-11-01", **more):
    data = {"act": act, "from_date": first, "place": [f"{p.code}|industry|calls|" for p in pair]}
    for n in range(len(pair)):
        data |= {f"expected-{n}": "10000", f"cost_share-{n}": str(30000 * (n + 1)), f"elasticity-{n}": "1.5"}
    return data | more


def draft(cast, clock, permitted, *rows):
    return basket_draft(
        permitted_revenue=permitted, method="own", from_date=NOVEMBER, rows=rows, user=cast.authority.owner, at=clock.now
    )


def test_a_set_goes_from_a_permitted_revenue_to_published_caps_by_two_people(cast, clock, pair, permitted):
    owner, checker = acting(cast.authority.owner), acting(cast.authority.checker)
    start = f"{LIST}start/{permitted.pk}/"
    assert f'href="{start}"' in text(owner.get(LIST))
    assert owner.get(start).status_code == 200
    compared = owner.post(start, typed(pair, act="compare"))
    assert compared.status_code == 200
    assert all(word in text(compared) for word in ("3.533333", "7.066666", "5.30"))
    made = owner.post(start, typed(pair, act="welfare"))
    basket = CapBasket.objects.get()
    page = f"{LIST}{basket.pk}/"
    assert made.url == page
    owner.post(f"{page}method/", {"method": "cost"})
    basket.refresh_from_db()
    assert [each["cap"] for each in basket.rows] == ["3.533333", "7.066666"]
    owner.post(f"{page}file/", {"document_no": "甬发改价〔2026〕9号"})
    owner.post(f"{page}approve/")
    assert 'approve/"' not in text(owner.get(page))
    assert 'approve/"' in text(checker.get(page))
    checker.post(f"{page}approve/")
    owner.post(f"{page}publish/")
    basket.refresh_from_db()
    assert basket.state == "approved"
    assert "days-left" in text(owner.get(page))
    owner.post(f"{page}report/")
    owner.post(f"{page}publish/")
    basket.refresh_from_db()
    assert (basket.state, Cap.objects.count()) == ("published", 2)
    assert f"/documents/{basket.report_document_id}.pdf" in text(owner.get(page))
    for office in (cast.regulator.owner, cast.data_bureau.owner):
        client = acting(office)
        assert "甬发改价〔2026〕9号" in text(client.get("/console/regulator/caps/"))
        assert "3.533333" in text(client.get(f"/console/regulator/caps/sets/{basket.pk}/"))
        filing = CapFiling.objects.first()
        assert "100000.00" in text(client.get(f"/console/regulator/caps/{filing.pk}/")).replace(",", "")
        assert client.get(f"/documents/{basket.report_document_id}.pdf").status_code == 200


def test_what_was_typed_is_kept_when_a_set_is_refused(cast, clock, pair, permitted):
    owner, start = acting(cast.authority.owner), f"{LIST}start/{permitted.pk}/"
    for change in (
        {"expected-1": "viel"},
        {"expected-1": "-3"},
        {"elasticity-1": "0"},
        {"from_date": "1.11."},
        {"from_date": "2026-10-01"},
    ):
        answer = owner.post(start, typed(pair, act="usage", **change))
        assert answer.status_code == 422, change
        assert all(f'value="{value}"' in text(answer) for value in change.values())
    assert not CapBasket.objects.exists()
    basket = draft(cast, clock, permitted, row(pair[0], "1.00"), row(pair[1], "2.00"))
    data = {"place": [f"{p.code}|industry|calls|" for p in pair], "cap-0": "1.5", "cap-1": "2,5x"}
    answer = owner.post(f"{LIST}{basket.pk}/adjust/", data)
    assert answer.status_code == 422
    assert 'value="2,5x"' in text(answer)
    basket.refresh_from_db()
    assert [each["cap"] for each in basket.rows] == ["1.00", "2.00"]


def test_own_figures_show_their_sum_before_they_are_saved(cast, clock, pair, permitted):
    basket = draft(cast, clock, permitted, row(pair[0], "1.00"), row(pair[1], "2.00"))
    owner = acting(cast.authority.owner)
    data = {"place": [f"{p.code}|industry|calls|" for p in pair], "cap-0": "8.00", "cap-1": "8.00"}
    answer = text(owner.post(f"{LIST}{basket.pk}/sum/", data)).replace(",", "")
    assert "150943.40" in answer and "50943.40" in answer
    basket.refresh_from_db()
    assert basket.test["ok"]
    owner.post(f"{LIST}{basket.pk}/adjust/", data)
    refused = owner.post(f"{LIST}{basket.pk}/file/", {"document_no": "甬发改价〔2026〕9号"})
    assert refused.status_code == 422
    assert "50943.40" in text(refused).replace(",", "")
    assert 'value="甬发改价〔2026〕9号"' in text(refused)
    assert not CapFiling.objects.exists()


def test_rows_go_out_as_files_and_come_back(cast, clock, pair, permitted):
    basket = draft(cast, clock, permitted, row(pair[0], "1.00"), row(pair[1], "2.00"))
    owner, page = acting(cast.authority.owner), f"{LIST}{basket.pk}/"
    sheet = owner.get(f"{page}rows.xlsx").content
    book = load_workbook(BytesIO(sheet))
    book.active["J2"] = 1.25
    changed = BytesIO()
    book.save(changed)
    owner.post(f"{page}upload/", {"file": SimpleUploadedFile("caps.xlsx", changed.getvalue())})
    basket.refresh_from_db()
    assert [each["cap"] for each in basket.rows] == ["1.25", "2.00"]
    lines = owner.get(f"{page}rows.csv").content.decode("utf-8-sig")
    answer = owner.post(f"{page}upload/", {"file": SimpleUploadedFile("caps.csv", lines.replace("2.00", "2.0000001").encode())})
    assert answer.status_code == 422
    formula = Workbook()
    formula.active.append(["product", "purpose_class", "basis"])
    formula.active.append(["=1+1", "industry", "calls"])
    hostile = BytesIO()
    formula.save(hostile)
    for content in (b"", b"\0\1", b"PK\3\4 no archive", b"a,b\n1,2\n", hostile.getvalue()):
        assert owner.post(f"{page}upload/", {"file": SimpleUploadedFile("x", content or b" ")}).status_code == 422
    assert owner.post(f"{page}upload/").status_code == 422
    assert owner.get(f"{page}rows.pdf").status_code == 404
    start = owner.get(f"{LIST}start/{permitted.pk}/rows.csv").content.decode("utf-8-sig")
    assert start.startswith("product,purpose_class,basis")


def test_buyers_are_told_when_a_set_cuts_their_price(cast, clock, pair, permitted):
    published(cast, pair[0], caps(("calls", "5.00"), start=TODAY), clock.now)
    plan = make_plan(cast, pair[0], clock.now)
    filed(cast, plan, per_call("4.00"), TODAY, clock.now)
    Entitlement.objects.create(
        code="E-1",
        organisation=cast.buyer.organisation,
        operator=cast.operator.organisation,
        product=pair[0],
        plan=plan,
        purposes=["industry.finance.pre_loan"],
        scenario="small-business-lending",
        valid_from=clock.now,
        valid_to=clock.now + timedelta(days=300),
        anchor_date=TODAY,
        created_at=clock.now,
    )
    basket = draft(cast, clock, permitted, row(pair[0], "3.00"))
    owner, page = acting(cast.authority.owner), f"{LIST}{basket.pk}/"
    owner.post(f"{page}file/", {"document_no": "甬发改价〔2026〕9号"})
    acting(cast.authority.checker).post(f"{page}approve/")
    owner.post(f"{page}report/", {"report_no": "甬数报〔2026〕7号"})
    owner.post(f"{page}publish/")
    assert Notice.objects.filter(kind="tariff.cut", user=cast.buyer.owner).count() == 1
    assert Notice.objects.filter(kind="caps.set_published", user=cast.operator.owner).count() == 1


def test_the_pages_are_the_authorising_bodys_own(cast, clock, client, pair, permitted):
    basket = draft(cast, clock, permitted, row(pair[0], "3.00"))
    page = f"{LIST}{basket.pk}/"
    for url in (LIST, page, f"{page}rows.csv", f"{LIST}start/{permitted.pk}/", f"{LIST}start/{permitted.pk}/rows.csv"):
        assert client.get(url).status_code == 302
        for person in (cast.stranger, cast.operator.owner, cast.regulator.owner, cast.data_bureau.owner, cast.auditor.owner):
            assert acting(person).get(url).status_code == 403, (url, person)
        assert acting(cast.authority.owner).get(url).status_code == 200
    for step in ("adjust", "upload", "method", "file", "approve", "report", "publish", "drop", "sum"):
        assert acting(cast.authority.owner).get(f"{page}{step}/").status_code == 405
        assert acting(cast.operator.owner).post(f"{page}{step}/").status_code == 403
    assert acting(cast.authority.owner).post(f"{page}dance/").status_code == 404
    assert acting(cast.regulator.owner).get(f"/console/regulator/caps/sets/{basket.pk}/").status_code == 404
    other = cast.authority.organisation
    other.pk, other.uscc, other.slug, other.region = None, "11330200MA9T9999" + "00", "other-authority", "440100"
    other.save(force_insert=True)
    cast.authority.checker.memberships.update(organisation=other)
    for url in (page, f"{LIST}start/{permitted.pk}/"):
        assert acting(cast.authority.checker).get(url).status_code in (403, 404)
    assert acting(cast.authority.checker).post(f"{page}approve/").status_code == 404


def test_the_pages_have_a_fixed_number_of_queries(cast, clock, pair, permitted, django_assert_max_num_queries):
    for _number in range(4):
        basket = draft(cast, clock, permitted, row(pair[0], "3.00"), row(pair[1], "3.00"))
    owner = acting(cast.authority.owner)
    owner.get(LIST)
    with django_assert_max_num_queries(8):
        owner.get(LIST)
    with django_assert_max_num_queries(22):
        owner.get(f"{LIST}{basket.pk}/")


def test_a_thousand_rows_are_shown_in_pages(cast, clock, permitted, pair):
    model = type(pair[0])
    fields = {f.attname: getattr(pair[0], f.attname) for f in model._meta.fields if f.attname not in ("id", "code")}
    model.objects.bulk_create(model(code=f"p-{n}", **fields) for n in range(998))
    owner, start = acting(cast.authority.owner), f"{LIST}start/{permitted.pk}/"
    assert "1000" in text(owner.get(start))
    lines = owner.get(f"{start}rows.csv").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 1001
    heading = lines[0].split(",")
    rows = [dict(zip(heading, line.split(","), strict=True)) | {"expected": "500"} for line in lines[1:]]
    content = "\n".join([",".join(heading), *(",".join(each[name] for name in heading) for each in rows)])
    made = owner.post(
        start, {"act": "usage", "from_date": "2026-11-01", "file": SimpleUploadedFile("caps.csv", content.encode())}
    )
    assert made.status_code == 302
    basket = CapBasket.objects.get()
    assert len(basket.rows) == 1000
    page = text(owner.get(f"{made.url}?page=20"))
    assert page.count('name="place"') == 50
    owner.post(f"{made.url}file/", {"document_no": "甬发改价〔2026〕9号"})
    assert CapFiling.objects.filter(basket=basket).count() == 1000
