"""Caps: the highest price that an authorising body allows, per product, purpose class and basis."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.postgres.ranges import exclusion_key


class CapFiling(models.Model):
    """A cap document of the authorising body with its written report: not filed, not published."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        REPORTED = "reported", _("Reported in writing")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="cap_filings")
    authorising_body = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    document = models.JSONField(help_text="Cap document of design.md section 7")
    document_no = models.CharField(max_length=100)
    is_trial = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    drafted_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    approved_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    report_no = models.CharField(max_length=100, blank=True, help_text="Number of the written report")
    report_evidence = models.ForeignKey("products.Evidence", null=True, on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="published") | Q(reported_at__isnull=False, published_at__isnull=False),
                name="cap_filing_not_reported_not_published",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("drafted_by")), name="cap_filing_by_two_people"
            ),
        ]


class Cap(models.Model):
    """One published cap: at most this much per unit of the basis, for uses of the purpose class, on these dates.

    ``amount`` is yuan per unit (six decimals), VAT as the tariff's. Content and start never change (a trigger); no overlap.
    """

    filing = models.ForeignKey(CapFiling, on_delete=models.PROTECT, related_name="caps")
    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="caps")
    purpose_class = models.CharField(max_length=12)
    basis = models.CharField(max_length=10)
    flat_period = models.CharField(max_length=10, blank=True, help_text="For basis periods: day, week, month, quarter, year")
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    period = DateRangeField(help_text="In force on these dates")
    end_set_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="cap_not_negative"),
            ExclusionConstraint(
                name="cap_no_overlap",
                expressions=[
                    (exclusion_key("product", "purpose_class", "basis", "flat_period"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Another cap is in force in that time."),
            ),
        ]
