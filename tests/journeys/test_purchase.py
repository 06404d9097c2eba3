"""A purchase from the product page to the key: by card, by the webhook alone, by transfer, by a grant, with nothing due."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from market.storefront.models import OrderContext
from settlement.billing.models import Deposit
from settlement.entitlements.models import ApiKey, Entitlement
from settlement.ledger.models import Posting
from settlement.payments.models import PaymentIntent
from settlement.shares.models import DistributionAgreement
from tests.factories.cast import Cast
from tests.factories.offers import USAGE_ONLY, make_authorisation, make_grant, make_offer
from tests.journeys.conftest import Till, digest_on

pytestmark = pytest.mark.django_db

# 20 October 2026: 12 of October's 31 days are left; a year of 12,000.00 from the 20th accrues 12000 × 12/365.
FIRST_PERIOD = Decimal("394.52")


def put_into_basket(client: Client, code: str = "credit-pre-loan", **fields: str) -> int:
    data = {"product": code, "plan": "standard", "purpose": "industry.finance.pre_loan", "scenario": "small-business-lending"}
    answer = client.post("/basket/add/", data | fields)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    found = re.search(r"/checkout/(\d+)/", client.get("/basket/").content.decode())
    assert found
    return int(found[1])


def check_out(client: Client, basket: int, method: str = "") -> str:
    page = client.get(f"/checkout/{basket}/").content.decode()
    data = {"digest": digest_on(page), "accept": "on", "method": method}
    answer = client.post(f"/checkout/{basket}/", data)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def start_card_payment(client: Client, **fields: str) -> PaymentIntent:
    go = check_out(client, put_into_basket(client, **fields), "hosted")
    answer = client.get(go)
    intent = PaymentIntent.objects.get()
    assert answer.status_code == 302 and answer["Location"] == intent.provider_url
    return intent


def assert_bought_once(intent: PaymentIntent) -> Entitlement:
    intent.refresh_from_db()
    assert intent.state == "succeeded"
    context = OrderContext.objects.select_related("order").get()
    assert context.order.status == "active" and context.order.total_incl_tax == Decimal(intent.amount_minor) / 100
    assert Deposit.objects.get().amount_minor == intent.amount_minor
    assert Posting.objects.get().amount_minor == intent.amount_minor
    entitlement = Entitlement.objects.get()
    assert entitlement.order_number == context.order.number and entitlement.agreement_digest == context.agreement_digest
    return entitlement


def test_paying_by_card_gives_an_order_a_deposit_and_a_key_shown_once(cast: Cast, clock, sign_in, stripe: Till):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    intent = start_card_payment(client, top_up="500.00")
    assert intent.amount_minor == int((FIRST_PERIOD + 500) * 100)
    back = stripe.press(intent.provider_url)
    assert back.status_code in (302, 303) and f"/checkout/payment/{intent.pk}/" in back.headers["Location"]
    assert client.get(f"/checkout/payment/{intent.pk}/")["Location"] == f"/checkout/done/{intent.order_number}/"
    entitlement = assert_bought_once(intent)
    assert entitlement.purposes == ["industry.finance.pre_loan"] and entitlement.valid_from == clock.now
    assert entitlement.code in client.get(f"/checkout/done/{intent.order_number}/").content.decode()
    shown = client.post(f"/console/buyer/entitlements/{entitlement.code}/keys/", {"name": "first"}).content.decode()
    assert "gs_live_" in shown
    secret = re.search(r"gs_live_\w{20,}", shown)[0]  # type: ignore[index]
    assert ApiKey.objects.get().entitlement == entitlement
    assert secret not in client.get(f"/console/buyer/entitlements/{entitlement.code}/").content.decode()


def test_the_webhook_finishes_the_job_alone_and_a_repeat_changes_nothing(cast: Cast, clock, sign_in, stripe: Till):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    intent = start_card_payment(client)
    stripe.press(intent.provider_url)
    events = stripe.events()
    for event in [*events, *reversed(events)]:
        assert stripe.tell(event) == 204
    assert_bought_once(intent)
    assert client.get(f"/checkout/payment/{intent.pk}/")["Location"] == f"/checkout/done/{intent.order_number}/"
    assert_bought_once(intent)


def test_a_message_that_the_provider_did_not_sign_is_refused(client, stripe: Till):
    answer = client.post(
        "/payments/webhooks/stripe/", b"{}", content_type="application/json", headers={"Stripe-Signature": "t=1,v1=00"}
    )
    assert answer.status_code == 400


def test_a_declined_card_charges_nothing_and_can_be_tried_again(cast: Cast, clock, sign_in, stripe: Till):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    intent = start_card_payment(client)
    stripe.press(intent.provider_url, "decline")
    for event in stripe.events():
        stripe.tell(event)
    page = client.get(f"/checkout/payment/{intent.pk}/")
    assert page.status_code == 200 and not OrderContext.objects.exists() and not Deposit.objects.exists()
    assert client.get(f"/checkout/payment/{intent.pk}/pay/")["Location"] == intent.provider_url
    stripe.press(intent.provider_url)
    client.get(f"/checkout/payment/{intent.pk}/")
    assert_bought_once(intent)


def test_giving_a_payment_up_opens_the_basket_again_and_closes_the_payment_page(cast: Cast, clock, sign_in, stripe: Till):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    intent = start_card_payment(client)
    assert client.post(f"/checkout/payment/{intent.pk}/cancel/").status_code == 302
    intent.refresh_from_db()
    assert intent.state == "cancelled"
    stripe.press(intent.provider_url)
    client.get(f"/checkout/payment/{intent.pk}/")
    assert not Deposit.objects.exists()
    basket = int(re.search(r"/checkout/(\d+)/", client.get("/basket/").content.decode())[1])  # type: ignore[index]
    assert check_out(client, basket, "transfer").startswith("/checkout/payment/")


def test_a_transfer_opens_access_when_the_cashier_confirms_the_exact_amount(cast: Cast, clock, sign_in, mailoutbox):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    waiting = check_out(client, put_into_basket(client, top_up="1000.00"), "transfer")
    intent = PaymentIntent.objects.get()
    assert intent.transfer_reference in client.get(waiting).content.decode()
    cashier = sign_in(cast.platform.cashier)
    assert intent.transfer_reference in cashier.get("/console/platform/transfers/").content.decode()
    confirm = f"/console/platform/transfers/{intent.pk}/confirm/"
    cashier.post(confirm, {"amount": "1394.51"})
    assert not OrderContext.objects.exists()
    cashier.post(confirm, {"amount": "1,394.52"})
    cashier.post(confirm, {"amount": "1394.52"})
    assert_bought_once(intent)
    assert intent.confirmed_by == cast.platform.cashier
    assert client.get(waiting)["Location"] == f"/checkout/done/{intent.order_number}/"


def test_with_nothing_due_the_order_is_active_at_once(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now, document=USAGE_ONLY)
    client = sign_in(cast.buyer.owner)
    done = check_out(client, put_into_basket(client))
    assert done == f"/checkout/done/{OrderContext.objects.get().order.number}/"
    assert Entitlement.objects.get().state == "active" and not Deposit.objects.exists()


def test_a_grant_is_taken_up_in_one_step_at_price_zero(cast: Cast, clock, sign_in):
    offer = make_offer(cast, clock.now)
    grant = make_grant(cast, clock.now, offer.product)
    client = sign_in(cast.nonprofit.owner)
    assert grant.number in client.get("/products/credit-pre-loan/").content.decode()
    page = client.get(f"/checkout/grant/{grant.number}/").content.decode()
    answer = client.post(f"/checkout/grant/{grant.number}/", {"digest": digest_on(page), "accept": "on"})
    assert answer.status_code == 302
    entitlement = Entitlement.objects.get()
    assert entitlement.grant == grant and entitlement.purposes == ["welfare.relief"] and entitlement.quotas.get().limit == 5000
    assert OrderContext.objects.get().due_minor == 0
    assert client.get(f"/checkout/grant/{grant.number}/")["Location"] == answer["Location"]
    assert sign_in(cast.buyer.owner).get(f"/checkout/grant/{grant.number}/").status_code == 404


def test_the_buyer_is_told_before_paying_that_the_term_ends_with_the_authorisation(cast: Cast, clock, sign_in):
    """Scenario 16 of the domain: bought on 1 March, the authorisation ends on 30 June."""
    clock.move_to(datetime.fromisoformat("2027-03-01T09:00:00+08:00"))
    authorisation = make_authorisation(cast, clock.now, to_date=date(2027, 6, 30))
    make_offer(cast, clock.now, authorisation=authorisation)
    client = sign_in(cast.buyer.owner)
    assert "2027-06-30" in client.get("/products/credit-pre-loan/").content.decode()
    basket = put_into_basket(client)
    assert "2027-06-30" in client.get(f"/checkout/{basket}/").content.decode()
    check_out(client, basket, "transfer")
    intent = PaymentIntent.objects.get()
    assert intent.amount_minor == 101_639  # March of a year with a 29 February: 12000 × 31/366
    sign_in(cast.platform.cashier).post(f"/console/platform/transfers/{intent.pk}/confirm/", {"amount": "1016.39"})
    assert Entitlement.objects.get().valid_to == datetime.fromisoformat("2027-07-01T00:00:00+08:00")


def test_another_operators_product_opens_a_second_basket(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now)
    other = make_authorisation(cast, clock.now, operator=cast.operator_b, number="舟数授〔2026〕3号")
    make_offer(cast, clock.now, "port-score", operator=cast.operator_b, authorisation=other, name="港口信用评分")
    client = sign_in(cast.buyer.owner)
    put_into_basket(client)
    put_into_basket(client, "port-score")
    page = client.get("/basket/").content.decode()
    assert len(set(re.findall(r"/checkout/(\d+)/", page))) == 2


def test_an_agreement_that_changed_after_reading_is_not_accepted(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    basket = put_into_basket(client)
    digest = digest_on(client.get(f"/checkout/{basket}/").content.decode())
    clock.move(days=1)
    answer = client.post(f"/checkout/{basket}/", {"digest": digest, "accept": "on", "method": "transfer"})
    assert answer.status_code == 422 and not PaymentIntent.objects.exists()
    again = digest_on(answer.content.decode())
    assert again != digest


def test_money_for_a_payment_that_was_given_up_is_kept_as_a_deposit(cast: Cast, clock, sign_in):
    make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    check_out(client, put_into_basket(client), "transfer")
    intent = PaymentIntent.objects.get()
    client.post(f"/checkout/payment/{intent.pk}/cancel/")
    sign_in(cast.platform.cashier).post(f"/console/platform/transfers/{intent.pk}/confirm/", {"amount": "394.52"})
    assert Deposit.objects.get().amount_minor == 39_452 and not OrderContext.objects.exists()


def test_what_nobody_may_earn_is_not_sold_neither_into_a_basket_nor_at_its_checkout(cast: Cast, clock, sign_in):
    offer = make_offer(cast, clock.now)
    client = sign_in(cast.buyer.owner)
    basket = put_into_basket(client)
    DistributionAgreement.objects.all().delete()
    page = client.get(f"/checkout/{basket}/").content.decode()
    answer = client.post(f"/checkout/{basket}/", {"digest": digest_on(page), "accept": "on", "method": "transfer"})
    assert (
        answer.status_code == 422 and "没有分配协议" in answer.content.decode() and offer.product.code in answer.content.decode()
    )
    assert not PaymentIntent.objects.exists() and not Entitlement.objects.exists()
    data = {"product": offer.product.code, "plan": "standard", "purpose": "industry.finance.pre_loan"}
    answer = client.post("/basket/add/", data | {"scenario": "small-business-lending"})
    assert answer.status_code == 422 and "没有分配协议" in answer.content.decode()
