"""Permitted revenues with opinions and assessments; caps with their filings and baskets."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.postgres.ranges import exclusion_key


class PermittedRevenue(models.Model):
    """The maximum permitted revenue 最高准许收入 of an authorised operation for a period (F1), net of VAT.

    A year's amount is cost + profit + tax; the period's is that by days, less the deduction for what was over-recovered before.
    Drafted by one person of the price regulator, determined by another together with the data bureau. Money in fen, rates as
    decimals (0.0783), ``figures`` say where each number comes from.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPINIONS = "opinions", _("Open for opinions")
        DETERMINED = "determined", _("Determined")
        CLOSED = "closed", _("Assessed and closed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    authorisation = models.ForeignKey("products.Authorisation", on_delete=models.PROTECT, related_name="permitted_revenues")
    regulator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    data_bureau = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    period = DateRangeField(help_text="Whole months")
    filings = models.ManyToManyField("pricing.CostFiling", related_name="permitted_revenues")
    rules = models.JSONField(default=dict, help_text="Parameters in force when it was drafted, with rule set and source")
    cost_minor = models.BigIntegerField(help_text="Admitted cost of a year, fen")
    assets_minor = models.BigIntegerField(null=True, help_text="Effective assets, where they are the base of the profit; fen")
    treasury_yield = models.DecimalField(max_digits=8, decimal_places=6)
    treasury_source = models.CharField(max_length=200)
    profit_rate = models.DecimalField(max_digits=8, decimal_places=6)
    profit_minor = models.BigIntegerField()
    income_tax_rate = models.DecimalField(max_digits=8, decimal_places=6)
    tax_minor = models.BigIntegerField()
    year_minor = models.BigIntegerField(help_text="cost + profit + tax of a whole year")
    prorated_minor = models.BigIntegerField(help_text="The same for the days of the period")
    deduction_minor = models.BigIntegerField(default=0, help_text="Over-recovered before, deducted now")
    carry_on_minor = models.BigIntegerField(default=0, help_text="Over-recovered before and still not deducted")
    deducts = models.ForeignKey("pricing.RevenueAssessment", null=True, on_delete=models.PROTECT, related_name="deducted_in")
    amount_minor = models.BigIntegerField(help_text="The maximum permitted revenue of the period, fen")
    figures = models.JSONField(default=list, help_text="The arithmetic, line by line, for people")
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    drafted_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    opinions_since = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+", help_text="Data bureau")
    agreed_at = models.DateTimeField(null=True)
    determined_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    determined_at = models.DateTimeField(null=True)
    document = models.ForeignKey("products.IssuedDocument", null=True, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey("products.Case", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="permitted_revenue_no_overlap",
                expressions=[
                    (exclusion_key("authorisation"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["determined", "closed"]),
                violation_error_message=_("Another permitted revenue is determined for that time."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["determined", "closed"])
                | Q(
                    agreed_by__isnull=False,
                    agreed_at__isnull=False,
                    determined_by__isnull=False,
                    determined_at__isnull=False,
                ),
                name="permitted_revenue_with_the_data_bureau",
            ),
            models.CheckConstraint(
                condition=(Q(determined_by__isnull=True) | ~Q(determined_by=F("drafted_by")))
                & (Q(agreed_by__isnull=True) | ~Q(agreed_by=F("drafted_by")))
                & (Q(agreed_by__isnull=True) | Q(determined_by__isnull=True) | ~Q(agreed_by=F("determined_by"))),
                name="permitted_revenue_by_three_people",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, deduction_minor__gte=0), name="permitted_revenue_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor=F("prorated_minor") - F("deduction_minor")), name="permitted_revenue_sums"
            ),
        ]


class RevenueOpinion(models.Model):
    """What a body says about a draft: agreement, a remark, or sending it back. Append-only (a trigger)."""

    class Stance(models.TextChoices):
        AGREE = "agree", _("Agrees")
        REMARK = "remark", _("Remarks")
        SEND_BACK = "send_back", _("Sends back")

    permitted_revenue = models.ForeignKey(PermittedRevenue, on_delete=models.PROTECT, related_name="opinions")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    stance = models.CharField(max_length=10, choices=Stance)
    text = models.TextField(blank=True)
    at = models.DateTimeField()


class RevenueAssessment(models.Model):
    """Revenue of an ended period against the maximum (F4, F5); a restatement is a new row that names the one it replaces."""

    permitted_revenue = models.ForeignKey(PermittedRevenue, on_delete=models.PROTECT, related_name="assessments")
    restates = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="restated_by")
    revenue_minor = models.BigIntegerField(help_text="By service date, net of VAT; fen")
    excess_minor = models.BigIntegerField()
    interest_minor = models.BigIntegerField(default=0)
    carry_minor = models.BigIntegerField(help_text="To deduct in the next period")
    shortfall_minor = models.BigIntegerField(default=0, help_text="Shown as a policy option only")
    facts = models.JSONField(default=dict, help_text="Revenue by month and product, and where it came from")
    made_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    confirmed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    document = models.ForeignKey("products.IssuedDocument", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("made_by")), name="revenue_assessment_by_two_people"
            ),
            models.CheckConstraint(
                condition=Q(excess_minor__gte=0, interest_minor__gte=0, carry_minor__gte=0), name="revenue_assessment_one_sided"
            ),
        ]


