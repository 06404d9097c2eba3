"""Payment intents (committed before a provider is called) and the webhooks that finish them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PaymentIntent(models.Model):
    """What an organisation is about to pay, for an order or an invoice. The row comes before the provider's call.

    ``context`` is all that the webhook needs to finish the job when the browser never comes back.
    """

    class Kind(models.TextChoices):
        ORDER = "order", _("Order")
        INVOICE = "invoice", _("Invoice")

    class Method(models.TextChoices):
        HOSTED = "hosted", _("Card, Alipay or WeChat Pay")
        TRANSFER = "transfer", _("Bank transfer")

    class State(models.TextChoices):
        CREATED = "created", _("Created")
        PENDING = "pending", _("Waiting for payment")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=8, choices=Kind)
    method = models.CharField(max_length=8, choices=Method)
    state = models.CharField(max_length=10, choices=State, default=State.CREATED)
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField(help_text="fen")
    currency = models.CharField(max_length=3, default="CNY")
    order_number = models.CharField(max_length=40, blank=True)
    invoice = models.ForeignKey("settlement.Invoice", null=True, on_delete=models.PROTECT, related_name="payment_intents")
    provider_ref = models.CharField(max_length=120, blank=True)
    provider_url = models.TextField(blank=True)
    transfer_reference = models.CharField(max_length=30, unique=True, null=True)
    context = models.JSONField(default=dict)
    created_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_intent_amount_positive"),
            models.UniqueConstraint(
                fields=["provider_ref"], condition=~Q(provider_ref=""), name="payment_intent_provider_ref_once"
            ),
        ]


class WebhookEvent(models.Model):
    """A provider's news, kept once by its id, so that a repeat changes nothing."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="webhook_event_once")]
