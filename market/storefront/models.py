"""What the shop keeps beside Oscar's rows: whose basket and for what, what a line asks for, what an order was agreed on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BasketContext(models.Model):
    """A basket belongs to one organisation, operator, purpose and scenario; another operator's product opens a second."""

    basket = models.OneToOneField("basket.Basket", on_delete=models.CASCADE, related_name="context")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=80)
    scenario = models.CharField(max_length=60)
    is_open = models.BooleanField(default=True)
    opened_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "operator", "purpose", "scenario"],
                condition=Q(is_open=True),
                name="basket_context_one_open",
            )
        ]


class LineChoice(models.Model):
    """What a basket's line asks for: a plan with the expected usage and a top-up, or a grant."""

    line = models.OneToOneField("basket.Line", on_delete=models.CASCADE, related_name="choice")
    plan = models.ForeignKey("pricing.Plan", null=True, on_delete=models.PROTECT, related_name="+")
    grant = models.ForeignKey("pricing.FreeUseGrant", null=True, on_delete=models.PROTECT, related_name="+")
    expected_units = models.JSONField(default=dict, help_text="Units a month by component code, decimal strings")
    top_up_minor = models.BigIntegerField(default=0, help_text="fen")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False, grant__isnull=True) | Q(plan__isnull=True, grant__isnull=False, top_up_minor=0),
                name="line_choice_plan_or_grant",
            ),
            models.CheckConstraint(condition=Q(top_up_minor__gte=0), name="line_choice_top_up_not_negative"),
        ]


class OrderContext(models.Model):
    """What an order was agreed on: organisation, operator, purpose, scenario, the agreement as it was read, the payment."""

    order = models.OneToOneField("order.Order", on_delete=models.PROTECT, related_name="context")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="orders")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=80)
    scenario = models.CharField(max_length=60)
    agreement_text = models.TextField(_("agreement"))
    agreement_digest = models.CharField(max_length=64, help_text="SHA-256 of the text")
    accepted_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    intent = models.OneToOneField("settlement.PaymentIntent", null=True, on_delete=models.PROTECT, related_name="+")
    due_minor = models.BigIntegerField(help_text="fen, paid as deposit")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-created_at"], name="order_context_by_buyer")]
