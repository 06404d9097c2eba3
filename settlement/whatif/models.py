"""Saved what-if cases: a draft, the history it was tried on, and what came out."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q


class WhatIfCase(models.Model):
    """A draft tried on real history. Draft and result never change; another try is another case."""

    title = models.CharField(max_length=120)
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+", help_text="Whose it is")
    author = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey("products.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    sector = models.CharField(max_length=60, blank=True, help_text="A data class, where not one operator is meant")
    from_month = models.DateField()
    to_month = models.DateField(help_text="First month after it")
    draft = models.JSONField(help_text="Caps, tariffs, discounts, free-use rules, elasticities, seed")
    result = models.JSONField()
    inputs_digest = models.CharField(max_length=64, help_text="SHA-256 of history and draft: the same again gives the same")
    is_shared = models.BooleanField(default=False, help_text="Other bodies that oversee the operator may open it")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(to_month__gt=F("from_month")), name="what_if_months_in_order"),
            models.CheckConstraint(
                condition=Q(operator__isnull=False) | ~Q(sector=""), name="what_if_has_an_operator_or_a_sector"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-created_at", "id"], name="what_if_by_organisation")]

    def __str__(self) -> str:
        return self.title

    @property
    def last_month(self) -> date:
        """First day of the last month that was replayed."""
        return (self.to_month - timedelta(days=1)).replace(day=1)
