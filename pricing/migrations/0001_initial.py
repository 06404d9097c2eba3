import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("products", "0002_public_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="FreeUseGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="free_use_grants", to="products.organisation"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="free_use_grants", to="products.dataproduct"
                    ),
                ),
                ("purpose", models.CharField(max_length=80)),
                ("scenario", models.CharField(max_length=60)),
                ("statement", models.TextField(verbose_name="what it is for")),
                ("beneficiaries", models.TextField(blank=True, verbose_name="who benefits")),
                ("is_noncommercial", models.BooleanField(default=False, verbose_name="outputs are not sold")),
                ("quota_asked", models.PositiveIntegerField()),
                ("asked_until", models.DateField()),
                ("quota", models.PositiveIntegerField(help_text="Units over the whole term", null=True)),
                ("from_date", models.DateField(null=True)),
                ("to_date", models.DateField(help_text="Last day", null=True)),
                ("conditions", models.TextField(blank=True)),
                ("responsible_person", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("corrections", "Corrections asked"),
                            ("decided", "Decided, to be checked"),
                            ("granted", "Granted"),
                            ("refused", "Refused"),
                            ("revoked", "Revoked"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("submitted_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision", models.CharField(blank=True, help_text="grant or refuse", max_length=10)),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "checked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("checked_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.case"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("evidence", models.ManyToManyField(related_name="+", to="products.evidence")),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "state"], name="grant_by_organisation")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("purpose__startswith", "governance"), ("purpose__startswith", "welfare"), _connector="OR"
                        ),
                        name="free_use_grant_for_a_free_purpose",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by__isnull", True),
                            models.Q(
                                models.Q(("checked_by", models.F("decided_by")), _negated=True),
                                models.Q(("checked_by", models.F("submitted_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="free_use_grant_by_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "granted"), _negated=True),
                            models.Q(
                                ("checked_by__isnull", False),
                                ("from_date__isnull", False),
                                ("quota__isnull", False),
                                ("to_date__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="free_use_grant_has_quota_and_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CapFiling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cap_filings", to="products.dataproduct"
                    ),
                ),
                (
                    "authorising_body",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                ("document", models.JSONField(help_text="Cap document of design.md section 7")),
                ("document_no", models.CharField(max_length=100)),
                ("is_trial", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Approved"),
                            ("reported", "Reported in writing"),
                            ("published", "Published"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "drafted_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("drafted_at", models.DateTimeField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                ("report_no", models.CharField(blank=True, help_text="Number of the written report", max_length=100)),
                (
                    "report_evidence",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.evidence"
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reported_at", models.DateTimeField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "published"), _negated=True),
                            models.Q(("published_at__isnull", False), ("reported_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="cap_filing_not_reported_not_published",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("drafted_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="cap_filing_by_two_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "filing",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="caps", to="pricing.capfiling"),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="caps", to="products.dataproduct"
                    ),
                ),
                ("purpose_class", models.CharField(max_length=12)),
                ("basis", models.CharField(max_length=10)),
                (
                    "flat_period",
                    models.CharField(blank=True, help_text="For basis periods: day, week, month, quarter, year", max_length=10),
                ),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(help_text="In force on these dates")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="cap_not_negative"),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    models.F("product"),
                                    models.F("purpose_class"),
                                    models.F("basis"),
                                    models.F("flat_period"),
                                    function="exclusion_key",
                                    output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                                ),
                                "&&",
                            ),
                            ("period", "&&"),
                        ],
                        name="cap_no_overlap",
                        violation_error_message="Another cap is in force in that time.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="products.dataproduct"
                    ),
                ),
                ("code", models.SlugField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(blank=True, max_length=100)),
                ("description", models.TextField(blank=True)),
                ("description_en", models.TextField(blank=True)),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), default=list, size=None
                    ),
                ),
                ("is_prepaid", models.BooleanField(default=False)),
                ("term_months", models.PositiveSmallIntegerField(default=12)),
                ("rate_per_minute", models.PositiveIntegerField(default=600, help_text="Calls a minute")),
                (
                    "state",
                    models.CharField(choices=[("open", "On sale"), ("closed", "No longer sold")], default="open", max_length=6),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("product", "code"), name="plan_code_once_per_product")],
            },
        ),
        migrations.CreateModel(
            name="Tariff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="tariffs", to="pricing.plan"),
                ),
                ("version", models.PositiveIntegerField()),
                ("document", models.JSONField(help_text="Tariff document of design.md section 7")),
                ("digest", models.CharField(help_text="SHA-256 of the canonical document", max_length=64)),
                (
                    "period",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="In force on these dates; the upper end is open until a successor comes"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("filed", "Filed"), ("accepted", "Noted"), ("returned", "Returned"), ("withdrawn", "Withdrawn")],
                        default="filed",
                        max_length=10,
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("filed_at", models.DateTimeField()),
                ("reason", models.TextField(blank=True, help_text="Why this price")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "clamped_from",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.tariff"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.case"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "version"), name="tariff_version_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("filed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="tariff_by_two_people",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("state__in", ["filed", "accepted"])),
                        expressions=[
                            (
                                models.Func(
                                    models.F("plan"),
                                    function="exclusion_key",
                                    output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                                ),
                                "&&",
                            ),
                            ("period", "&&"),
                        ],
                        name="tariff_no_overlap",
                        violation_error_message="Another tariff of this plan is in force in that time.",
                    ),
                ],
            },
        ),
    ]
