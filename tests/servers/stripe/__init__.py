"""A payment server of our own that speaks HTTP with Stripe's shapes: for the tests, and for the demo.
Uses the standard library only; imports nothing of Gongshu and no SDK.
Start reading at handler.py (requests), then endpoints.py (what each does) and webhooks.py (what it tells us)."""

from tests.servers.stripe.server import StripeServer

__all__ = ["StripeServer"]
