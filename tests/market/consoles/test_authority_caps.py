"""The authorising body's cap pages: from draft to publication by two people, and buyers told of a cut."""

from datetime import date, timedelta

import pytest

from pricing.models import Cap, CapFiling
from products.models import Notice
from settlement.models import Entitlement
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, reported

TODAY = date(2026, 10, 20)
LIST = "/console/authority/caps/"


@pytest.fixture
def product(cast, clock):
    return make_product(cast, clock.now)


def draft_data(product, **more):
    rows = {"caps-TOTAL_FORMS": "2", "caps-INITIAL_FORMS": "0", "caps-0-basis": "calls", "caps-0-cap": "0.50"}
    flat = {"caps-1-basis": "periods", "caps-1-period": "year", "caps-1-cap": "12000"}
    head = {
        "product": product.pk,
        "document": "甬发改价〔2026〕1号",
        "from_date": "2026-10-20",
        "purposes": ["industry"],
        "is_trial": "on",
    }
    return rows | flat | head | more


def test_caps_go_from_draft_to_publication_by_two_people(cast, clock, product):
    owner, checker = acting(cast.authority.owner), acting(cast.authority.checker)
    drafted = owner.post(f"{LIST}new/", draft_data(product))
    filing = CapFiling.objects.get()
    assert drafted.url == f"{LIST}{filing.pk}/"
    assert 'approve/"' not in text(owner.get(drafted.url))
    assert 'approve/"' in text(checker.get(drafted.url))
    owner.post(f"{LIST}{filing.pk}/approve/")
    filing.refresh_from_db()
    assert filing.state == "draft"
    checker.post(f"{LIST}{filing.pk}/approve/")
    owner.post(f"{LIST}{filing.pk}/publish/")
    filing.refresh_from_db()
    assert filing.state == "approved"
    owner.post(f"{LIST}{filing.pk}/report/", {"report_no": "甬数报〔2026〕7号"})
    owner.post(f"{LIST}{filing.pk}/publish/")
    filing.refresh_from_db()
    assert (filing.state, Cap.objects.count()) == ("published", 2)


def test_a_wrong_draft_is_shown_again_with_what_is_wrong(cast, clock, product):
    answer = acting(cast.authority.owner).post(f"{LIST}new/", draft_data(product, **{"caps-0-cap": "0,50"}))
    assert answer.status_code == 422
    assert "/caps/0/cap" in text(answer)
    assert not CapFiling.objects.exists()


def test_buyers_are_told_when_a_new_cap_cuts_their_price(cast, clock, product):
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    plan = make_plan(cast, product, clock.now)
    filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    Entitlement.objects.create(
        code="E-1",
        organisation=cast.buyer.organisation,
        operator=cast.operator.organisation,
        product=product,
        plan=plan,
        purposes=["industry.finance.pre_loan"],
        scenario="small-business-lending",
        valid_from=clock.now,
        valid_to=clock.now + timedelta(days=300),
        anchor_date=TODAY,
        created_at=clock.now,
    )
    filing = reported(cast, product, caps(("calls", "0.30"), start=date(2026, 11, 1)), clock.now)
    acting(cast.authority.owner).post(f"{LIST}{filing.pk}/publish/")
    assert Notice.objects.filter(kind="tariff.cut", user=cast.buyer.owner).count() == 1
    assert not Notice.objects.filter(kind="tariff.cut", user=cast.buyer_b.owner).exists()


def test_the_pages_are_the_authorising_bodys_own(cast, clock, client, product):
    filing = reported(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    page = f"{LIST}{filing.pk}/"
    for url in (LIST, f"{LIST}new/", page):
        assert client.get(url).status_code == 302
        assert acting(cast.stranger).get(url).status_code == 403
        assert acting(cast.operator.owner).get(url).status_code == 403
        assert acting(cast.authority.owner).get(url).status_code == 200
    assert acting(cast.authority.owner).post(LIST).status_code == 405
    assert acting(cast.authority.owner).get(f"{page}publish/").status_code == 405
    assert acting(cast.authority.owner).post(f"{page}dance/").status_code == 404
    CapFiling.objects.filter(pk=filing.pk)
    other = cast.authority.organisation
    other.pk, other.uscc, other.slug = None, "11330200MA9T9999" + "00", "other-authority"
    other.save(force_insert=True)
    cast.authority.checker.memberships.update(organisation=other)
    assert acting(cast.authority.checker).get(page).status_code == 404
    assert acting(cast.authority.checker).post(f"{page}publish/").status_code == 404


def test_the_list_has_a_fixed_number_of_queries(cast, clock, product, django_assert_num_queries):
    for number in range(6):
        reported(cast, product, caps(("calls", "0.50"), start=TODAY, document=f"{number}号"), clock.now)
    client = acting(cast.authority.owner)
    client.get(LIST)
    with django_assert_num_queries(6):
        assert text(client.get(LIST)).count("甬数报") == 0
