"""Dividing revenue: agreements, accruals, what becomes payable, payouts by two people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation
from products.record.refusals import Refused
from settlement.shares import rules
from settlement.shares.models import DistributionAgreement, Settlement, Share

if TYPE_CHECKING:
    from settlement.billing.models import BillingMonth, Invoice

PostingInput = tuple[str, str, int]
BATCH = 2000


class AgreementMissing(Refused):
    """Revenue of a product on a day on which no agreement says whose it is."""

    code = "agreement-missing"


class AgreementInvalid(Refused):
    code = "agreement-invalid"


class NegativeShare(Refused):
    """An agreement would divide less than nothing."""

    code = "negative-share"


@dataclass(slots=True)
class Accrual:
    """A party's part of what one agreement divides of one invoice; fen. ``payable_minor`` follows what was paid."""

    agreement: DistributionAgreement
    party: Organisation
    role: str
    position: int
    base_minor: int
    amount_minor: int
    payable_minor: int = 0


class Divider:
    """The agreements of every product and day, read once for a close."""

    def __init__(self) -> None:
        self.agreements: dict[int, list[DistributionAgreement]] = defaultdict(list)
        for agreement in DistributionAgreement.objects.select_related("product").order_by("product_id", "period", "id"):
            self.agreements[agreement.product_id].append(agreement)
        self.parts = {a.id: rules.read_parts(a.parts) for found in self.agreements.values() for a in found}
        self.parties = Organisation.objects.in_bulk({part.organisation_id for parts in self.parts.values() for part in parts})

    def agreement(self, product_id: int, on: date) -> DistributionAgreement:
        for agreement in self.agreements[product_id]:
            if agreement.period.lower <= on and (agreement.period.upper is None or on < agreement.period.upper):
                return agreement
        raise AgreementMissing(
            _("No agreement divides the revenue of product %(product)s on %(day)s; add one, then close again.")
            % {"product": product_id, "day": on.isoformat()},
            product=product_id,
        )

    def accruals(self, nets: Mapping[tuple[int, date], int]) -> list[Accrual]:
        """The division of one invoice: ``nets`` maps (product, day) to fen net of VAT. One split per agreement."""
        bases: dict[int, int] = defaultdict(int)
        by_id = {}
        for (product, on), net in nets.items():
            if net:
                agreement = self.agreement(product, on)
                by_id[agreement.id] = agreement
                bases[agreement.id] += net
        found = []
        for agreement in sorted(by_id.values(), key=lambda a: a.number):
            base, parts = bases[agreement.id], self.parts[agreement.id]
            if base < 0:
                raise NegativeShare(
                    _("Corrections under agreement %(number)s are larger than the month's revenue; a credit note is needed.")
                    % {"number": agreement.number},
                    agreement=agreement.number,
                )
            amounts = rules.split(base, parts)
            for position, (part, amount) in enumerate(zip(parts, amounts, strict=True), 1):
                party = self.parties[part.organisation_id]
                found.append(Accrual(agreement, party, part.role, position, base, amount))
        return found


def accrual_postings(operator: str, accruals: Sequence[Accrual]) -> list[PostingInput]:
    """Revenue of the operator (its USCC) to the accrued shares of its parties."""
    return [(f"revenue:{operator}", f"share:{a.party.uscc}:{operator}", a.amount_minor) for a in accruals]


def payable_postings(
    operator: str, accruals: Sequence[Accrual | Share], *, vat_minor: int, was_paid: int, is_paid: int, total: int
) -> list[PostingInput]:
    """What becomes payable as the paid part of an invoice grows (fen); moves ``payable_minor`` of the accruals along.

    VAT goes to the operator in the same proportion: it is the operator's to hand on.
    """
    postings = []
    for accrual in accruals:
        reached = rules.payable(accrual.amount_minor, is_paid, total) if is_paid else 0
        party = accrual.party.uscc
        postings.append((f"share:{party}:{operator}", f"payable:{party}", reached - accrual.payable_minor))
        accrual.payable_minor = reached
    vat = (rules.payable(vat_minor, is_paid, total) if is_paid else 0) - (
        rules.payable(vat_minor, was_paid, total) if was_paid else 0
    )
    return [*postings, (f"vat:{operator}", f"payable:{operator}", vat)]


def record_accruals(*, month: BillingMonth, accrued: Mapping[Invoice, Sequence[Accrual]]) -> None:
    """Write the shares of the month's invoices, and each party's settlement: a statement over its shares."""
    lines: dict[int, list[list[str | int]]] = defaultdict(list)
    sums: dict[int, int] = defaultdict(int)
    parties: dict[int, Organisation] = {}
    rows = []
    for invoice, accruals in accrued.items():
        for a in accruals:
            rows.append(
                Share(
                    invoice=invoice,
                    agreement=a.agreement,
                    party=a.party,
                    role=a.role,
                    position=a.position,
                    base_minor=a.base_minor,
                    amount_minor=a.amount_minor,
                    payable_minor=a.payable_minor,
                )
            )
            parties[a.party.id] = a.party
            sums[a.party.id] += a.amount_minor
            lines[a.party.id].append([invoice.number, a.agreement.number, a.position, a.role, a.base_minor, a.amount_minor])
    Share.objects.bulk_create(rows, batch_size=BATCH)
    Settlement.objects.bulk_create(
        Settlement(
            month=month,
            party=party,
            accrued_minor=sums[party.id],
            digest=rules.digest([month.month.isoformat(), party.uscc, lines[party.id]]),
        )
        for party in sorted(parties.values(), key=lambda party: party.uscc)
    )
