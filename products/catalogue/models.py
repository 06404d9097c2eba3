"""Data products, releases, reviews, and what runtimes keep in the database."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.choices import TextChoices
from products.registry.models import ProductType


class Regime(TextChoices):
    FREE = "free", _("Free")
    TRIAL = "trial", _("Government-guided price (trial)")
    GUIDED = "guided", _("Government-guided price")
    MARKET = "market", _("Market-regulated price")


class ProductState(TextChoices):
    DRAFT = "draft", _("Draft")
    LISTED = "listed", _("Listed")
    SUSPENDED = "suspended", _("Suspended")
    DELISTED = "delisted", _("Delisted")


class DataProduct(models.Model):
    """A model, verification service, index or report that an operator derives from public data."""

    code = models.SlugField(max_length=60, unique=True)
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="products")
    authorisation = models.ForeignKey("products.Authorisation", null=True, on_delete=models.PROTECT, related_name="products")
    resources = models.ManyToManyField("products.DataResource", related_name="products")
    type = models.CharField(max_length=12, choices=ProductType)
    regime = models.CharField(max_length=8, choices=Regime, default=Regime.TRIAL)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    summary = models.CharField(max_length=300)
    summary_en = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    purposes = ArrayField(models.CharField(max_length=80), default=list)
    scenarios = ArrayField(models.CharField(max_length=60), default=list)
    built_on = models.ManyToManyField("self", symmetrical=False, related_name="built_into", help_text="Products it re-develops")
    update_frequency = models.CharField(max_length=20, blank=True)
    necessity = models.TextField(_("why a fee is needed"), blank=True)
    open_first_override = models.TextField(_("why an openable resource is operated"), blank=True)
    state = models.CharField(max_length=10, choices=ProductState, default=ProductState.DRAFT)
    state_reason = models.CharField(max_length=300, blank=True)
    name_key = models.CharField(max_length=300, blank=True, help_text="Pinyin, for sorting")
    search_terms = ArrayField(models.CharField(max_length=40), default=list, help_text="Bigrams of names and texts")
    created_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)
    needs_consent = models.BooleanField(default=False, help_text="Each call names the consent of the person asked about")
    consent_exemption = models.TextField(
        _("why no person is asked about"), blank=True, help_text="Where personal data stands behind it and calls name no consent"
    )
    is_consent_insisted = models.BooleanField(default=False, help_text="A reviewer insists: filing it again does not undo that")
    calls_per_minute = models.PositiveIntegerField(null=True, help_text="Capacity shared by all callers; null: not bounded")
    concepts = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="What its answers tell, for joint checks"
    )

    class Meta:
        indexes = [
            GinIndex(fields=["search_terms"], name="data_product_search"),
            models.Index(fields=["state", "name_key", "id"], name="data_product_by_name"),
            models.Index(fields=["operator", "state"], name="data_product_by_operator"),
        ]
        constraints = [models.CheckConstraint(condition=Q(type__in=ProductType.values), name="data_product_never_raw_data")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Release(models.Model):
    """A version of a product that runs. Immutable; one is active at a time."""

    class State(TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    product = models.ForeignKey(DataProduct, on_delete=models.PROTECT, related_name="releases")
    version = models.PositiveIntegerField()
    config = models.JSONField(default=dict)
    input_schema = models.JSONField()
    output_schema = models.JSONField()
    sample_input = models.JSONField()
    sample_output = models.JSONField(null=True)
    artifact = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    created_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "version"], name="release_version_once"),
            models.UniqueConstraint(fields=["product"], condition=Q(state="active"), name="release_one_active"),
        ]


class ReviewRecord(models.Model):
    """One of the two reviews that a product passes before it is listed: compliance and security."""

    class Kind(TextChoices):
        COMPLIANCE = "compliance", _("Application-norm review")
        SECURITY = "security", _("Security risk assessment")

    class State(TextChoices):
        REQUESTED = "requested", _("Requested")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")

    product = models.ForeignKey(DataProduct, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    reviewed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "kind"], condition=Q(state="requested"), name="review_one_open"),
            models.CheckConstraint(
                condition=Q(state="requested") | Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                name="review_names_a_person",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=models.F("requested_by")),
                name="review_by_another_person",
            ),
        ]


class SubjectWindow(models.Model):
    """How often an organisation asked about one subject of a product on one day, whatever the release and the entitlement.

    What stops the listing of a protected table, and shows who explores it. Digests are keyed: nothing here names anybody.
    """

    product = models.ForeignKey(DataProduct, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    subject_digest = models.BinaryField(max_length=32)
    near_digest = models.BinaryField(max_length=8, help_text="Of the subject without its last characters: neighbours share it")
    claims = ArrayField(models.BinaryField(max_length=8), default=list, help_text="Digests of what was claimed, each once")
    attempts = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "organisation", "subject_digest", "day"], name="subject_window_once")
        ]
        indexes = [models.Index(fields=["product", "organisation", "day", "near_digest"], name="subject_window_by_neighbours")]


class SubjectDay(models.Model):
    """How many questions an organisation asked of a product on one day, and how many of them nothing matched."""

    product = models.ForeignKey(DataProduct, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("products.Organisation", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    asked = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "organisation", "day"], name="subject_day_once")]


class JoinRule(models.Model):
    """Concepts that together point to a person (or a firm): who holds products that tell all of them needs a review (R72).

    Content and start never change, an end may be set once.
    """

    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    concepts = ArrayField(models.CharField(max_length=60))
    explanation = models.TextField()
    explanation_en = models.TextField(blank=True)
    proposed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField(null=True, help_text="Last day")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(concepts__len__gte=2), name="join_rule_joins_two"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="join_rule_by_two_people"
            ),
            models.CheckConstraint(condition=Q(to_date=None) | Q(to_date__gte=F("from_date")), name="join_rule_dates_in_order"),
        ]


class RemoteHost(models.Model):
    """Where an operator's own service may be called: the egress allow-list, a host at a time, agreed by a second person."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        ALLOWED = "allowed", _("Allowed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="remote_hosts")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=443)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    request = models.TextField(blank=True, help_text="Which service runs there and for which product")
    decided_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    withdrawn_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal = models.TextField(blank=True, help_text="Why the way was closed")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "host", "port"], condition=Q(state__in=["requested", "allowed"]), name="remote_host_once"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="remote_host_by_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["allowed", "refused"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="remote_host_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="remote_host_withdrawn_by_a_person",
            ),
        ]
