"""Accounts, transactions, postings, balances."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """A place where money stands, named by path, for example ``deposit:{buyer}:{operator}`` or ``clearing:stripe``."""

    class Kind(models.TextChoices):
        CLEARING = "clearing", _("Custody")
        DEPOSIT = "deposit", _("Deposits of buyers")
        RECEIVABLE = "receivable", _("Receivable")
        REVENUE = "revenue", _("Revenue")
        VAT = "vat", _("VAT")
        SHARE = "share", _("Shares accrued")
        PAYABLE = "payable", _("Payable to parties")
        MEMO = "memo", _("Memo: value of free use")
        OUTSIDE = "outside", _("Outside the market")

    path = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    organisation = models.ForeignKey("products.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3, default="CNY")

    def __str__(self) -> str:
        return self.path


class LedgerTransaction(models.Model):
    """One event in money: its postings, its cause, and its place in the hash chain. Append-only."""

    id = models.BigIntegerField(primary_key=True)
    key = models.CharField(max_length=120, unique=True, help_text="Idempotency key")
    input_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    cause_type = models.CharField(max_length=40)
    cause_id = models.CharField(max_length=64)
    text = models.CharField(max_length=200)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    posting_count = models.PositiveSmallIntegerField(help_text="Checked against its postings at commit")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [models.Index(fields=["cause_type", "cause_id"], name="ledger_by_cause")]
        constraints = [models.CheckConstraint(condition=Q(posting_count__gte=1), name="ledger_transaction_has_a_posting")]


class Posting(models.Model):
    """An amount that moves from one account to another: it balances by construction."""

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="postings", db_index=False)
    position = models.PositiveSmallIntegerField()
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings_out")
    destination = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings_in")
    amount_minor = models.BigIntegerField(help_text="fen")
    currency = models.CharField(max_length=3, default="CNY")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "position"], name="posting_position_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="posting_amount_positive"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="posting_between_two_accounts"),
        ]


class AccountBalance(models.Model):
    """What came in and went out of an account, kept by a trigger in the commit of each posting.

    `verify` recomputes it. The trigger also refuses to overdraw an account (``account_never_overdrawn``).
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="balance")
    in_minor = models.BigIntegerField(default=0)
    out_minor = models.BigIntegerField(default=0)
