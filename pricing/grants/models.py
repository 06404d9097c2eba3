"""Conditional free use for public welfare and public governance."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class FreeUseGrant(models.Model):
    """A claim to use a product free of charge for a purpose, and, once decided and checked, the right to it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        CORRECTIONS = "corrections", _("Corrections asked")
        DECIDED = "decided", _("Decided, to be checked")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")
        REVOKED = "revoked", _("Revoked")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    number = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="free_use_grants")
    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="free_use_grants")
    purpose = models.CharField(max_length=80)
    scenario = models.CharField(max_length=60)
    statement = models.TextField(_("what it is for"))
    beneficiaries = models.TextField(_("who benefits"), blank=True)
    is_noncommercial = models.BooleanField(_("outputs are not sold"), default=False)
    evidence = models.ManyToManyField("products.Evidence", related_name="+")
    quota_asked = models.PositiveIntegerField()
    asked_until = models.DateField()
    continues_on = models.ForeignKey(
        "pricing.Plan",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Plan whose price is paid once the quota is used up; empty: calls stop",
    )
    quota = models.PositiveIntegerField(null=True, help_text="Units over the whole term")
    from_date = models.DateField(null=True)
    to_date = models.DateField(null=True, help_text="Last day")
    conditions = models.TextField(blank=True)
    responsible_person = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    submitted_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=10, blank=True, help_text="grant or refuse")
    decision_reason = models.TextField(blank=True)
    checked_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")
    revoked_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revocation_reason = models.TextField(blank=True)
    created_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__startswith="governance") | Q(purpose__startswith="welfare"),
                name="free_use_grant_for_a_free_purpose",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | (~Q(checked_by=F("decided_by")) & ~Q(checked_by=F("submitted_by"))),
                name="free_use_grant_by_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(state="granted")
                | Q(quota__isnull=False, from_date__isnull=False, to_date__isnull=False, checked_by__isnull=False),
                name="free_use_grant_has_quota_and_end",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state"], name="grant_by_organisation")]

    def __str__(self) -> str:
        return self.number
