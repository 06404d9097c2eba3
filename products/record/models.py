"""Audit entries, notices, evidence, cases, decisions by two people, rule sets, the work calendar."""

from __future__ import annotations

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.choices import TextChoices
from products.postgres.ranges import exclusion_key

OBJECT_TYPE = {"max_length": 40}
OBJECT_ID = {"max_length": 64}


class AuditEntry(models.Model):
    """One change, who made it and why; chained by hash to the entry before it. Append-only (a trigger says no)."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("products.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    object_type = models.CharField(**OBJECT_TYPE)
    object_id = models.CharField(**OBJECT_ID)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["organisation", "id"], name="audit_by_organisation"),
        ]


class AuditHead(models.Model):
    """The last link of the chain, one row: without it, entries cut off at the end would leave no trace."""

    last_id = models.BigIntegerField()
    last_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_is_one_row")]


class Notice(models.Model):
    """News for one person or for all of an organisation with one of some roles; shown in the site and mailed."""

    user = models.ForeignKey("products.User", on_delete=models.CASCADE, related_name="notices")
    organisation = models.ForeignKey("products.Organisation", null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="What the sentence of this kind is filled with")
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at", "id"], name="notice_by_user")]


class Evidence(models.Model):
    """A file that supports a statement: hashed, checked, kept for the case, never served inline."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    purpose = models.CharField(max_length=60)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "uploaded_at"], name="evidence_by_organisation")]


class CaseState(TextChoices):
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting for corrections")
    CLOSED = "closed", _("Closed")


class Case(models.Model):
    """Something that must be dealt with in a number of working days; its clock stops while the other side must act."""

    kind = models.CharField(max_length=40)
    object_type = models.CharField(**OBJECT_TYPE)
    object_id = models.CharField(**OBJECT_ID)
    applicant = models.ForeignKey("products.Organisation", null=True, on_delete=models.PROTECT, related_name="cases_filed")
    handler = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="cases_handled")
    state = models.CharField(max_length=10, choices=CaseState, default=CaseState.OPEN)
    opened_date = models.DateField(help_text="Business date of the event; not counted")
    limit_days = models.PositiveSmallIntegerField(help_text="Working days allowed")
    past_runs = models.JSONField(default=list, help_text="[[from, to], …]: dates between which the clock ran before")
    running_since = models.DateField(null=True, help_text="Null while the clock stands")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["handler", "state", "opened_at", "id"], name="case_by_handler"),
            models.Index(fields=["object_type", "object_id"], name="case_by_object"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_type", "object_id"],
                condition=Q(kind__in=["out_of_purpose", "probing"]) & ~Q(state="closed"),
                name="case_one_open_risk",
            )
        ]


class CaseEvent(models.Model):
    """What happened in a case: opened, corrections_asked, resumed, note, closed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    actor = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    note = models.TextField(blank=True)
    evidence = models.ManyToManyField(Evidence, related_name="+")


class Proposal(models.Model):
    """Maker-checker: one person proposes an act on an object, another approves or rejects it, with a reason."""

    class State(TextChoices):
        PROPOSED = "proposed", _("Proposed")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=60)
    object_type = models.CharField(**OBJECT_TYPE)
    object_id = models.CharField(**OBJECT_ID)
    content = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    proposal_reason = models.TextField(blank=True)
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(proposed_by=F("decided_by")) | Q(state="withdrawn"), name="proposal_maker_is_not_checker"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed") | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="proposal_decision_names_a_person",
            ),
            models.UniqueConstraint(
                fields=["act", "object_type", "object_id"],
                condition=Q(state="proposed"),
                name="proposal_one_open_per_act",
            ),
        ]


class RuleSet(models.Model):
    """Dated parameters of a jurisdiction, with their legal source. Content and start never change; the end is set once."""

    jurisdiction = models.CharField(max_length=20, help_text="CN or an administrative division code")
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=200, help_text="Legal source: document number")
    period = DateRangeField(help_text="In force on these dates")
    parameters = models.JSONField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="rule_set_no_overlap",
                expressions=[
                    (exclusion_key("jurisdiction"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Another rule set of this jurisdiction is in force in that time."),
            )
        ]


class IssuedDocument(models.Model):
    """A numbered document of a body, as issued: its PDF and the content it was made from never change (a trigger)."""

    number = models.CharField(max_length=60, unique=True, help_text="For example 江发改价〔2026〕7号")
    issuer = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="documents_issued")
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=40, help_text="For example permitted_revenue")
    title = models.CharField(max_length=200)
    object_type = models.CharField(**OBJECT_TYPE)
    object_id = models.CharField(**OBJECT_ID)
    content = models.JSONField(help_text="What the PDF was made from")
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    is_public = models.BooleanField(default=False)
    readers = models.ManyToManyField(
        "products.Organisation", related_name="+", help_text="Parties that may read it beside the issuer"
    )
    issued_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "year", "sequence"], name="issued_document_sequence_without_gaps"),
        ]
        indexes = [models.Index(fields=["object_type", "object_id"], name="issued_document_by_object")]

    def __str__(self) -> str:
        return self.number


class CalendarYear(models.Model):
    """A year whose public holidays are known. A date in a year that is not here is not computable."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()


class CalendarDay(models.Model):
    """A day that differs from its weekday: a holiday, or a working Saturday or Sunday."""

    day = models.DateField(primary_key=True)
    year = models.ForeignKey(CalendarYear, on_delete=models.PROTECT, related_name="days")
    is_working = models.BooleanField()
    name = models.CharField(max_length=60, blank=True)