class RevenueWarning(models.Model):
    """Revenue reached 90 or 100 per cent of the maximum; told once to the operator, the price regulator and the data bureau."""

    permitted_revenue = models.ForeignKey(PermittedRevenue, on_delete=models.PROTECT, related_name="warnings")
    percent = models.PositiveSmallIntegerField()
    revenue_minor = models.BigIntegerField()
    reached_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["permitted_revenue", "percent"], name="revenue_warning_once")]


class OperationReport(models.Model):
    """The operator's annual report on the operation, due to the price regulator, the data bureau and the authorising body."""

    authorisation = models.ForeignKey("products.Authorisation", on_delete=models.PROTECT, related_name="operation_reports")
    year = models.PositiveSmallIntegerField()
    summary = models.TextField()
    file = models.ForeignKey("products.Evidence", null=True, on_delete=models.PROTECT, related_name="+")
    filed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authorisation", "year"], name="operation_report_once")]


class CapBasket(models.Model):
    """A set of caps for all charged products of an operation, consistent with its permitted revenue (F2).

    ``rows``: one a cap: {"product": code, "purpose_class", "basis", "flat_period", "expected", "capacity", "used", "cost_share",
    "elasticity", "before", "cap"}; quantities and yuan as decimal text, caps with VAT, ``cost_share`` a year's admitted cost.
    Its filings, one a product and class, are drafted, approved, reported and published in one step each. What was filed stays
    as it is (a trigger).
    """

    class Method(models.TextChoices):
        COST = "cost", _("By cost share")
        USAGE = "usage", _("By usage share")
        WELFARE = "welfare", _("Welfare-optimal (Ramsey)")
        OWN = "own", _("Own figures")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        FILED = "filed", _("Caps drafted")
        APPROVED = "approved", _("Approved")
        REPORTED = "reported", _("Reported in writing")
        PUBLISHED = "published", _("Published")
        DROPPED = "dropped", _("Dropped")

    permitted_revenue = models.ForeignKey(PermittedRevenue, on_delete=models.PROTECT, related_name="baskets")
    authorising_body = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=8, choices=Method)
    from_date = models.DateField()
    rows = models.JSONField()
    note = models.TextField(blank=True)
    test = models.JSONField(default=dict, help_text="The reasonableness test (F2) of the whole set, as it last came out")
    document_no = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    filed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    report_no = models.CharField(max_length=100, blank=True)
    report_document = models.ForeignKey("products.IssuedDocument", null=True, on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | (~Q(approved_by=F("made_by")) & ~Q(approved_by=F("filed_by"))),
                name="cap_basket_by_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(reported_at__isnull=False, published_at__isnull=False),
                name="cap_basket_not_reported_not_published",
            ),
        ]


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
    permitted_revenue = models.ForeignKey(PermittedRevenue, null=True, on_delete=models.PROTECT, related_name="cap_filings")
    basket = models.ForeignKey(CapBasket, null=True, on_delete=models.PROTECT, related_name="filings")
    volumes = models.JSONField(
        default=list, help_text='Expected charged volume a year: [{"basis", "period", "expected", "capacity"}], decimal text'
    )
    test = models.JSONField(default=dict, help_text="The reasonableness test (F2) as it came out at approval")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    drafted_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    approved_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    report_no = models.CharField(max_length=100, blank=True, help_text="Number of the written report")
    report_evidence = models.ForeignKey("products.Evidence", null=True, on_delete=models.PROTECT, related_name="+")
    report_document = models.ForeignKey("products.IssuedDocument", null=True, on_delete=models.PROTECT, related_name="+")
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
