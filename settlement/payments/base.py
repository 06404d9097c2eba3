"""What every payment provider offers us, in our own words: no provider's types, names or exceptions pass this line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused


class PaymentRefusal(Refused):
    """A refusal whose sentence is always the same."""

    sentence: ClassVar[str | Promise]

    def __init__(self) -> None:
        super().__init__(self.sentence)


class PaymentProviderUnavailable(PaymentRefusal):
    """The provider did not answer, or cannot now. Whether it acted is not known; the same call may be repeated."""

    code = "payment_provider_unavailable"
    sentence = _("The payment service does not answer at the moment. Please try again; nothing is charged twice.")


class PaymentProviderMisconfigured(PaymentRefusal):
    """Our keys or rights at the provider are wrong; a person of the platform has to act."""

    code = "payment_provider_misconfigured"
    sentence = _("Online payment is not set up correctly. Please pay by bank transfer, or tell the platform.")


class PaymentRefusedByProvider(PaymentRefusal):
    """The provider understood us and declined, for example a refund above what was paid."""

    code = "payment_refused_by_provider"
    sentence = _("The payment service refused this request. Please check the payment's state before trying again.")


class PaymentUnknown(PaymentRefusal):
    """The provider knows no such checkout or payment."""

    code = "payment_unknown"
    sentence = _("The payment service does not know this payment.")


class PaymentIntentChanged(PaymentRefusal):
    """The same intent was started before with other particulars. Start a new intent instead."""

    code = "payment_intent_changed"
    sentence = _("This payment was already started with other particulars. Please start it again from the order.")


class AmountNotPayableOnline(PaymentRefusal):
    """The amount is not positive, or above what one online payment can carry."""

    code = "amount_not_payable_online"
    sentence = _("This amount cannot be paid online in one payment. Please pay by bank transfer.")


class WebhookSignatureWrong(PaymentRefusal):
    """The message was not signed with our webhook secret, or is too old. Answer 400 and change nothing."""

    code = "webhook_signature_wrong"
    sentence = _("The signature of this message is wrong or too old.")


class WebhookUnreadable(PaymentRefusal):
    """Signed, but not an event that we can read."""

    code = "webhook_unreadable"
    sentence = _("This message cannot be read.")


class CheckoutState(StrEnum):
    """Where a hosted checkout stands. `failed` and `expired` are final; after `processing` comes `paid` or `failed`."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class NewsKind(StrEnum):
    """What a webhook tells us. `other` is acknowledged and needs no action."""

    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CheckoutStarted:
    """A hosted page that waits for the payer at `url` until `expires_at`."""

    provider_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutStatus:
    """A checkout as the provider sees it now. `amount_minor` is fen; payment, method and fee are known when paid."""

    provider_ref: str
    state: CheckoutState
    intent_id: str
    amount_minor: int
    currency: str
    payment_ref: str = ""
    method: str = ""
    fee_minor: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """One verified webhook event. `event_id` is the key against double delivery; events may come late and in any order.

    `intent_id` is ours (empty where the provider's object carries none); `provider_ref` is the checkout or the refund
    that the news is about, `payment_ref` the payment beneath it. `amount_minor` is fen, None where the event has none.
    """

    event_id: str
    event_type: str
    kind: NewsKind
    occurred_at: datetime
    is_live: bool
    provider_ref: str = ""
    payment_ref: str = ""
    intent_id: str = ""
    amount_minor: int | None = None
    currency: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefundMade:
    """A refund that the provider accepted; `is_final` is False while it is pending and news will follow."""

    refund_ref: str
    payment_ref: str
    amount_minor: int
    currency: str
    is_final: bool


class PaymentProvider(Protocol):
    """A provider with a hosted page. Every call is safe to repeat: the intent's or refund's id makes it happen once."""

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
    ) -> CheckoutStarted: ...

    def checkout_status(self, provider_ref: str) -> CheckoutStatus: ...

    def checkout_expire(self, provider_ref: str) -> CheckoutStatus: ...

    def webhook_parse(self, payload: bytes, signature: str) -> PaymentNews: ...

    def refund(self, *, refund_id: str, payment_ref: str, amount_minor: int, metadata: Mapping[str, str]) -> RefundMade: ...
