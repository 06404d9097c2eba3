"""Entitlements and the keys that use them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.choices import TextChoices


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

    class Mode(TextChoices):
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
    scopes = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, help_text="What it may do; empty: all of its mode"
    )
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True, help_text="CIDR; empty: from anywhere")
    told_days = models.PositiveSmallIntegerField(null=True, help_text="Days before its end of the last notice: 30, 7 or 1")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(mode="live") & Q(entitlement__isnull=False)) | Q(mode__in=["test", "op"]),
                name="api_key_live_has_an_entitlement",
            )
        ]


class ConsentWithdrawal(models.Model):
    """A person took back a consent that calls named: from that moment no call may name it. Never changed, never deleted."""

    organisation = models.ForeignKey(
        "products.Organisation", on_delete=models.PROTECT, related_name="+", help_text="Whose calls named it"
    )
    reference_digest = models.BinaryField(max_length=32, help_text="Keyed digest of the consent's reference")
    withdrawn_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "reference_digest"], name="consent_withdrawn_once"),
        ]


class EmergencyStop(models.Model):
    """Calls stopped at once for a product, for all of an operator's products, or for a buyer, until it is lifted (R70, SM11)."""

    class Kind(TextChoices):
        PRODUCT = "product", _("Product")
        OPERATOR = "operator", _("Operator")
        BUYER = "buyer", _("Buyer")

    class Outcome(TextChoices):
        RECOVERY = "recovery", _("Calls go on")
        TERMINATION = "termination", _("Ended for good")

    kind = models.CharField(max_length=8, choices=Kind)
    product = models.ForeignKey("products.DataProduct", null=True, on_delete=models.PROTECT, related_name="emergency_stops")
    organisation = models.ForeignKey("products.Organisation", null=True, on_delete=models.PROTECT, related_name="emergency_stops")
    reason = models.TextField(help_text="For the file; not shown outside")
    public_reason = models.CharField(max_length=200, help_text="What buyers, callers and the public read")
    started_for = models.ForeignKey(
        "products.Organisation", on_delete=models.PROTECT, related_name="+", help_text="In whose name it was started"
    )
    started_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    outcome = models.CharField(max_length=11, choices=Outcome, blank=True, help_text="What was asked for, then done")
    lift_asked_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    lift_asked_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)
    lifted_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="product", product__isnull=False, organisation__isnull=True)
                | Q(kind__in=["operator", "buyer"], product__isnull=True, organisation__isnull=False),
                name="emergency_stop_names_its_target",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("started_at"), lifted_by__isnull=False),
                name="emergency_stop_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None) | (Q(lift_asked_by__isnull=False) & ~Q(lifted_by=F("lift_asked_by"))),
                name="emergency_stop_lifted_by_two_people",
            ),
            models.CheckConstraint(condition=~Q(public_reason=""), name="emergency_stop_says_why"),
            models.CheckConstraint(
                condition=Q(lift_asked_by=None, outcome="")
                | Q(lift_asked_by__isnull=False, outcome__in=["recovery", "termination"]),
                name="emergency_stop_asked_for_an_outcome",
            ),
            models.UniqueConstraint(fields=["product"], condition=Q(lifted_at=None), name="emergency_stop_once_a_product"),
            models.UniqueConstraint(
                fields=["kind", "organisation"], condition=Q(lifted_at=None), name="emergency_stop_once_an_organisation"
            ),
        ]


class JoinReview(models.Model):
    """Whether an organisation may hold products that together satisfy a join rule; asked before the purchase that does."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        ALLOWED = "allowed", _("Allowed")
        REFUSED = "refused", _("Refused")

    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="join_reviews")
    rule = models.ForeignKey("products.JoinRule", on_delete=models.PROTECT, related_name="reviews")
    product = models.ForeignKey(
        "products.DataProduct", on_delete=models.PROTECT, related_name="+", help_text="That would complete it"
    )
    held = models.JSONField(help_text="Codes of the products held then, with the concepts that each tells")
    statement = models.TextField(help_text="Why the buyer needs them together, and how it keeps them apart")
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    conditions = models.TextField(blank=True, help_text="What the buyer must keep to while it is allowed")
    valid_to = models.DateField(null=True, help_text="Last day of an allowance")
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "rule", "product"], condition=Q(state="requested"), name="join_review_once_open"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="join_review_by_two_people"
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at=None) | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="join_review_decided_by_someone",
            ),
        ]
