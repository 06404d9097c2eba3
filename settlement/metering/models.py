"""Usage events (partitioned by event month, immutable), their identities, refusals."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class UsageEvent(models.Model):
    """One metered use: committed before it was answered, never changed.

    The table is partitioned by ``event_month`` (see the migration); a correction is an event that names what it corrects.
    ``units`` maps component codes to decimal strings, as usage documents do.
    """

    pk = models.CompositePrimaryKey("event_month", "id")
    id = models.UUIDField()
    event_month = models.DateField(help_text="First day of the month of event_time, Asia/Shanghai")
    book_month = models.DateField(help_text="Month that bills it, given inside its commit")
    entitlement = models.ForeignKey("settlement.Entitlement", on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    product = models.ForeignKey("products.DataProduct", on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    release = models.ForeignKey("products.Release", null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    key = models.ForeignKey("settlement.ApiKey", null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    purpose = models.CharField(max_length=80)
    units = models.JSONField()
    event_time = models.DateTimeField()
    received_at = models.DateTimeField()
    is_free = models.BooleanField()
    request_digest = models.BinaryField(max_length=32)
    corrects = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "settlement_usageevent"


class UsageIdentity(models.Model):
    """(source, event id) once for ever, whatever the partition; the digest tells a repeat from a conflict."""

    pk = models.CompositePrimaryKey("source", "event_id")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    usage_id = models.UUIDField()
    event_month = models.DateField()

    class Meta:
        managed = False
        db_table = "settlement_usageidentity"


class Refusal(models.Model):
    """A call that was not served, with its reason. Never usage, never charged."""

    at = models.DateTimeField()
    key = models.ForeignKey("settlement.ApiKey", null=True, on_delete=models.PROTECT, related_name="+")
    entitlement = models.ForeignKey("settlement.Entitlement", null=True, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("products.DataProduct", null=True, on_delete=models.PROTECT, related_name="+")
    status = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=60)
    purpose = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["entitlement", "at"], name="refusal_by_entitlement"),
            models.Index(fields=["product", "at"], name="refusal_by_product"),
        ]
        constraints = [models.CheckConstraint(condition=Q(status__gte=400), name="refusal_is_an_error")]


class IdempotentAnswer(models.Model):
    """The first answer of a call with an Idempotency-Key, encrypted, given again for 24 hours and then forgotten."""

    pk = models.CompositePrimaryKey("source", "event_id")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    answer = models.BinaryField(help_text="Fernet, under a key derived from SIGNING_KEY")
    expires_at = models.DateTimeField(db_index=True)
