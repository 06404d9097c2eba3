"""Plans, and their prices as dated versions."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.postgres.ranges import exclusion_key


class Bundle(models.Model):
    """Plans of one operator that are sold together for a scenario; each part has its own tariff, under its own cap."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("On sale")
        CLOSED = "closed", _("No longer sold")

    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="bundles")
    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    purpose = models.CharField(max_length=80)
    scenario = models.CharField(max_length=60)
    state = models.CharField(max_length=6, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code


class Plan(models.Model):
    """A way to buy a product: its purposes and how it is paid. The price is the plan's tariff in force."""

    class State(models.TextChoices):
        OPEN = "open", _("On sale")
        CLOSED = "closed", _("No longer sold")

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="plans")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    purposes = ArrayField(models.CharField(max_length=80), default=list)
    is_prepaid = models.BooleanField(default=False)
    term_months = models.PositiveSmallIntegerField(default=12)
    rate_per_minute = models.PositiveIntegerField(default=600, help_text="Calls a minute")
    bundle = models.ForeignKey(
        Bundle, null=True, on_delete=models.PROTECT, related_name="plans", help_text="Sold only as a part of it"
    )
    terms = models.TextField(blank=True, help_text="What else the agreement says; read for exclusivity and tie-ins")
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "code"], name="plan_code_once_per_product")]

    def __str__(self) -> str:
        return f"{self.product_id}/{self.code}"


IN_FORCE_STATES = ("filed", "accepted", "stopped")


class Tariff(models.Model):
    """A plan's price, versioned by date. Content and start never change; an end is set in the future (triggers say so).

    Only ``filed``, ``accepted`` and ``stopped`` versions occupy their dates. A filed tariff comes into force on its date
    unless the regulator returns it; a returned or withdrawn one never was in force, a stopped one was returned after it began.
    """

    class State(models.TextChoices):
        FILED = "filed", _("Filed")
        ACCEPTED = "accepted", _("Noted")
        RETURNED = "returned", _("Returned")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        STOPPED = "stopped", _("Returned after it began")

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="tariffs")
    version = models.PositiveIntegerField()
    document = models.JSONField(help_text="Tariff document of design.md section 7")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical document")
    period = DateRangeField(help_text="In force on these dates; the upper end is open until a successor comes")
    state = models.CharField(max_length=10, choices=State, default=State.FILED)
    filed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    reason = models.TextField(blank=True, help_text="Why this price")
    may_fall = models.BooleanField(default=False, help_text="The operator knows that the total falls at some higher usage")
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    clamped_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", help_text="Cut by a new cap")
    continues = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", help_text="Goes on because a later version was taken back"
    )
    end_set_at = models.DateTimeField(null=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="tariff_version_once"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("filed_by")), name="tariff_by_two_people"
            ),
            ExclusionConstraint(
                name="tariff_no_overlap",
                expressions=[
                    (exclusion_key("plan"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=IN_FORCE_STATES),
                violation_error_message=_("Another tariff of this plan is in force in that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.version}"


class SupplyRefusal(models.Model):
    """An operator will not supply an organisation: with a reason, listed for the regulator. It may be lifted, never edited."""

    class Ground(models.TextChoices):
        PURPOSE = "purpose", _("The purpose is outside the authorisation")
        SECURITY = "security", _("Security conditions are not met")
        MISUSE = "misuse", _("Misuse before")
        DEBT = "debt", _("Overdue bills")
        CAPACITY = "capacity", _("No capacity")

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="supply_refusals")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="supply_refusals")
    ground = models.CharField(max_length=10, choices=Ground)
    reason = models.TextField()
    refused_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    refused_at = models.DateTimeField()
    lifted_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = models.TextField(blank=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "organisation"], condition=Q(lifted_at__isnull=True), name="supply_refusal_one_open"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="supply_refusal_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_reason="")),
                name="supply_refusal_lifted_by_a_person",
            ),
        ]
