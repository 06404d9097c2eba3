"""Data resources, their registration, and the authorisation to operate them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from products.choices import TextChoices


class PurposeClass(TextChoices):
    GOVERNANCE = "governance", _("Public governance")
    WELFARE = "welfare", _("Public welfare")
    INDUSTRY = "industry", _("Industrial development")
    SECTOR = "sector", _("Sector development")


FREE_CLASSES = frozenset({PurposeClass.GOVERNANCE.value, PurposeClass.WELFARE.value})


class Purpose(models.Model):
    """A purpose of use, an ASCII dotted code; a right to a code covers the code and what is below it, never a sibling."""

    code = models.CharField(max_length=80, primary_key=True)
    purpose_class = models.CharField(max_length=12, choices=PurposeClass)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^(governance|welfare|industry|sector)(\.[a-z0-9_]+)*$"),
                name="purpose_code_shape",
            )
        ]


class Scenario(models.Model):
    """A field of application, for example small-business lending."""

    code = models.SlugField(max_length=60, primary_key=True)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    domain = models.CharField(max_length=40, blank=True)


class OpenType(TextChoices):
    UNCONDITIONAL = "unconditional", _("Unconditionally open")
    CONDITIONAL = "conditional", _("Conditionally open")
    CLOSED = "closed", _("Not open")


class DataResource(models.Model):
    """Public data that a provider holds; it never leaves its domain."""

    class Provenance(TextChoices):
        OWN = "own", _("Own")
        SHARED = "shared", _("Shared by another body")

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    provider = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="resources")
    data_class = models.CharField(_("class"), max_length=60)
    grade = models.PositiveSmallIntegerField(_("grade"), help_text="1 general to 4 core")
    open_type = models.CharField(max_length=14, choices=OpenType)
    has_personal_data = models.BooleanField()
    has_security_impact = models.BooleanField()
    provenance = models.CharField(max_length=8, choices=Provenance, default=Provenance.OWN)
    shared_consent = models.ForeignKey("products.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    dictionary = models.JSONField(default=list, help_text='[{"field", "type", "meaning", "meaning_en"}]')
    update_frequency = models.CharField(max_length=20)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(grade__gte=1, grade__lte=4), name="data_resource_grade_1_to_4")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Registration(models.Model):
    """The registry's record of a resource or a product; its level decides who may set prices (domain.md fact 6)."""

    class Level(TextChoices):
        NATIONAL = "national", _("National")
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")

    class State(TextChoices):
        VALID = "valid", _("Valid")
        CANCELLED = "cancelled", _("Deregistered")

    code = models.CharField(max_length=40, unique=True)
    resource = models.ForeignKey(DataResource, null=True, blank=True, on_delete=models.PROTECT, related_name="registrations")
    product = models.ForeignKey(
        "products.DataProduct", null=True, blank=True, on_delete=models.PROTECT, related_name="registrations"
    )
    registry = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="registrations")
    level = models.CharField(max_length=10, choices=Level)
    region = models.CharField(max_length=6, blank=True)
    issued_date = models.DateField()
    valid_to = models.DateField(help_text="Last day")
    state = models.CharField(max_length=10, choices=State, default=State.VALID)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(resource__isnull=False, product__isnull=True) | Q(resource__isnull=True, product__isnull=False),
                name="registration_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(valid_to__gte=F("issued_date")), name="registration_dates_in_order"),
        ]

    def __str__(self) -> str:
        return self.code


class Authorisation(models.Model):
    """The agreement by which an authorising body lets an operator build products; at most five years."""

    class Mode(TextChoices):
        WHOLE = "whole", _("Whole")
        FIELD = "field", _("By field")
        SCENARIO = "scenario", _("By scenario")

    class State(TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        ENDED = "ended", _("Ended")

    number = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    authorising_body = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="authorisations_given")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="authorisations_held")
    mode = models.CharField(max_length=10, choices=Mode)
    region = models.CharField(max_length=6, blank=True)
    from_date = models.DateField()
    to_date = models.DateField(help_text="Last day")
    operating_since = models.DateField(
        _("operating since"),
        null=True,
        blank=True,
        help_text="First day of operation, where it is earlier than the first listing here",
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    conditions = models.TextField(_("conditions of authorisation"), blank=True)
    operating_model = models.TextField(_("mode of operation"), blank=True)
    term_clause = models.TextField(_("term"), blank=True)
    exit_clause = models.TextField(_("exit mechanism"), blank=True)
    security_duties = models.TextField(_("security duties"), blank=True)
    decision_reference = models.CharField(_("decision record"), max_length=100, blank=True)
    decision_date = models.DateField(null=True, blank=True)
    decision_evidence = models.ForeignKey("products.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    drafted_by = models.ForeignKey("products.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    activated_by = models.ForeignKey("products.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    activated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__gte=F("from_date"))
                & Q(to_date__lt=Func(F("from_date"), function="five_years_after", output_field=models.DateField())),
                name="authorisation_at_most_five_years",
                violation_error_message=_("An authorisation runs for at most five years."),
            ),
            models.CheckConstraint(condition=~Q(authorising_body=F("operator")), name="authorisation_between_two_bodies"),
            models.CheckConstraint(
                condition=Q(activated_by__isnull=True) | ~Q(activated_by=F("drafted_by")),
                name="authorisation_drafter_does_not_activate",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ProductType(TextChoices):
    INDEX = "index", _("Index")
    VERIFICATION = "verification", _("Verification")
    MODEL = "model", _("Model")
    REPORT = "report", _("Report")
    REMOTE = "remote", _("Remote service")


class ScopeItem(models.Model):
    """One thing that an authorisation allows: resource × product type × purpose × scenario."""

    authorisation = models.ForeignKey(Authorisation, on_delete=models.PROTECT, related_name="scope_items")
    resource = models.ForeignKey(DataResource, on_delete=models.PROTECT, related_name="scope_items")
    product_type = models.CharField(max_length=12, choices=ProductType)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authorisation", "resource", "product_type", "purpose", "scenario"], name="scope_item_once"
            )
        ]
