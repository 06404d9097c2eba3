import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("pricing", "0001_initial"),
        ("products", "0002_public_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("state", models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=6)),
                ("closed_at", models.DateTimeField(null=True)),
                ("is_forced", models.BooleanField(default=False, help_text="Closed before its days of grace were over")),
                ("digest", models.CharField(blank=True, help_text="SHA-256 over its charges and invoices", max_length=64)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="billing_month_starts_on_the_first"),
                    models.CheckConstraint(
                        condition=models.Q(("state", "open"), ("closed_at__isnull", False), _connector="OR"),
                        name="billing_month_closed_has_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                ("sequence", models.PositiveIntegerField()),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices_issued", to="products.organisation"
                    ),
                ),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="products.organisation"
                    ),
                ),
                (
                    "month",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="settlement.billingmonth"
                    ),
                ),
                ("total", models.DecimalField(decimal_places=2, max_digits=18)),
                ("net", models.DecimalField(decimal_places=2, max_digits=18)),
                ("vat", models.DecimalField(decimal_places=2, max_digits=18)),
                ("drawn_from_deposit", models.DecimalField(decimal_places=2, max_digits=18)),
                ("due", models.DecimalField(decimal_places=2, help_text="What is left to pay", max_digits=18)),
                ("paid", models.DecimalField(decimal_places=2, default=0, help_text="Of due", max_digits=18)),
                ("issued_date", models.DateField()),
                ("due_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("issued", "Issued"), ("paid", "Paid"), ("overdue", "Overdue")], default="issued", max_length=8
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("operator", "sequence"), name="invoice_sequence_without_gaps"),
                    models.UniqueConstraint(fields=("operator", "buyer", "month"), name="invoice_once_per_month"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("total", django.db.models.expressions.CombinedExpression(models.F("net"), "+", models.F("vat")))
                        ),
                        name="invoice_net_and_vat_sum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("drawn_from_deposit"), "+", models.F("due")
                                ),
                            )
                        ),
                        name="invoice_drawn_and_due_sum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("paid__gte", 0), ("paid__lte", models.F("due"))), name="invoice_never_overpaid"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Deposit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deposits", to="products.organisation"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                ("order_number", models.CharField(max_length=40)),
                ("amount_minor", models.BigIntegerField(help_text="fen")),
                ("drawn_minor", models.BigIntegerField(default=0, help_text="fen")),
                ("paid_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0), ("drawn_minor__gte", 0), ("drawn_minor__lte", models.F("amount_minor"))
                        ),
                        name="deposit_never_overdrawn",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Entitlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40, unique=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entitlements", to="products.organisation"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entitlements_sold", to="products.organisation"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entitlements", to="products.dataproduct"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="entitlements", to="pricing.plan"
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entitlement",
                        to="pricing.freeusegrant",
                    ),
                ),
                ("purposes", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                ("scenario", models.CharField(max_length=60)),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(help_text="First moment after it")),
                ("anchor_date", models.DateField(help_text="Where flat weeks and years start")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("overdue", "Suspended: invoice overdue"),
                            ("suspended", "Suspended"),
                            ("ended", "Ended"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "discounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("is_prepaid", models.BooleanField(default=False)),
                ("rate_per_minute", models.PositiveIntegerField(default=600)),
                ("order_number", models.CharField(blank=True, max_length=40)),
                ("agreement_digest", models.CharField(blank=True, help_text="SHA-256 of the agreement accepted", max_length=64)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "state", "id"], name="entitlement_by_organisation"),
                    models.Index(fields=["operator", "state", "id"], name="entitlement_by_operator"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("grant__isnull", True), ("plan__isnull", False)),
                            models.Q(("grant__isnull", False), ("plan__isnull", True)),
                            _connector="OR",
                        ),
                        name="entitlement_by_plan_or_grant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gt", models.F("valid_from"))), name="entitlement_dates_in_order"
                    ),
                    models.CheckConstraint(condition=models.Q(("purposes__len__gte", 1)), name="entitlement_has_a_purpose"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "month",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="settlement.billingmonth"
                    ),
                ),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="settlement.entitlement"
                    ),
                ),
                ("service_month", models.DateField(help_text="The month of the use; earlier than month for late usage")),
                (
                    "tariff",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.tariff"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="settlement.invoice"
                    ),
                ),
                ("usage", models.JSONField(help_text="The usage document that was rated (design.md section 7)")),
                ("quote", models.JSONField(help_text="The answer of pricing.quote, without its trace")),
                ("total", models.DecimalField(decimal_places=2, max_digits=18)),
                ("net", models.DecimalField(decimal_places=2, max_digits=18)),
                ("vat", models.DecimalField(decimal_places=2, max_digits=18)),
                ("free_value", models.DecimalField(decimal_places=2, max_digits=18)),
                ("inputs_digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("month", "entitlement", "service_month", "tariff"), name="charge_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("total", django.db.models.expressions.CombinedExpression(models.F("net"), "+", models.F("vat")))
                        ),
                        name="charge_net_and_vat_sum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("free_value", 0), ("total", 0), _connector="OR"), name="charge_free_is_never_revenue"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "invoice",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="settlement.invoice"),
                ),
                ("position", models.PositiveIntegerField()),
                (
                    "charge",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="settlement.charge"),
                ),
                ("component", models.CharField(max_length=60)),
                ("label", models.CharField(max_length=120)),
                ("units", models.DecimalField(decimal_places=6, max_digits=26)),
                ("gross", models.DecimalField(decimal_places=2, max_digits=18)),
                ("discount", models.DecimalField(decimal_places=2, max_digits=18)),
                ("payable", models.DecimalField(decimal_places=2, max_digits=18)),
                ("net", models.DecimalField(decimal_places=2, max_digits=18)),
                ("vat", models.DecimalField(decimal_places=2, max_digits=18)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("invoice", "position"), name="invoice_line_position_once")],
            },
        ),
        migrations.CreateModel(
            name="Quota",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="quotas", to="settlement.entitlement"
                    ),
                ),
                ("span_start", models.DateField(help_text="First day of the span the limit counts over")),
                ("limit", models.BigIntegerField()),
                ("used", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("entitlement", "span_start"), name="quota_once_per_span"),
                    models.CheckConstraint(
                        condition=models.Q(("used__gte", 0), ("used__lte", models.F("limit"))), name="quota_never_overspent"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="api_keys", to="products.organisation"
                    ),
                ),
                (
                    "entitlement",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="settlement.entitlement"
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("live", "Live"), ("test", "Sandbox"), ("op", "Usage reports")], max_length=4),
                ),
                ("name", models.CharField(blank=True, max_length=60)),
                ("hint", models.CharField(help_text="The first characters, to recognise it", max_length=16)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "live"), ("entitlement__isnull", False)),
                            ("mode__in", ["test", "op"]),
                            _connector="OR",
                        ),
                        name="api_key_live_has_an_entitlement",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=120, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("clearing", "Custody"),
                            ("deposit", "Deposits of buyers"),
                            ("receivable", "Receivable"),
                            ("revenue", "Revenue"),
                            ("vat", "VAT"),
                            ("share", "Shares accrued"),
                            ("payable", "Payable to parties"),
                            ("memo", "Memo: value of free use"),
                            ("outside", "Outside the market"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"
                    ),
                ),
                ("currency", models.CharField(default="CNY", max_length=3)),
            ],
        ),
        migrations.CreateModel(
            name="LedgerTransaction",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("key", models.CharField(help_text="Idempotency key", max_length=120, unique=True)),
                ("input_digest", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("cause_type", models.CharField(max_length=40)),
                ("cause_id", models.CharField(max_length=64)),
                ("text", models.CharField(max_length=200)),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="settlement.ledgertransaction",
                    ),
                ),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "indexes": [models.Index(fields=["cause_type", "cause_id"], name="ledger_by_cause")],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="settlement.ledgertransaction"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings_out", to="settlement.account"
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings_in", to="settlement.account"
                    ),
                ),
                ("amount_minor", models.BigIntegerField(help_text="fen")),
                ("currency", models.CharField(default="CNY", max_length=3)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("transaction", "position"), name="posting_position_once"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="posting_amount_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("destination")), _negated=True),
                        name="posting_between_two_accounts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountBalance",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="settlement.account",
                    ),
                ),
                ("in_minor", models.BigIntegerField(default=0)),
                ("out_minor", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="UsageEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_month", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("id", models.UUIDField()),
                ("event_month", models.DateField(help_text="First day of the month of event_time, Asia/Shanghai")),
                ("book_month", models.DateField(help_text="Month that bills it, given inside its commit")),
                (
                    "entitlement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="settlement.entitlement",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="products.dataproduct",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="products.release",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="settlement.apikey",
                    ),
                ),
                ("source", models.CharField(max_length=200)),
                ("event_id", models.CharField(max_length=200)),
                ("purpose", models.CharField(max_length=80)),
                ("units", models.JSONField()),
                ("event_time", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("is_free", models.BooleanField()),
                ("request_digest", models.BinaryField(max_length=32)),
                ("corrects", models.UUIDField(null=True)),
            ],
            options={
                "db_table": "settlement_usageevent",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="UsageIdentity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=200)),
                ("event_id", models.CharField(max_length=200)),
                ("digest", models.BinaryField(max_length=32)),
                ("usage_id", models.UUIDField()),
                ("event_month", models.DateField()),
            ],
            options={
                "db_table": "settlement_usageidentity",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="settlement.apikey"
                    ),
                ),
                (
                    "entitlement",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="settlement.entitlement"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.dataproduct"
                    ),
                ),
                ("status", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(max_length=60)),
                ("purpose", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["entitlement", "at"], name="refusal_by_entitlement"),
                    models.Index(fields=["product", "at"], name="refusal_by_product"),
                ],
                "constraints": [models.CheckConstraint(condition=models.Q(("status__gte", 400)), name="refusal_is_an_error")],
            },
        ),
        migrations.CreateModel(
            name="PaymentIntent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("order", "Order"), ("invoice", "Invoice")], max_length=8)),
                (
                    "method",
                    models.CharField(
                        choices=[("hosted", "Card, Alipay or WeChat Pay"), ("transfer", "Bank transfer")], max_length=8
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("pending", "Waiting for payment"),
                            ("succeeded", "Paid"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="created",
                        max_length=10,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.organisation"),
                ),
                ("amount_minor", models.BigIntegerField(help_text="fen")),
                ("currency", models.CharField(default="CNY", max_length=3)),
                ("order_number", models.CharField(blank=True, max_length=40)),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_intents",
                        to="settlement.invoice",
                    ),
                ),
                ("provider_ref", models.CharField(blank=True, max_length=120)),
                ("provider_url", models.TextField(blank=True)),
                ("transfer_reference", models.CharField(max_length=30, null=True, unique=True)),
                ("context", models.JSONField(default=dict)),
                (
                    "created_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payment_intent_amount_positive"),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_ref", ""), _negated=True),
                        fields=("provider_ref",),
                        name="payment_intent_provider_ref_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=80)),
                ("received_at", models.DateTimeField()),
                ("processed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("provider", "event_id"), name="webhook_event_once")],
            },
        ),
        migrations.CreateModel(
            name="DistributionAgreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=60, unique=True)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="distribution_agreements",
                        to="products.dataproduct",
                    ),
                ),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField()),
                ("parts", models.JSONField()),
                (
                    "is_example",
                    models.BooleanField(default=False, help_text="No official split exists; a demo's ratio is an example"),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "approved_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("proposed_by", models.F("approved_by")), _negated=True),
                        name="distribution_agreement_by_two_people",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    models.F("product"),
                                    function="exclusion_key",
                                    output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                                ),
                                "&&",
                            ),
                            ("period", "&&"),
                        ],
                        name="distribution_agreement_no_overlap",
                        violation_error_message="Another agreement of this product holds in that time.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Share",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shares", to="settlement.invoice"
                    ),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shares", to="settlement.distributionagreement"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shares", to="products.organisation"
                    ),
                ),
                ("role", models.CharField(max_length=20)),
                ("position", models.PositiveSmallIntegerField()),
                ("base_minor", models.BigIntegerField(help_text="fen, net of VAT, that was divided")),
                ("amount_minor", models.BigIntegerField(help_text="fen accrued")),
                ("payable_minor", models.BigIntegerField(default=0, help_text="fen that became payable")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "agreement", "position"), name="share_once"),
                    models.CheckConstraint(
                        condition=models.Q(("payable_minor__gte", 0), ("payable_minor__lte", models.F("amount_minor"))),
                        name="share_payable_within_accrued",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "month",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="settlements", to="settlement.billingmonth"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="settlements", to="products.organisation"
                    ),
                ),
                ("accrued_minor", models.BigIntegerField(help_text="fen")),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("month", "party"), name="settlement_once")],
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payouts", to="products.organisation"
                    ),
                ),
                ("amount_minor", models.BigIntegerField(help_text="fen")),
                (
                    "state",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("paid", "Paid"), ("rejected", "Rejected")],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("bank_reference", models.CharField(blank=True, max_length=60)),
                (
                    "proposed_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("proposed_at", models.DateTimeField()),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("confirmed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payout_amount_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_by__isnull", True),
                            models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="payout_by_two_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "payout",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="settlement.payout"),
                ),
                (
                    "share",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payout_lines", to="settlement.share"
                    ),
                ),
                ("amount_minor", models.BigIntegerField(help_text="fen")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("payout", "share"), name="payout_line_once"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payout_line_amount_positive"),
                ],
            },
        ),
        migrations.AddField(
            model_name="payout",
            name="shares",
            field=models.ManyToManyField(related_name="payouts", through="settlement.PayoutLine", to="settlement.share"),
        ),
    ]
