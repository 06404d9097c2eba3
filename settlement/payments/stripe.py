"""Stripe behind `PaymentProvider`: the only module that imports the stripe SDK.

Cards, Alipay and WeChat Pay through Stripe's hosted Checkout page by redirect; no card number ever reaches us.
Amounts are integers in fen, as Stripe counts CNY.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe

from settlement.payments import base

log = logging.getLogger(__name__)

# The version our code was read against. An SDK upgrade speaks another one; a test makes that a decision.
API_VERSION = "2026-10-28.endive"
API_BASE = "https://api.stripe.com"
# Stripe takes at most eight digits of the smallest unit in one payment.
AMOUNT_MAX_MINOR = 99_999_999
INTENT_KEY = "gongshu_intent"

_SESSION_NEWS = {
    "checkout.session.async_payment_succeeded": base.NewsKind.PAID,
    "checkout.session.async_payment_failed": base.NewsKind.FAILED,
    "checkout.session.expired": base.NewsKind.EXPIRED,
}
_REFUND_EVENTS = {"refund.created", "refund.updated", "refund.failed"}
_REFUND_NEWS = {
    "succeeded": base.NewsKind.REFUNDED,
    "failed": base.NewsKind.REFUND_FAILED,
    "canceled": base.NewsKind.REFUND_FAILED,
}


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """All that the adapter needs to know. Secrets stay out of `repr`, so they stay out of logs and tracebacks."""

    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_base: str = API_BASE
    timeout_seconds: float = 10.0
    max_retries: int = 2
    methods: tuple[str, ...] = ("card", "alipay", "wechat_pay")
    webhook_tolerance_seconds: int = 300

    @property
    def is_demo(self) -> bool:
        """True where the base address is not Stripe's own, so that pages can say that no real money moves."""
        return self.api_base.rstrip("/") != API_BASE


