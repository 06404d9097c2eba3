"""Entitlements and the keys that use them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Entitlement(models.Model):
    """A buyer's right to call a product for a purpose under a plan or a grant. It ends no later than the authorisation."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        OVERDUE = "overdue", _("Suspended: invoice overdue")
        SUSPENDED = "suspended", _("Suspended")
        ENDED = "ended", _("Ended")

    code = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="entitlements")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="entitlements_sold")
    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="entitlements")
    plan = models.ForeignKey("pricing.Plan", null=True, on_delete=models.PROTECT, related_name="entitlements")
    grant = models.OneToOneField("pricing.FreeUseGrant", null=True, on_delete=models.PROTECT, related_name="entitlement")
    purposes = ArrayField(models.CharField(max_length=80))
    scenario = models.CharField(max_length=60)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(help_text="First moment after it")
    anchor_date = models.DateField(help_text="Where flat weeks and years start")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    discounts = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_prepaid = models.BooleanField(default=False)
    rate_per_minute = models.PositiveIntegerField(default=600)
    order_number = models.CharField(max_length=40, blank=True)
    agreement_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the agreement accepted")
    accepted_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False, grant__isnull=True) | Q(plan__isnull=True, grant__isnull=False),
                name="entitlement_by_plan_or_grant",
            ),
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="entitlement_dates_in_order"),
            models.CheckConstraint(condition=Q(purposes__len__gte=1), name="entitlement_has_a_purpose"),
        ]
        indexes = [
            models.Index(fields=["organisation", "state", "id"], name="entitlement_by_organisation"),
            models.Index(fields=["operator", "state", "id"], name="entitlement_by_operator"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_free(self) -> bool:
        return self.grant_id is not None


class Quota(models.Model):
    """A hard limit of an entitlement, in units of one component over one span; never overspent (the constraint says so)."""

    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="quotas")
    span_start = models.DateField(help_text="First day of the span the limit counts over")
    limit = models.BigIntegerField()
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "span_start"], name="quota_once_per_span"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("limit")), name="quota_never_overspent"),
        ]


class ApiKey(models.Model):
    """A key: ``gs_live_`` and ``gs_test_`` call a product under an entitlement, ``gs_op_`` reports an operator's usage.

    Only the SHA-256 of the whole key is kept; the key is shown once.
    """

    class Mode(models.TextChoices):
        LIVE = "live", _("Live")
        TEST = "test", _("Sandbox")
        OPERATOR = "op", _("Usage reports")

    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="api_keys")
    entitlement = models.ForeignKey(Entitlement, null=True, on_delete=models.PROTECT, related_name="keys")
    mode = models.CharField(max_length=4, choices=Mode)
    name = models.CharField(max_length=60, blank=True)
    hint = models.CharField(max_length=16, help_text="The first characters, to recognise it")
    digest = models.BinaryField(max_length=32, unique=True)
    created_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(mode="live") & Q(entitlement__isnull=False)) | Q(mode__in=["test", "op"]),
                name="api_key_live_has_an_entitlement",
            )
        ]
