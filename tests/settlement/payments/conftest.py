"""A payment server, a listener for its webhooks, and our provider between them: all over HTTP, nothing replaced."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

import pytest

from settlement.payments.base import CheckoutStarted, PaymentNews
from settlement.payments.stripe import StripeProvider, StripeSettings
from tests.servers.stripe import StripeServer

SECRET_KEY = "sk_test_gateway_secret"
WEBHOOK_SECRET = "whsec_gateway_secret"


@dataclass
class Shop:
    """The market's side: what arrived at the webhook's address, raw, and what it is told to answer."""

    received: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, seen: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(seen, 5)


@pytest.fixture
def shop():
    shop = Shop()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with shop.arrived:
                shop.received.append((body, self.headers["Stripe-Signature"]))
                shop.arrived.notify_all()
            self.send_response(shop.answers.pop(0) if shop.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}/payments/stripe/webhook/"
    yield shop
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def server(shop):
    with StripeServer(
        secret_key=SECRET_KEY, webhook_url=shop.url, webhook_secret=WEBHOOK_SECRET, retry_delays=(0.01, 0.01)
    ) as server:
        yield server


@pytest.fixture
def provider(server):
    return StripeProvider(settings_for(server))


def settings_for(server: StripeServer, **changed: object) -> StripeSettings:
    values = {
        "secret_key": SECRET_KEY,
        "webhook_secret": WEBHOOK_SECRET,
        "api_base": server.url,
        "timeout_seconds": 2.0,
    }
    return StripeSettings(**{**values, **changed})  # type: ignore[arg-type]


def start(provider: StripeProvider, intent_id: str = "in-1001", **changed: object) -> CheckoutStarted:
    particulars = {
        "amount_minor": 1_200_050,
        "currency": "CNY",
        "description": "企业核验服务首期",
        "customer_email": "buyer@example.com",
        "success_url": "http://shop.example/done?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://shop.example/cancelled",
        "locale": "zh-hans",
        "metadata": {"order": "1001"},
    }
    return provider.checkout_start(intent_id=intent_id, **{**particulars, **changed})  # type: ignore[arg-type]


def press(started: CheckoutStarted, action: str = "pay", method: str = "card") -> tuple[int, str]:
    """Post the hosted page's form as a browser would; the status and where it sends the browser."""
    address = urlsplit(started.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=5)
    try:
        body = urlencode({"action": action, "method": method})
        connection.request("POST", address.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Location"] or ""
    finally:
        connection.close()


def news(provider: StripeProvider, shop: Shop) -> list[PaymentNews]:
    return [provider.webhook_parse(body, signature) for body, signature in shop.received]