class StripeProvider:
    """A `PaymentProvider`. Hold one per process; it is safe to share between threads."""

    def __init__(self, settings: StripeSettings) -> None:
        self._settings = settings
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            settings.secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": settings.api_base.rstrip("/")},
            max_network_retries=settings.max_retries,
            http_client=stripe.RequestsClient(timeout=settings.timeout_seconds, session=_session_for(settings.api_base)),
        )

    def checkout_start(
        self,
        *,
        intent_id: str,
        amount_minor: int,
        currency: str,
        description: str,
        customer_email: str,
        success_url: str,
        cancel_url: str,
        locale: str,
        metadata: Mapping[str, str],
    ) -> base.CheckoutStarted:
        """Open a hosted checkout for one intent and return its page.

        `amount_minor` fen, `currency` "CNY"; `success_url` may hold `{CHECKOUT_SESSION_ID}`; `locale` is Django's code
        of a language. The same intent with the same particulars gives the same page again; with others it raises
        `PaymentIntentChanged`, so keep the page's address beside the intent. Raises `AmountNotPayableOnline`,
        `PaymentProviderUnavailable`, `PaymentProviderMisconfigured`, `PaymentRefusedByProvider`.
        """
        _amount_check(amount_minor)
        ours = {**metadata, INTENT_KEY: intent_id}
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": intent_id,
            "customer_email": customer_email,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": amount_minor,
                        "product_data": {"name": description},
                    },
                }
            ],
            "locale": _locale(locale),
            "metadata": ours,
            "payment_intent_data": {"description": description, "metadata": ours},
            "payment_method_types": list(self._settings.methods),
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if "wechat_pay" in self._settings.methods:
            params["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        with _translated("checkout_start"):
            session = self._client.v1.checkout.sessions.create(
                params,  # type: ignore[arg-type]
                {"idempotency_key": f"gongshu-checkout-{intent_id}"},
            )
        return base.CheckoutStarted(session.id, session.url or "", _moment(session.expires_at))

    def checkout_status(self, provider_ref: str) -> base.CheckoutStatus:
        """Ask how a checkout stands: so we learn of a payment whose webhook has not come. Raises `PaymentUnknown`."""
        expand = ["payment_intent.latest_charge.balance_transaction"]
        with _translated("checkout_status"):
            session = self._client.v1.checkout.sessions.retrieve(provider_ref, {"expand": expand})
        return _status(session.to_dict())

    def checkout_expire(self, provider_ref: str) -> base.CheckoutStatus:
        """Close an open checkout, so that nobody can pay it any more: the payer chose a transfer, or gave the order up.

        Raises `PaymentRefusedByProvider` where it is no longer open: ask `checkout_status` then.
        """
        with _translated("checkout_expire"):
            session = self._client.v1.checkout.sessions.expire(provider_ref)
        return _status(session.to_dict())

    def webhook_parse(self, payload: bytes, signature: str) -> base.PaymentNews:
        """Verify the raw body of a webhook against its `Stripe-Signature` header and say what it means.

        Raises `WebhookSignatureWrong`, `WebhookUnreadable`. Needs no network.
        """
        try:
            event = self._client.construct_event(
                payload, signature, self._settings.webhook_secret, self._settings.webhook_tolerance_seconds
            )
            return _news(event.to_dict())
        except stripe.SignatureVerificationError as error:
            raise base.WebhookSignatureWrong() from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise base.WebhookUnreadable() from error

    def refund(self, *, refund_id: str, payment_ref: str, amount_minor: int, metadata: Mapping[str, str]) -> base.RefundMade:
        """Pay back `amount_minor` fen of a payment, once per `refund_id`.

        Raises `PaymentRefusedByProvider` above what is left of it, `PaymentUnknown`, `PaymentProviderUnavailable`.
        """
        _amount_check(amount_minor)
        with _translated("refund"):
            refund = self._client.v1.refunds.create(
                {"payment_intent": payment_ref, "amount": amount_minor, "metadata": dict(metadata)},
                {"idempotency_key": f"gongshu-refund-{refund_id}"},
            )
        return base.RefundMade(
            refund.id, payment_ref, refund.amount, refund.currency.upper(), is_final=refund.status == "succeeded"
        )


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn the SDK's errors into our refusals. Logs the kind and Stripe's request id; never bodies, keys, addresses."""
    try:
        yield
    except stripe.StripeError as error:
        log.warning(
            "stripe refused %s: %s status=%s code=%s request=%s",
            doing,
            type(error).__name__,
            error.http_status,
            error.code,
            error.request_id,
        )
        raise _refusal(error) from error


def _refusal(error: stripe.StripeError) -> base.PaymentRefusal:
    if isinstance(error, stripe.IdempotencyError):
        return base.PaymentIntentChanged()
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        return base.PaymentProviderMisconfigured()
    if isinstance(error, (stripe.APIConnectionError, stripe.RateLimitError)) or (error.http_status or 500) >= 500:
        return base.PaymentProviderUnavailable()
    if error.http_status == 409:  # the same key is being worked on by another of our processes
        return base.PaymentProviderUnavailable()
    if error.code == "resource_missing":
        return base.PaymentUnknown()
    return base.PaymentRefusedByProvider()


def _amount_check(amount_minor: int) -> None:
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise TypeError(f"amount_minor is whole fen, not {type(amount_minor).__name__}")
    if not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        raise base.AmountNotPayableOnline()


def _session_for(api_base: str) -> requests.Session | None:
    """A proxy from the environment serves the outside world; a server on this machine is spoken to directly."""
    if urlsplit(api_base).hostname not in ("127.0.0.1", "localhost", "::1"):
        return None
    session = requests.Session()
    session.trust_env = False
    return session


def _locale(language: str) -> str:
    """Django's language code in Stripe's words; an unknown one lets the page follow the payer's browser."""
    known = {"zh": "zh", "zh-hans": "zh", "zh-cn": "zh", "en": "en"}
    return known.get(language.lower().replace("_", "-"), "auto")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _ref(value: Any) -> str:
    """The id of something that Stripe gives as an id or, expanded, as an object."""
    return (value.get("id", "") if isinstance(value, dict) else value) or ""


def _status(session: Mapping[str, Any]) -> base.CheckoutStatus:
    intent = session.get("payment_intent")
    charge = intent.get("latest_charge") if isinstance(intent, dict) else None
    booked = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return base.CheckoutStatus(
        provider_ref=session["id"],
        state=_state(session),
        intent_id=session.get("client_reference_id") or "",
        amount_minor=session["amount_total"],
        currency=session["currency"].upper(),
        payment_ref=_ref(intent),
        method=charge["payment_method_details"]["type"] if isinstance(charge, dict) else "",
        fee_minor=booked["fee"] if isinstance(booked, dict) else None,
        url=session.get("url") or "",
    )


def _state(session: Mapping[str, Any]) -> base.CheckoutState:
    if session["status"] == "expired":
        return base.CheckoutState.EXPIRED
    if session["status"] == "open":
        return base.CheckoutState.OPEN
    if session["payment_status"] == "paid":
        return base.CheckoutState.PAID
    intent = session.get("payment_intent")
    failed = isinstance(intent, dict) and intent["status"] in ("requires_payment_method", "canceled")
    return base.CheckoutState.FAILED if failed else base.CheckoutState.PROCESSING


def _news(event: Mapping[str, Any]) -> base.PaymentNews:
    subject: Mapping[str, Any] = event["data"]["object"]
    kind = _kind(event["type"], subject)
    metadata = {str(k): str(v) for k, v in (subject.get("metadata") or {}).items()}
    amount = subject.get("amount_total", subject.get("amount"))
    return base.PaymentNews(
        event_id=event["id"],
        event_type=event["type"],
        kind=kind,
        occurred_at=_moment(event["created"]),
        is_live=bool(event["livemode"]),
        provider_ref=subject.get("id") or "",
        payment_ref=_ref(subject.get("payment_intent")),
        intent_id=subject.get("client_reference_id") or metadata.get(INTENT_KEY, ""),
        amount_minor=amount if isinstance(amount, int) else None,
        currency=(subject.get("currency") or "").upper(),
        metadata=metadata,
    )


def _kind(event_type: str, subject: Mapping[str, Any]) -> base.NewsKind:
    """Payments are told by their checkout alone: one payment, one piece of news, though Stripe sends several events."""
    if event_type == "checkout.session.completed":
        paid = subject["payment_status"] == "paid"
        return base.NewsKind.PAID if paid else base.NewsKind.PROCESSING
    if event_type in _REFUND_EVENTS:
        return _REFUND_NEWS.get(subject["status"], base.NewsKind.OTHER)
    return _SESSION_NEWS.get(event_type, base.NewsKind.OTHER)
