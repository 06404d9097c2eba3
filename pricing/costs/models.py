"""Cost filings with their rows, and the rules by which shared costs are allocated."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class CostNature(models.TextChoices):
    PLATFORM = "platform", _("Platform building")
    OPERATION = "operation", _("Operation and maintenance")
    ACQUISITION = "acquisition", _("Acquisition")
    TRANSMISSION = "transmission", _("Transmission")
    AGGREGATION = "aggregation", _("Aggregation")
    STORAGE = "storage", _("Storage")
    GOVERNANCE = "governance", _("Data governance")
    STAFF = "staff", _("Staff")
    TAXES = "taxes", _("Taxes and fees")
    FINE = "fine", _("Fine or late fee")
    DONATION = "donation", _("Donation or sponsorship")
    OTHER = "other", _("Other")


class CostFunding(models.TextChoices):
    OWN = "own", _("Own funds")
    FISCAL = "fiscal", _("Fiscal or other special funds")
    USER = "user", _("Paid by users")


class AllocationRule(models.Model):
    """How a shared cost is divided over business lines; a version never changes, and its parts sum to 100 %."""

    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="allocation_rules")
    code = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    driver = models.CharField(max_length=100, help_text="What it follows: headcount, machine hours, …")
    parts = models.JSONField(help_text='[{"business_line": "public_data", "percent": "62.5"}, …], at most six decimals')
    reason = models.TextField()
    made_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operator", "code", "version"], name="allocation_rule_version_once")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class CostFiling(models.Model):
    """The cost ledger of an authorised operation for one accounting year, as its operator filed it. The file is kept.

    Content never changes, a decision is final (triggers); a returned filing is replaced by the next version.
    ``rules`` are the parameters in force when it was filed: they stay its own (domain.md scenario 79).
    """

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        RETURNED = "returned", _("Returned")
        AUDITED = "audited", _("Audited")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    authorisation = models.ForeignKey("products.Authorisation", on_delete=models.PROTECT, related_name="cost_filings")
    year = models.PositiveSmallIntegerField(help_text="Accounting year, 1 January to 31 December")
    version = models.PositiveIntegerField(help_text="Counts within the authorisation and year")
    file = models.ForeignKey("products.Evidence", on_delete=models.PROTECT, related_name="+")
    statement = models.TextField(blank=True)
    rules = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    filed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authorisation", "year", "version"], name="cost_filing_version_once"),
            models.UniqueConstraint(
                fields=["authorisation", "year"], condition=Q(state__in=["submitted", "audited"]), name="cost_filing_one_live"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("filed_by")), name="cost_filing_by_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["returned", "audited"])
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision_reason=""),
                name="cost_filing_decision_names_a_person",
            ),
        ]


class CostItem(models.Model):
    """One row of a cost filing. ``admitted_minor`` is what counts as operating cost: fen of the allocated part, or 0.

    ``rule`` is the stable code of the rule that decided (``admitted``, ``fiscally_funded``, ``fine``, …).
    A regulator's overruling is kept beside it, with person and reason, while the filing is submitted (a trigger).
    """

    filing = models.ForeignKey(CostFiling, on_delete=models.CASCADE, related_name="items")
    row = models.PositiveIntegerField(help_text="Row of the sheet")
    item = models.CharField(max_length=200)
    nature = models.CharField(max_length=12, choices=CostNature)
    business_line = models.CharField(max_length=60)
    funding = models.CharField(max_length=6, choices=CostFunding)
    amount_minor = models.BigIntegerField(help_text="fen")
    voucher = models.CharField(max_length=200, blank=True, help_text="Which evidence shows it")
    allocation = models.ForeignKey(AllocationRule, null=True, on_delete=models.PROTECT, related_name="+")
    is_admitted = models.BooleanField()
    rule = models.CharField(max_length=40)
    admitted_minor = models.BigIntegerField(help_text="fen")
    overruled_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    overruled_at = models.DateTimeField(null=True)
    overruled_reason = models.TextField(blank=True)
    overruled_minor = models.BigIntegerField(null=True, help_text="fen admitted by the regulator instead")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["filing", "row"], name="cost_item_row_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="cost_item_positive"),
            models.CheckConstraint(
                condition=Q(admitted_minor__gte=0, admitted_minor__lte=F("amount_minor")), name="cost_item_admitted_within"
            ),
            models.CheckConstraint(
                condition=Q(overruled_minor__isnull=True)
                | Q(
                    overruled_minor__gte=0,
                    overruled_minor__lte=F("amount_minor"),
                    overruled_by__isnull=False,
                    overruled_at__isnull=False,
                )
                & ~Q(overruled_reason=""),
                name="cost_item_overruled_with_a_reason",
            ),
        ]

    @property
    def counted_minor(self) -> int:
        """What counts as operating cost, the regulator's overruling included; fen."""
        return self.admitted_minor if self.overruled_minor is None else self.overruled_minor
