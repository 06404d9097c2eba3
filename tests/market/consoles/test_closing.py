"""Closing, statements and payouts by signed-in people."""

import pytest

from products.models import Membership, User
from settlement.billing.models import BillingMonth
from settlement.billing.services import invoice_pay
from settlement.shares.models import Payout, Settlement
from tests.settlement.books import Books, make_books, moment

pytestmark = pytest.mark.django_db
PLATFORM_PAGES = ["/console/platform/closing/", "/console/platform/closing/2026-10/", "/console/platform/payouts/"]


def member(organisation, name, *roles):
    user = User.objects.create(email=f"{name}@closing.example", name=name)
    Membership.objects.create(user=user, organisation=organisation, roles=list(roles), created_at=moment("2026-01-01 00:00"))
    return user


@pytest.fixture
def books(clock) -> Books:
    clock.move_to(moment("2026-11-04 09:00"))
    books = make_books()
    books.use("200")
    return books


@pytest.fixture
def cashier(books, sign_in):
    return sign_in(member(books.platform, "cashier", "finance"))


def close_by_hand(client, **more):
    return client.post("/console/platform/closing/2026-10/close/", {"confirmed": "1", **more}, follow=True)


def test_the_platform_closes_a_month_after_ticking_that_it_means_it(books, cashier):
    assert "再关账" not in cashier.get("/console/platform/closing/").content.decode()
    cashier.post("/console/platform/closing/2026-10/close/")
    assert BillingMonth.objects.get().state == "open"
    page = close_by_hand(cashier)
    assert page.status_code == 200 and BillingMonth.objects.get().state == "closed"
    assert books.invoice().number in cashier.get("/console/platform/closing/2026-10/").content.decode()


def test_days_of_grace_need_a_second_tick(books, cashier, clock):
    clock.move_to(moment("2026-11-02 09:00"))
    close_by_hand(cashier)
    assert BillingMonth.objects.get().state == "open"
    close_by_hand(cashier, force="1")
    assert BillingMonth.objects.get().is_forced


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("url", PLATFORM_PAGES)
def test_the_page_opens_for_the_platform_and_for_nobody_else(books, cashier, sign_in, url, language):
    books.close()
    cashier.cookies["django_language"] = language
    assert cashier.get(url).status_code == 200 and cashier.post(url).status_code == 405
    stranger = sign_in(member(books.stall.operator, "operator", "owner", "finance"))
    assert stranger.get(url).status_code == 403


@pytest.mark.parametrize(("party", "path"), [("provider", "provider"), ("operator", "operator")])
def test_a_party_reads_its_own_statements_only(books, sign_in, party, path):
    books.close()
    own = books.provider if party == "provider" else books.stall.operator
    client = sign_in(member(own, party, "owner"))
    statement = Settlement.objects.get(party=own)
    assert f"{statement.pk}/" in client.get(f"/console/{path}/statements/").content.decode()
    assert "DA-1" in client.get(f"/console/{path}/statements/{statement.pk}/").content.decode()
    other = Settlement.objects.exclude(party=own).first()
    assert client.get(f"/console/{path}/statements/{other.pk}/").status_code == 404
    assert client.get(f"/console/platform/closing/statements/{other.pk}/").status_code == 403


def test_a_payout_needs_a_second_person_and_the_banks_reference(books, cashier, sign_in):
    books.close()
    invoice_pay(invoice=books.invoice(), amount_minor=10000, channel="bank", key="p", at=moment("2026-11-04 10:00"))
    cashier.post(f"/console/platform/payouts/propose/{books.provider.pk}/")
    payout = Payout.objects.get()
    decide = f"/console/platform/payouts/{payout.pk}/decide/"
    cashier.post(decide, {"action": "confirm", "note": "B1"})
    second = sign_in(member(books.platform, "second", "finance"))
    second.post(decide, {"action": "confirm", "note": ""})
    payout.refresh_from_db()
    assert payout.state == "proposed"
    second.post(decide, {"action": "confirm", "note": "B1"})
    payout.refresh_from_db()
    assert (payout.state, payout.bank_reference) == ("paid", "B1")
    assert payout.number in second.get("/console/platform/payouts/").content.decode()


def test_lists_take_a_fixed_number_of_queries(books, cashier, queries_of):
    books.close()
    before = {url: queries_of(cashier, url) for url in PLATFORM_PAGES}
    for n in range(2, 5):
        more = books.sell(buyer=[books.provider, books.platform, books.stall.authority][n - 2])
        books.use("5", "2026-11-03 10:00", more)
    books.close(moment("2026-11-01 00:00").date(), "2026-12-04 09:00")
    after = {url.replace("2026-10", "2026-11"): queries_of(cashier, url.replace("2026-10", "2026-11")) for url in PLATFORM_PAGES}
    assert list(after.values()) == list(before.values())
