"""Our Stripe adapter with the official SDK, against the payment server over HTTP."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import stripe

from settlement.payments import base
from settlement.payments import stripe as ours
from settlement.payments.stripe import StripeProvider, StripeSettings
from tests.servers.stripe import StripeServer
from tests.servers.stripe.webhooks import signature
from tests.settlement.payments.conftest import SECRET_KEY, WEBHOOK_SECRET, news, press, settings_for, start


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The SDK waits half a second between retries; tests need not."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)


def told(provider, server, shop):
    assert server.postman.wait_idle()
    return [one for one in news(provider, shop) if one.kind is not base.NewsKind.OTHER]


def test_the_pinned_version_is_the_sdks_own():
    assert stripe.api_version == ours.API_VERSION


def test_a_checkout_paid_on_the_hosted_page_comes_back_as_verified_news(provider, server, shop):
    started = start(provider)
    assert started.url.startswith(server.url)
    assert started.expires_at > datetime.now(UTC)
    assert provider.checkout_status(started.provider_ref).state is base.CheckoutState.OPEN
    status, location = press(started, method="alipay")
    assert (status, location) == (303, f"http://shop.example/done?s={started.provider_ref}")

    (paid,) = told(provider, server, shop)
    assert paid.kind is base.NewsKind.PAID
    assert (paid.provider_ref, paid.intent_id) == (started.provider_ref, "in-1001")
    assert (paid.amount_minor, paid.currency, paid.is_live) == (1_200_050, "CNY", False)
    assert paid.metadata["order"] == "1001"
    assert len(shop.received) == 4, "three other events are acknowledged and need nothing"

    seen = provider.checkout_status(started.provider_ref)
    assert (seen.state, seen.amount_minor, seen.method) == (base.CheckoutState.PAID, 1_200_050, "alipay")
    assert seen.payment_ref == paid.payment_ref
    assert seen.fee_minor == 35_001


def test_an_intent_started_again_is_the_same_checkout(provider, server):
    assert start(provider) == start(provider)
    assert len(server.store.all("checkout.session")) == 1


def test_an_intent_started_again_with_another_amount_is_refused(provider):
    start(provider)
    with pytest.raises(base.PaymentIntentChanged):
        start(provider, amount_minor=1)


def test_many_processes_starting_one_intent_open_one_checkout(server):
    def begin(_number):
        return start(StripeProvider(settings_for(server))).provider_ref

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(begin, range(12)))) == 1


def test_an_answer_lost_on_the_way_is_asked_for_again_without_a_second_checkout(provider, server):
    server.faults = [{"drop": True}]
    started = start(provider)
    assert [one["id"] for one in server.store.all("checkout.session")] == [started.provider_ref]


def test_a_refund_whose_answer_is_lost_is_made_once(provider, server, shop):
    payment = paid_payment(provider, server, shop)
    server.faults = [{"drop": True}]
    made = provider.refund(refund_id="rf-1", payment_ref=payment, amount_minor=50, metadata={"note": "credit note 7"})
    again = provider.refund(refund_id="rf-1", payment_ref=payment, amount_minor=50, metadata={"note": "credit note 7"})
    assert made == again
    assert (made.amount_minor, made.currency, made.is_final) == (50, "CNY", True)
    assert [one["amount"] for one in server.store.all("refund")] == [50]


def paid_payment(provider, server, shop):
    press(start(provider))
    (paid,) = told(provider, server, shop)
    return paid.payment_ref


def test_a_refund_is_news_and_one_above_what_is_left_is_refused(provider, server, shop):
    payment = paid_payment(provider, server, shop)
    made = provider.refund(refund_id="rf-1", payment_ref=payment, amount_minor=1_200_000, metadata={})
    refunded = told(provider, server, shop)[-1]
    assert (refunded.kind, refunded.provider_ref) == (base.NewsKind.REFUNDED, made.refund_ref)
    assert (refunded.payment_ref, refunded.amount_minor) == (payment, 1_200_000)
    with pytest.raises(base.PaymentRefusedByProvider):
        provider.refund(refund_id="rf-2", payment_ref=payment, amount_minor=51, metadata={})


def test_a_declined_card_leaves_the_checkout_open_and_is_not_news_of_failure(provider, server, shop):
    started = start(provider)
    press(started, "decline")
    assert told(provider, server, shop) == []
    assert provider.checkout_status(started.provider_ref).state is base.CheckoutState.OPEN


@pytest.mark.parametrize(("is_paid", "state"), [(True, base.CheckoutState.PAID), (False, base.CheckoutState.FAILED)])
def test_a_payment_that_arrives_later_is_first_processing(provider, server, shop, is_paid, state):
    started = start(provider)
    press(started, "later")
    assert [one.kind for one in told(provider, server, shop)] == [base.NewsKind.PROCESSING]
    assert provider.checkout_status(started.provider_ref).state is base.CheckoutState.PROCESSING
    with server.store.lock:
        server.till.session_settle(server.store.get("checkout.session", started.provider_ref), paid=is_paid)
    assert told(provider, server, shop)[-1].kind.value == state.value
    assert provider.checkout_status(started.provider_ref).state is state


def test_an_expired_checkout_is_news_and_cannot_be_paid(provider, server, shop):
    started = start(provider)
    assert provider.checkout_expire(started.provider_ref).state is base.CheckoutState.EXPIRED
    press(started)
    assert [one.kind for one in told(provider, server, shop)] == [base.NewsKind.EXPIRED]
    with pytest.raises(base.PaymentRefusedByProvider):
        provider.checkout_expire(started.provider_ref)


def test_an_event_delivered_twice_carries_one_id(provider, server, shop):
    server.postman.copies = 2
    press(start(provider))
    paid = told(provider, server, shop)
    assert len(paid) == 2
    assert len({one.event_id for one in paid}) == 1


def test_events_held_back_can_arrive_in_reverse_order(provider, server, shop):
    server.postman.held = True
    started = start(provider)
    press(started, "later")
    with server.store.lock:
        server.till.session_settle(server.store.get("checkout.session", started.provider_ref), paid=True)
    assert told(provider, server, shop) == []
    server.postman.release(is_reversed=True)
    assert [one.kind for one in told(provider, server, shop)] == [base.NewsKind.PAID, base.NewsKind.PROCESSING]


def test_a_webhook_that_is_not_taken_is_sent_again(provider, server, shop):
    shop.answers = [500, 500]
    press(start(provider), "cancel")
    press(start(provider))
    assert len(told(provider, server, shop)) == 1
    assert len(shop.received) == 4 + 2
    assert all(event["pending_webhooks"] == 0 for event in server.store.all("event"))


def test_a_wrong_old_changed_or_missing_signature_is_refused(provider, server, shop):
    press(start(provider))
    told(provider, server, shop)
    body, good = shop.received[-1]
    now = int(datetime.now(UTC).timestamp())
    wrong = [
        (body, ""),
        (body, "t=abc,v1=00"),
        (body, signature(body, "whsec_other", now)),
        (body, signature(body, WEBHOOK_SECRET, now - 301)),
        (body.replace(b"1200050", b"1200051"), good),
    ]
    for payload, header in wrong:
        with pytest.raises(base.WebhookSignatureWrong):
            provider.webhook_parse(payload, header)
    assert provider.webhook_parse(body, good).kind is base.NewsKind.PAID


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"id": "evt_1", "object": "event"}', b"\xff\xfe"])
def test_a_signed_message_that_is_no_event_is_unreadable(provider, body):
    header = signature(body, WEBHOOK_SECRET, int(datetime.now(UTC).timestamp()))
    with pytest.raises(base.WebhookUnreadable):
        provider.webhook_parse(body, header)


def test_a_provider_that_is_down_is_a_refusal(server):
    provider = StripeProvider(settings_for(server, max_retries=1))
    start(provider)
    server.stop()
    with pytest.raises(base.PaymentProviderUnavailable) as refused:
        start(provider, "in-1002")
    assert refused.value.code == "payment_provider_unavailable"


def test_a_provider_that_hangs_is_given_up_after_the_timeout(server):
    provider = StripeProvider(settings_for(server, timeout_seconds=0.2, max_retries=0))
    held, released = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold, server, held, released)
        assert held.wait(5)
        with pytest.raises(base.PaymentProviderUnavailable):
            start(provider)
        released.set()


def hold(server, held, released):
    with server.store.lock:
        held.set()
        released.wait(5)


def test_retries_are_bounded(provider, server):
    server.faults = [{"status": 503}] * 2
    start(provider)
    server.faults = [{"status": 503}] * 4
    with pytest.raises(base.PaymentProviderUnavailable):
        start(provider, "in-1003")
    assert len(server.faults) == 1, "one attempt and two retries"


def test_a_wrong_key_is_a_misconfiguration_and_no_secret_is_logged(server, caplog):
    settings = settings_for(server, secret_key="sk_test_quite_another_secret_key")
    with caplog.at_level(logging.DEBUG), pytest.raises(base.PaymentProviderMisconfigured):
        start(StripeProvider(settings))
    shown = caplog.text + repr(settings)
    assert "stripe refused checkout_start" in caplog.text
    for secret in ("quite_another_secret_key", SECRET_KEY, WEBHOOK_SECRET):
        assert secret not in shown


def test_a_checkout_nobody_knows_is_unknown(provider):
    with pytest.raises(base.PaymentUnknown):
        provider.checkout_status("cs_test_nothing")


@pytest.mark.parametrize("amount", [0, -1, 100_000_000])
def test_an_amount_that_no_online_payment_carries_is_refused_before_asking(provider, server, amount):
    with pytest.raises(base.AmountNotPayableOnline):
        start(provider, amount_minor=amount)
    assert server.store.all("checkout.session") == []


@pytest.mark.parametrize("amount", [12.5, "1200", True])
def test_an_amount_that_is_not_whole_fen_is_an_error_of_ours(provider, amount):
    with pytest.raises(TypeError):
        start(provider, amount_minor=amount)


@pytest.mark.parametrize(("language", "page"), [("zh-hans", "zh"), ("en", "en"), ("de", "auto")])
def test_the_page_speaks_the_payers_language(provider, server, language, page):
    started = start(provider, locale=language)
    assert server.store.get("checkout.session", started.provider_ref)["locale"] == page


def test_settings_know_a_demo_from_stripe():
    assert StripeSettings("sk_test_x", "whsec_x", api_base="http://127.0.0.1:8010").is_demo
    assert not StripeSettings("sk_test_x", "whsec_x").is_demo


def test_what_was_not_delivered_is_sent_after_a_restart(shop, tmp_path):
    state = tmp_path / "stripe.json"
    options = {"secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET, "state": state}
    with StripeServer(webhook_url=shop.url, **options) as server:
        server.postman.held = True
        press(start(StripeProvider(settings_for(server))))
    assert shop.received == []
    with StripeServer(webhook_url=shop.url, **options) as server:
        provider = StripeProvider(settings_for(server))
        assert [one.kind for one in told(provider, server, shop)] == [base.NewsKind.PAID]


def test_an_asynchronous_payment_settles_by_itself_where_told_so(shop):
    options = {"secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET, "settle_seconds": 0.05}
    with StripeServer(webhook_url=shop.url, **options) as server:
        provider = StripeProvider(settings_for(server))
        press(start(provider), "later")
        shop.wait_for(lambda: any(b"async_payment_succeeded" in body for body, _signature in shop.received))
        kinds = [one.kind for one in told(provider, server, shop)]
        assert kinds == [base.NewsKind.PROCESSING, base.NewsKind.PAID]
