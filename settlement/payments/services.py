"""Payment intents: opened and committed before a provider is called, started, settled once, closed. And the provider's news."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, User
from products.record import audit
from products.record.refusals import Refused
from settlement.billing.models import Invoice
from settlement.payments.bank import reference_new
from settlement.payments.base import CheckoutState, CheckoutStatus, PaymentNews, PaymentProvider
from settlement.payments.models import PaymentIntent, WebhookEvent
from settlement.payments.stripe import API_BASE, StripeProvider, StripeSettings

OPEN_STATES = (PaymentIntent.State.CREATED, PaymentIntent.State.PENDING)
REFERENCE_ATTEMPTS = 5


class OnlinePaymentOff(Refused):
    """No payment provider is set up."""

    code = "online_payment_off"


class PaymentAmountDiffers(Refused):
    """The provider reports another amount than the intent's. Nothing is settled; a person has to look."""

    code = "payment_amount_differs"


class PaymentClosed(Refused):
    """The intent is settled or given up."""

    code = "payment_closed"


class TransferToOneself(Refused):
    """Who began a transfer does not confirm that it arrived."""

    code = "transfer_confirmed_by_its_maker"


def provider() -> PaymentProvider:
    """The hosted-payment provider of this installation. Raises OnlinePaymentOff."""
    if not settings.STRIPE_SECRET_KEY and not settings.STRIPE_API_BASE:
        raise OnlinePaymentOff(_("Online payment is not set up here. Please pay by bank transfer."))
    return _stripe(
        settings.STRIPE_SECRET_KEY or "sk_test_demo",
        settings.STRIPE_WEBHOOK_SECRET or "whsec_demo",
        settings.STRIPE_API_BASE or API_BASE,
    )


@lru_cache(maxsize=4)
def _stripe(secret_key: str, webhook_secret: str, api_base: str) -> StripeProvider:
    return StripeProvider(StripeSettings(secret_key, webhook_secret, api_base))


@transaction.atomic
def intent_open(
    *,
    kind: str,
    method: str,
    organisation: Organisation,
    operator: Organisation,
    amount_minor: int,
    order_number: str = "",
    invoice: Invoice | None = None,
    context: dict[str, Any] | None = None,
    user: User,
    at: datetime,
) -> PaymentIntent:
    """What is about to be paid (fen). A transfer gets its reference and waits; a hosted payment waits to be started."""
    is_transfer = method == PaymentIntent.Method.TRANSFER
    intent = PaymentIntent(
        kind=kind,
        method=method,
        state=PaymentIntent.State.PENDING if is_transfer else PaymentIntent.State.CREATED,
        organisation=organisation,
        operator=operator,
        amount_minor=amount_minor,
        order_number=order_number,
        invoice=invoice,
        context=context or {},
        created_by=user,
        created_at=at,
    )
    _save(intent, is_transfer)
    facts = {"amount_minor": amount_minor, "method": method, "kind": kind, "operator": operator.slug}
    audit.record(action="payment.open", obj=intent, actor=user, organisation=organisation, at=at, facts=facts)
    return intent


def hosted_start(*, intent: PaymentIntent, description: str, success_url: str, cancel_url: str, locale: str) -> PaymentIntent:
    """Open the provider's page for a committed intent; its address is in ``provider_url``.

    Repeating it gives the same page. Must not run in a transaction: the row has to be there when the webhook comes.
    """
    if intent.provider_url:
        return intent
    started = provider().checkout_start(
        intent_id=str(intent.pk),
        amount_minor=intent.amount_minor,
        currency=intent.currency,
        description=description,
        customer_email=intent.created_by.email,
        success_url=success_url,
        cancel_url=cancel_url,
        locale=locale,
        metadata={"order": intent.order_number, "invoice": intent.invoice.number if intent.invoice else ""},
    )
    waiting = PaymentIntent.objects.filter(pk=intent.pk)
    waiting.update(provider_ref=started.provider_ref, provider_url=started.url)
    waiting.filter(state=PaymentIntent.State.CREATED).update(state=PaymentIntent.State.PENDING)
    intent.refresh_from_db()
    return intent


def intent_locked(*, intent: PaymentIntent) -> PaymentIntent:
    """The intent's row, locked for the caller's transaction: webhook, browser and cashier wait for each other here."""
    related = ("organisation", "operator", "invoice", "created_by")
    return PaymentIntent.objects.select_for_update(of=("self",)).select_related(*related).get(pk=intent.pk)


def intent_settle(*, intent: PaymentIntent, at: datetime, confirmed_by: User | None = None) -> PaymentIntent:
    """Mark a locked intent as paid, whatever it was before: money that came is never turned away."""
    if confirmed_by is not None and confirmed_by.pk == intent.created_by_id:
        raise TransferToOneself(_("Another person has to confirm this transfer: you began it."))
    before = intent.state
    intent.state, intent.finished_at, intent.confirmed_by = PaymentIntent.State.SUCCEEDED, at, confirmed_by
    intent.save(update_fields=["state", "finished_at", "confirmed_by"])
    facts = {"amount_minor": intent.amount_minor, "method": intent.method, "from": before}
    audit.record(action="payment.settled", obj=intent, actor=confirmed_by, organisation=intent.organisation, at=at, facts=facts)
    return intent


@transaction.atomic
def intent_close(*, intent: PaymentIntent, state: str, actor: User | None, at: datetime) -> PaymentIntent:
    """Give an open intent up (cancelled) or record that it failed. Raises PaymentClosed where it is neither open."""
    if not PaymentIntent.objects.filter(pk=intent.pk, state__in=OPEN_STATES).update(state=state, finished_at=at):
        raise PaymentClosed(_("This payment is already finished."))
    intent.refresh_from_db()
    audit.record(action=f"payment.{state}", obj=intent, actor=actor, organisation=intent.organisation, at=at)
    return intent


def status_of(*, intent: PaymentIntent) -> CheckoutStatus:
    """How the provider sees a started intent. Raises PaymentAmountDiffers."""
    status = provider().checkout_status(intent.provider_ref)
    if status.state is CheckoutState.PAID:
        amount_check(intent=intent, amount_minor=status.amount_minor, currency=status.currency)
    return status


def amount_check(*, intent: PaymentIntent, amount_minor: int | None, currency: str) -> None:
    if amount_minor != intent.amount_minor or currency.upper() != intent.currency:
        raise PaymentAmountDiffers(_("The amount paid is not the amount asked. The platform looks into it."))


def news_keep(*, news: PaymentNews, at: datetime) -> WebhookEvent:
    """Keep a provider's news by its id; a repeat finds the row that is there."""
    kept, _is_new = WebhookEvent.objects.get_or_create(
        provider="stripe", event_id=news.event_id, defaults={"kind": news.event_type, "received_at": at}
    )
    return kept


def news_processed(*, event: WebhookEvent, at: datetime) -> None:
    WebhookEvent.objects.filter(pk=event.pk, processed_at=None).update(processed_at=at)


def _save(intent: PaymentIntent, is_transfer: bool) -> None:
    """References are drawn at random; two may meet, so a clash draws again."""
    for attempt in range(REFERENCE_ATTEMPTS):
        intent.transfer_reference = reference_new() if is_transfer else None
        try:
            with transaction.atomic():
                intent.save(force_insert=True)
            return
        except IntegrityError as error:
            is_clash = is_transfer and "transfer_reference" in str(error)
            if not is_clash or attempt == REFERENCE_ATTEMPTS - 1:
                raise
