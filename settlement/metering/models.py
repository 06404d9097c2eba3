"""Usage events (partitioned by event month, immutable), their identities, refusals."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
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
    digest = models.BinaryField(max_length=32, null=True, help_text="Of its content; the leaf of its hour's receipts")
    consent_digest = models.BinaryField(max_length=32, null=True, help_text="Keyed digest of the consent that the call named")

    class Meta:
        managed = False
        db_table = "settlement_usageevent"


class UsageRollup(models.Model):
    """Units of an entitlement in an hour, by purpose and component: what closing, previews and pages read instead of events.

    What a commit writes goes to ``settlement_usagedelta`` in the same transaction and is folded in here a moment later, in a
    transaction that takes it from there: exactly once. The view ``settlement_usagehour`` shows both together, so its sums are
    exact at every moment. ``events`` counts an event at the first of its components (in the order of their codes) only.
    """

    pk = models.CompositePrimaryKey("entitlement", "event_month", "book_month", "hour", "purpose", "component")
    entitlement = models.ForeignKey("settlement.Entitlement", on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    event_month = models.DateField()
    book_month = models.DateField()
    hour = models.DateTimeField(help_text="First moment of the hour of event_time")
    purpose = models.CharField(max_length=80)
    component = models.CharField(max_length=60)
    units = models.DecimalField(max_digits=30, decimal_places=6)
    events = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "settlement_usagerollup"


class ReceiptTree(models.Model):
    """The Merkle tree (RFC 6962, section 2.1) over the digests of the events received in one hour, sealed when the hour is over.

    ``chain`` is SHA-256 of the chain before, the hour, the size and the root, so that no root can be changed or left out later.
    """

    hour = models.DateTimeField(primary_key=True)
    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    chain = models.BinaryField(max_length=32)
    chunks = models.BinaryField(help_text="Nodes of 1 024 leaves each, 32 bytes a node")
    first_ids = ArrayField(models.UUIDField(), help_text="The first event of each chunk; leaves are in the order of ids")
    last_id = models.UUIDField(help_text="The last event")
    sealed_at = models.DateTimeField()


class ArchivedMonth(models.Model):
    """A month of usage events that was moved to a Parquet file, and how to prove that the file is what the month was."""

    event_month = models.DateField(primary_key=True)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="Bytes")
    events = models.BigIntegerField()
    archived_at = models.DateTimeField()
    archived_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")


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
