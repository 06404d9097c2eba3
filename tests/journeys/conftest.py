"""The market as people meet it: the site, and beside it a payment server that speaks HTTP."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.test import Client

from products.models import User
from settlement.payments import services as payments
from tests.servers.stripe import StripeServer
from tests.servers.stripe.webhooks import signature

WEBHOOK_SECRET = "whsec_journey"


@dataclass
class Till:
    """The payment server, and what a payer does on its page."""

    server: StripeServer

    def press(self, url: str, action: str = "pay", method: str = "card") -> requests.Response:
        """Press a button of the hosted page; its answer is not followed."""
        return requests.post(url, data={"action": action, "method": method}, timeout=5, allow_redirects=False)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        return [event for event in self.server.store.all("event") if event["type"].startswith(kind)]

    def tell(self, event: dict[str, Any]) -> int:
        """Hand one event to the site's webhook, signed, as the postman would; the site's status."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": signature(body, WEBHOOK_SECRET, int(time.time()))}
        return Client(headers=headers).post("/payments/webhooks/stripe/", body, content_type="application/json").status_code


@pytest.fixture
def stripe(settings) -> Iterator[Till]:
    """A payment server that tells nobody by itself: tests hand its news over when they want."""
    with StripeServer(webhook_secret=WEBHOOK_SECRET) as server:
        settings.STRIPE_API_BASE = server.url
        settings.STRIPE_SECRET_KEY = "sk_test_journey"
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        payments._stripe.cache_clear()
        yield Till(server)


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return enter


def digest_on(page: str) -> str:
    """The fingerprint of the agreement that a page shows."""
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found, "no agreement on this page"
    return found[1]
