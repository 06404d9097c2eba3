"""Findings of equal treatment, and the demand forecasts that were made, kept to be held against what came."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class EqualTreatmentFlag(models.Model):
    """Two buyers paid different prices for the same product, purpose, plan and volume in a month: for people to look at."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        EXPLAINED = "explained", _("Explained by the operator")
        UPHELD = "upheld", _("Upheld")
        DISMISSED = "dismissed", _("Dismissed")

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    purpose = models.CharField(max_length=80)
    first = models.ForeignKey("settlement.Entitlement", on_delete=models.PROTECT, related_name="+", help_text="Paid more")
    second = models.ForeignKey("settlement.Entitlement", on_delete=models.PROTECT, related_name="+", help_text="Paid less")
    facts = models.JSONField(help_text="Both cases: units, amounts, effective prices, plans, discounts")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    found_at = models.DateTimeField()
    explanation = models.TextField(blank=True)
    explained_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    explained_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month", "first", "second"], name="equal_treatment_flag_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="equal_treatment_flag_of_two"),
            models.CheckConstraint(
                condition=~Q(state__in=["upheld", "dismissed"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="equal_treatment_decision_names_a_person",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(explained_by__isnull=True) | ~Q(decided_by=F("explained_by")),
                name="equal_treatment_by_two_people",
            ),
        ]


class DemandForecast(models.Model):
    """A forecast of a product's charged volume in one month, as it was made: never changed, held against what came."""

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="+")
    component = models.CharField(max_length=60)
    made_from = models.DateField(help_text="First month whose use was not yet known")
    month = models.DateField(help_text="The month forecast")
    method = models.CharField(max_length=20, help_text="model or seasonal_naive")
    low = models.DecimalField(max_digits=26, decimal_places=6)
    middle = models.DecimalField(max_digits=26, decimal_places=6)
    high = models.DecimalField(max_digits=26, decimal_places=6)
    baseline = models.DecimalField(max_digits=26, decimal_places=6, help_text="What the seasonal-naive forecast says")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "component", "made_from", "month"], name="demand_forecast_once"),
            models.CheckConstraint(condition=Q(low__lte=F("middle"), middle__lte=F("high")), name="demand_forecast_in_order"),
        ]


class DemandOutlook(models.Model):
    """What one round of forecasts said about a product as a whole: the method and why, how it did before, the year ahead.

    The months are DemandForecast rows of the same ``made_from``. Never changed (a trigger), like them.
    """

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="+")
    component = models.CharField(max_length=60)
    made_from = models.DateField(help_text="First month whose use was not yet known")
    method = models.CharField(max_length=20, help_text="model, seasonal_naive, naive or too_little_data")
    reason = models.CharField(max_length=20, help_text="Stable code of pricing.estimation.demand")
    checks = models.PositiveIntegerField(help_text="Earlier forecasts that both methods were compared on")
    model_error = models.DecimalField(max_digits=26, decimal_places=6, help_text="Mean absolute error of the model, units")
    baseline_error = models.DecimalField(max_digits=26, decimal_places=6)
    checked_ahead = models.PositiveSmallIntegerField(help_text="Months ahead that the bands could be checked for")
    year_low = models.DecimalField(max_digits=26, decimal_places=6, null=True, help_text="Of the twelve months from made_from")
    year_middle = models.DecimalField(max_digits=26, decimal_places=6, null=True)
    year_high = models.DecimalField(max_digits=26, decimal_places=6, null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "component", "made_from"], name="demand_outlook_once")]


class ChargedVolume(models.Model):
    """Charged units of a product in one month, as first counted after its close: what forecasts are held against."""

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="+")
    component = models.CharField(max_length=60)
    month = models.DateField()
    units = models.DecimalField(max_digits=26, decimal_places=6)
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "component", "month"], name="charged_volume_once")]
