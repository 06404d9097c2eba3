"""Billing months, charges, invoices and their lines."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

MONEY = {"max_digits": 18, "decimal_places": 2}


class BillingMonth(models.Model):
    """[1st 00:00, next 1st 00:00) Asia/Shanghai. Recording holds its row shared, closing takes it exclusively."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    month = models.DateField(primary_key=True)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True)
    is_forced = models.BooleanField(default=False, help_text="Closed before its days of grace were over")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 over its charges and invoices")
    sealed_until = models.DateTimeField(null=True, help_text="No event booked here is received before: its receipts are sealed")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="billing_month_starts_on_the_first"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(closed_at__isnull=False), name="billing_month_closed_has_a_moment"
            ),
        ]


class Invoice(models.Model):
    """One per operator, buyer and billing month; once issued it never changes (a trigger), only what is paid of it."""

    class State(models.TextChoices):
        ISSUED = "issued", _("Issued")
        PAID = "paid", _("Paid")
        OVERDUE = "overdue", _("Overdue")

    number = models.CharField(max_length=80, unique=True)
    sequence = models.PositiveIntegerField()
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="invoices_issued")
    buyer = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="invoices")
    month = models.ForeignKey(BillingMonth, on_delete=models.PROTECT, related_name="invoices")
    total = models.DecimalField(**MONEY)
    net = models.DecimalField(**MONEY)
    vat = models.DecimalField(**MONEY)
    drawn_from_deposit = models.DecimalField(**MONEY)
    due = models.DecimalField(**MONEY, help_text="What is left to pay")
    paid = models.DecimalField(**MONEY, default=0, help_text="Of due")
    issued_date = models.DateField()
    due_date = models.DateField()
    state = models.CharField(max_length=8, choices=State, default=State.ISSUED)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["operator", "sequence"], name="invoice_sequence_without_gaps"),
            models.UniqueConstraint(fields=["operator", "buyer", "month"], name="invoice_once_per_month"),
            models.CheckConstraint(condition=Q(total=F("net") + F("vat")), name="invoice_net_and_vat_sum"),
            models.CheckConstraint(condition=Q(total=F("drawn_from_deposit") + F("due")), name="invoice_drawn_and_due_sum"),
            models.CheckConstraint(condition=Q(paid__gte=0, paid__lte=F("due")), name="invoice_never_overpaid"),
        ]


class Charge(models.Model):
    """What one entitlement owes for one service month under one tariff, billed in one billing month."""

    month = models.ForeignKey(BillingMonth, on_delete=models.PROTECT, related_name="charges")
    entitlement = models.ForeignKey("settlement.Entitlement", on_delete=models.PROTECT, related_name="charges")
    service_month = models.DateField(help_text="The month of the use; earlier than month for late usage")
    from_date = models.DateField(help_text="First day that was rated: a month is cut where the tariff changes")
    to_date = models.DateField(help_text="First day after it")
    tariff = models.ForeignKey("pricing.Tariff", null=True, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="charges")
    usage = models.JSONField(help_text="The usage document that was rated (design.md section 7); late usage: all and billed")
    quote = models.JSONField(help_text="The answer of pricing.quote, without its trace")
    total = models.DecimalField(**MONEY)
    net = models.DecimalField(**MONEY)
    vat = models.DecimalField(**MONEY)
    free_value = models.DecimalField(**MONEY)
    inputs_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month", "entitlement", "service_month", "tariff", "from_date"],
                name="charge_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(to_date__gt=F("from_date")), name="charge_dates_in_order"),
            models.CheckConstraint(condition=Q(total=F("net") + F("vat")), name="charge_net_and_vat_sum"),
            models.CheckConstraint(condition=Q(free_value=0) | Q(total=0), name="charge_free_is_never_revenue"),
        ]


class InvoiceLine(models.Model):
    """One component of one charge on an invoice, with its part of net and VAT (largest remainder)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="lines")
    component = models.CharField(max_length=60)
    label = models.CharField(max_length=120)
    units = models.DecimalField(max_digits=26, decimal_places=6)
    gross = models.DecimalField(**MONEY)
    discount = models.DecimalField(**MONEY)
    payable = models.DecimalField(**MONEY)
    net = models.DecimalField(**MONEY)
    vat = models.DecimalField(**MONEY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_once")]


class Deposit(models.Model):
    """Money that a buyer paid before use, for one operator; the close draws it down, oldest first."""

    organisation = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="deposits")
    operator = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="+")
    order_number = models.CharField(max_length=40)
    key = models.CharField(max_length=120, unique=True, help_text="Idempotency key, the ledger's too")
    amount_minor = models.BigIntegerField(help_text="fen")
    drawn_minor = models.BigIntegerField(default=0, help_text="fen")
    paid_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, drawn_minor__gte=0, drawn_minor__lte=F("amount_minor")),
                name="deposit_never_overdrawn",
            )
        ]
