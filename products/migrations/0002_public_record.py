import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0001_initial"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="user_email_unique"),
        ),
        migrations.CreateModel(
            name="Purpose",
            fields=[
                ("code", models.CharField(max_length=80, primary_key=True, serialize=False)),
                (
                    "purpose_class",
                    models.CharField(
                        choices=[
                            ("governance", "Public governance"),
                            ("welfare", "Public welfare"),
                            ("industry", "Industrial development"),
                            ("sector", "Sector development"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(max_length=100)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^(governance|welfare|industry|sector)(\\.[a-z0-9_]+)*$")),
                        name="purpose_code_shape",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Scenario",
            fields=[
                ("code", models.SlugField(max_length=60, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(max_length=100)),
                ("domain", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uscc", models.CharField(max_length=18, unique=True, verbose_name="unified social credit code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_en", models.CharField(blank=True, max_length=200, verbose_name="English name")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("enterprise", "Enterprise"),
                            ("nonprofit", "Nonprofit"),
                            ("public_body", "Public body"),
                            ("institution", "Public institution"),
                            ("operator", "Operator"),
                            ("authorising_body", "Authorising body"),
                            ("price_regulator", "Price regulator"),
                            ("data_bureau", "Data bureau"),
                            ("data_provider", "Data provider"),
                            ("registry", "Registration institution"),
                            ("auditor", "Auditor"),
                            ("platform", "Platform"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=6, verbose_name="administrative division code")),
                (
                    "state",
                    models.CharField(
                        choices=[("unverified", "Unverified"), ("verified", "Verified"), ("suspended", "Suspended")],
                        default="unverified",
                        max_length=12,
                    ),
                ),
                ("name_key", models.CharField(blank=True, help_text="Pinyin, for sorting", max_length=300)),
                ("website", models.URLField(blank=True)),
                ("complaint_contact", models.CharField(blank=True, max_length=200, verbose_name="complaint channel")),
                (
                    "controlled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="affiliates",
                        to="products.organisation",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("uscc__regex", "^[0-9A-HJ-NP-RTUWXY]{18}$")), name="organisation_uscc_shape"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "verified"), _negated=True),
                            models.Q(("verified_at__isnull", False), ("verified_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="organisation_verified_by_a_person",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="products.organisation"
                    ),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("owner", "Owner"),
                                ("buyer", "Buyer"),
                                ("approver", "Approver"),
                                ("developer", "Developer"),
                                ("finance", "Finance"),
                                ("publisher", "Publisher"),
                                ("pricing", "Pricing"),
                                ("reviewer", "Reviewer"),
                                ("decider", "Decider"),
                                ("auditor", "Auditor"),
                            ],
                            max_length=12,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "organisation"), name="membership_once_per_organisation")
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="products.organisation"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("owner", "Owner"),
                                ("buyer", "Buyer"),
                                ("approver", "Approver"),
                                ("developer", "Developer"),
                                ("finance", "Finance"),
                                ("publisher", "Publisher"),
                                ("pricing", "Pricing"),
                                ("reviewer", "Reviewer"),
                                ("decider", "Decider"),
                                ("auditor", "Auditor"),
                            ],
                            max_length=12,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                (
                    "invited_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"
                    ),
                ),
                ("action", models.CharField(max_length=60)),
                ("object_type", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=64)),
                ("reason", models.TextField(blank=True)),
                ("facts", models.JSONField(default=dict)),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
                    models.Index(fields=["organisation", "id"], name="audit_by_organisation"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="products.organisation"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("facts", models.JSONField(default=dict, help_text="What the sentence of this kind is filled with")),
                ("url", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("mailed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["user", "-created_at", "id"], name="notice_by_user")],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("uploaded_at", models.DateTimeField()),
                ("purpose", models.CharField(max_length=60)),
                ("file_name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "uploaded_at"], name="evidence_by_organisation")],
            },
        ),
        migrations.CreateModel(
            name="DataResource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("name_en", models.CharField(blank=True, max_length=200)),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="resources", to="products.organisation"
                    ),
                ),
                ("data_class", models.CharField(max_length=60, verbose_name="class")),
                ("grade", models.PositiveSmallIntegerField(help_text="1 general to 4 core", verbose_name="grade")),
                (
                    "open_type",
                    models.CharField(
                        choices=[
                            ("unconditional", "Unconditionally open"),
                            ("conditional", "Conditionally open"),
                            ("closed", "Not open"),
                        ],
                        max_length=14,
                    ),
                ),
                ("has_personal_data", models.BooleanField()),
                ("has_security_impact", models.BooleanField()),
                (
                    "provenance",
                    models.CharField(choices=[("own", "Own"), ("shared", "Shared by another body")], default="own", max_length=8),
                ),
                (
                    "shared_consent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.evidence",
                    ),
                ),
                ("dictionary", models.JSONField(default=list, help_text='[{"field", "type", "meaning", "meaning_en"}]')),
                ("update_frequency", models.CharField(max_length=20)),
                ("description", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grade__gte", 1), ("grade__lte", 4)), name="data_resource_grade_1_to_4"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Authorisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=60, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("title_en", models.CharField(blank=True, max_length=200)),
                (
                    "authorising_body",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorisations_given",
                        to="products.organisation",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorisations_held",
                        to="products.organisation",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("whole", "Whole"), ("field", "By field"), ("scenario", "By scenario")], max_length=10
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=6)),
                ("from_date", models.DateField()),
                ("to_date", models.DateField(help_text="Last day")),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("active", "Active"), ("suspended", "Suspended"), ("ended", "Ended")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("conditions", models.TextField(blank=True, verbose_name="conditions of authorisation")),
                ("operating_model", models.TextField(blank=True, verbose_name="mode of operation")),
                ("term_clause", models.TextField(blank=True, verbose_name="term")),
                ("exit_clause", models.TextField(blank=True, verbose_name="exit mechanism")),
                ("security_duties", models.TextField(blank=True, verbose_name="security duties")),
                ("decision_reference", models.CharField(blank=True, max_length=100, verbose_name="decision record")),
                ("decision_date", models.DateField(blank=True, null=True)),
                (
                    "decision_evidence",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.evidence",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_date__gte", models.F("from_date")),
                            (
                                "to_date__lt",
                                models.Func(models.F("from_date"), function="five_years_after", output_field=models.DateField()),
                            ),
                        ),
                        name="authorisation_at_most_five_years",
                        violation_error_message="An authorisation runs for at most five years.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("authorising_body", models.F("operator")), _negated=True),
                        name="authorisation_between_two_bodies",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScopeItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "authorisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="scope_items", to="products.authorisation"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="scope_items", to="products.dataresource"
                    ),
                ),
                (
                    "product_type",
                    models.CharField(
                        choices=[
                            ("index", "Index"),
                            ("verification", "Verification"),
                            ("model", "Model"),
                            ("report", "Report"),
                            ("remote", "Remote service"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "purpose",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.purpose"),
                ),
                (
                    "scenario",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.scenario"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("authorisation", "resource", "product_type", "purpose", "scenario"), name="scope_item_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DataProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=60, unique=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="products", to="products.organisation"
                    ),
                ),
                (
                    "authorisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="products.authorisation",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("index", "Index"),
                            ("verification", "Verification"),
                            ("model", "Model"),
                            ("report", "Report"),
                            ("remote", "Remote service"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "regime",
                    models.CharField(
                        choices=[
                            ("free", "Free"),
                            ("trial", "Government-guided price (trial)"),
                            ("guided", "Government-guided price"),
                            ("market", "Market-regulated price"),
                        ],
                        default="trial",
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("name_en", models.CharField(blank=True, max_length=200)),
                ("summary", models.CharField(max_length=300)),
                ("summary_en", models.CharField(blank=True, max_length=300)),
                ("description", models.TextField(blank=True)),
                ("description_en", models.TextField(blank=True)),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), default=list, size=None
                    ),
                ),
                (
                    "scenarios",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("update_frequency", models.CharField(blank=True, max_length=20)),
                ("necessity", models.TextField(blank=True, verbose_name="why a fee is needed")),
                ("open_first_override", models.TextField(blank=True, verbose_name="why an openable resource is operated")),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("listed", "Listed"), ("suspended", "Suspended"), ("delisted", "Delisted")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("state_reason", models.CharField(blank=True, max_length=300)),
                ("name_key", models.CharField(blank=True, help_text="Pinyin, for sorting", max_length=300)),
                (
                    "search_terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        help_text="Bigrams of names and texts",
                        size=None,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("listed_at", models.DateTimeField(null=True)),
                ("resources", models.ManyToManyField(related_name="products", to="products.dataresource")),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["search_terms"], name="data_product_search"),
                    models.Index(fields=["state", "name_key", "id"], name="data_product_by_name"),
                    models.Index(fields=["operator", "state"], name="data_product_by_operator"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40, unique=True)),
                (
                    "resource",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="products.dataresource",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="products.dataproduct",
                    ),
                ),
                (
                    "registry",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="registrations", to="products.organisation"
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("national", "National"), ("province", "Province"), ("city", "City")], max_length=10
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=6)),
                ("issued_date", models.DateField()),
                ("valid_to", models.DateField(help_text="Last day")),
                (
                    "state",
                    models.CharField(choices=[("valid", "Valid"), ("cancelled", "Deregistered")], default="valid", max_length=10),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("product__isnull", True), ("resource__isnull", False)),
                            models.Q(("product__isnull", False), ("resource__isnull", True)),
                            _connector="OR",
                        ),
                        name="registration_of_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gte", models.F("issued_date"))), name="registration_dates_in_order"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="products.dataproduct"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("config", models.JSONField(default=dict)),
                ("input_schema", models.JSONField()),
                ("output_schema", models.JSONField()),
                ("sample_input", models.JSONField()),
                ("sample_output", models.JSONField(null=True)),
                ("artifact", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("active", "Active"), ("retired", "Retired")], default="draft", max_length=8
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("product", "version"), name="release_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "active")), fields=("product",), name="release_one_active"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="products.dataproduct"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("compliance", "Application-norm review"), ("security", "Security risk assessment")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("requested", "Requested"), ("passed", "Passed"), ("failed", "Failed")],
                        default="requested",
                        max_length=10,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("requested_at", models.DateTimeField()),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "requested")), fields=("product", "kind"), name="review_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "requested"),
                            models.Q(("reviewed_at__isnull", False), ("reviewed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="review_names_a_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_by__isnull", True),
                            models.Q(("reviewed_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="review_by_another_person",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubjectWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "release",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="products.release"),
                ),
                ("caller", models.CharField(help_text="Entitlement code", max_length=40)),
                ("day", models.DateField()),
                ("subject_digest", models.BinaryField(max_length=32)),
                ("attempts", models.PositiveIntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("release", "caller", "day", "subject_digest"), name="subject_window_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("object_type", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=64)),
                (
                    "applicant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases_filed",
                        to="products.organisation",
                    ),
                ),
                (
                    "handler",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases_handled", to="products.organisation"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("waiting", "Waiting for corrections"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("opened_date", models.DateField(help_text="Business date of the event; not counted")),
                ("limit_days", models.PositiveSmallIntegerField(help_text="Working days allowed")),
                ("used_days", models.PositiveSmallIntegerField(default=0, help_text="Working days used before running_since")),
                ("running_since", models.DateField(help_text="Null while the clock stands", null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["handler", "state", "opened_at", "id"], name="case_by_handler"),
                    models.Index(fields=["object_type", "object_id"], name="case_by_object"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="events", to="products.case"),
                ),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("note", models.TextField(blank=True)),
                ("used_days", models.PositiveSmallIntegerField(default=0)),
                ("evidence", models.ManyToManyField(related_name="+", to="products.evidence")),
            ],
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                ("act", models.CharField(max_length=60)),
                ("object_type", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=64)),
                ("content", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("proposed_at", models.DateTimeField()),
                ("proposal_reason", models.TextField(blank=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proposed_by", models.F("decided_by")), _negated=True),
                            ("state", "withdrawn"),
                            _connector="OR",
                        ),
                        name="proposal_maker_is_not_checker",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "proposed"),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="proposal_decision_names_a_person",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("act", "object_type", "object_id"),
                        name="proposal_one_open_per_act",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RuleSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("jurisdiction", models.CharField(help_text="CN or an administrative division code", max_length=20)),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(blank=True, max_length=100)),
                ("source", models.CharField(help_text="Legal source: document number", max_length=200)),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(help_text="In force on these dates")),
                ("parameters", models.JSONField()),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    models.F("jurisdiction"),
                                    function="exclusion_key",
                                    output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                                ),
                                "&&",
                            ),
                            ("period", "&&"),
                        ],
                        name="rule_set_no_overlap",
                        violation_error_message="Another rule set of this jurisdiction is in force in that time.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarYear",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=200)),
                ("loaded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CalendarDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                (
                    "year",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="days", to="products.calendaryear"
                    ),
                ),
                ("is_working", models.BooleanField()),
                ("name", models.CharField(blank=True, max_length=60)),
            ],
        ),
    ]
