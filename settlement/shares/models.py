"""Distribution agreements, shares of invoices, settlements and payouts."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct
from products.postgres.ranges import exclusion_key


class DistributionAgreement(models.Model):
    """How a product's revenue, net of VAT, is divided. ``parts`` keep a stable order; one part takes the rest.

    ``parts``: ``[{"organisation": id, "role": "provider", "percent": "10.00"}, {"organisation": id, "role": "operator",
    "rest": true}]``.
    """

    number = models.CharField(max_length=60, unique=True)
    product = models.ForeignKey("products.DataProduct", on_delete=models.PROTECT, related_name="distribution_agreements")
    period = DateRangeField()
    parts = models.JSONField()
    is_example = models.BooleanField(default=False, help_text="No official split exists; a demo's ratio is an example")
    proposed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(proposed_by=F("approved_by")), name="distribution_agreement_by_two_people"),
            ExclusionConstraint(
                name="distribution_agreement_no_overlap",
                expressions=[(exclusion_key("product"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)],
                violation_error_message=_("Another agreement of this product holds in that time."),
            ),
        ]


class Share(models.Model):
    """A party's part of an invoice: accrued as the invoice is posted, payable as it is paid.

    It comes by a distribution agreement, or, for a product at market price that nobody has a part in (decision 0042), whole to
    the product's seller: then ``product`` says of what.
    """

    invoice = models.ForeignKey("settlement.Invoice", on_delete=models.PROTECT, related_name="shares")
    agreement = models.ForeignKey(DistributionAgreement, null=True, on_delete=models.PROTECT, related_name="shares")
    product = models.ForeignKey("products.DataProduct", null=True, on_delete=models.PROTECT, related_name="own_shares")
    party = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="shares")
    role = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    base_minor = models.BigIntegerField(help_text="fen, net of VAT, that was divided")
    amount_minor = models.BigIntegerField(help_text="fen accrued")
    payable_minor = models.BigIntegerField(default=0, help_text="fen that became payable")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "agreement", "product", "position"], name="share_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(agreement__isnull=False, product__isnull=True)
                | Q(agreement__isnull=True, product__isnull=False, position=1, amount_minor=F("base_minor")),
                name="share_by_agreement_or_whole",
            ),
            models.CheckConstraint(
                condition=Q(payable_minor__gte=0, payable_minor__lte=F("amount_minor")),
                name="share_payable_within_accrued",
            ),
        ]

    @property
    def of_product(self) -> DataProduct:
        """The product whose revenue it is a part of."""
        found = self.product or (self.agreement and self.agreement.product)
        assert found
        return found

    @property
    def label(self) -> str:
        """The agreement's number; ``own:`` and the product's code where the seller keeps the whole."""
        return self.agreement.number if self.agreement else f"own:{self.of_product.code}"


class Settlement(models.Model):
    """A closed month's division for one party: a statement whose lines are its shares."""

    month = models.ForeignKey("settlement.BillingMonth", on_delete=models.PROTECT, related_name="settlements")
    party = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="settlements")
    accrued_minor = models.BigIntegerField(help_text="fen")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["month", "party"], name="settlement_once")]


class Payout(models.Model):
    """Money that leaves the custody accounts for one party, proposed by one person and confirmed by another."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        PAID = "paid", _("Paid")
        REJECTED = "rejected", _("Rejected")

    number = models.CharField(max_length=40, unique=True)
    party = models.ForeignKey("products.Organisation", on_delete=models.PROTECT, related_name="payouts")
    amount_minor = models.BigIntegerField(help_text="fen")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    shares = models.ManyToManyField(Share, through="settlement.PayoutLine", related_name="payouts")
    bank_reference = models.CharField(max_length=60, blank=True)
    proposed_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey("products.User", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_amount_positive"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("proposed_by")), name="payout_by_two_people"
            ),
        ]


class PayoutLine(models.Model):
    """What a payout pays: a part of one share, or of the VAT of one invoice to its seller."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="lines")
    share = models.ForeignKey(Share, null=True, on_delete=models.PROTECT, related_name="payout_lines")
    invoice = models.ForeignKey("settlement.Invoice", null=True, on_delete=models.PROTECT, related_name="vat_payout_lines")
    amount_minor = models.BigIntegerField(help_text="fen")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payout", "share", "invoice"], name="payout_line_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(share__isnull=False, invoice__isnull=True) | Q(share__isnull=True, invoice__isnull=False),
                name="payout_line_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_line_amount_positive"),
        ]
