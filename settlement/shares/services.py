"""Dividing revenue: agreements, accruals, what becomes payable, payouts by two people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct, Regime
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


class SaleWithoutAgreement(Refused):
    """A sale of what no agreement divides: refused before it happens, since it would stop the close for everybody."""

    code = "sale-without-agreement"


class AgreementInvalid(Refused):
    code = "agreement-invalid"


class NegativeShare(Refused):
    """An agreement would divide less than nothing."""

    code = "negative-share"


@dataclass(slots=True)
class Accrual:
    """A party's part of what one agreement divides of one invoice; fen. ``payable_minor`` follows what was paid.

    ``agreement`` is None where the whole is the seller's own: ``product`` then says of what. ``label`` is as ``Share.label``.
    """

    agreement: DistributionAgreement | None
    product: DataProduct | None
    label: str
    party: Organisation
    role: str
    position: int
    base_minor: int
    amount_minor: int
    payable_minor: int = 0


@dataclass(frozen=True, slots=True)
class Division:
    """How the revenue of a product is divided on a day: by an agreement, or whole to its seller."""

    label: str
    agreement: DistributionAgreement | None
    product: DataProduct | None
    parts: tuple[rules.Part, ...]


def is_own(product: DataProduct) -> bool:
    """Whether a product's revenue is its seller's where no agreement divides it: market price, no authorisation (0042)."""
    return product.regime == Regime.MARKET and product.authorisation_id is None


def sale_check(*, product: DataProduct, from_date: date, to_date: date) -> None:
    """Refuse a sale for [from_date, to_date) whose revenue would have no owner on some day, so that no close ever meets it.

    Raises SaleWithoutAgreement.
    """
    if is_own(product):
        return
    held = DistributionAgreement.objects.filter(product=product, period__overlap=(from_date, to_date))
    covered = from_date
    for agreement in held.order_by("period", "id"):
        if agreement.period.lower is not None and agreement.period.lower > covered:
            break
        covered = to_date if agreement.period.upper is None else max(covered, agreement.period.upper)
    if covered < to_date:
        raise SaleWithoutAgreement(
            _(
                "“%(product)s” (%(code)s) cannot be sold yet: no distribution agreement says whose its revenue is on %(day)s. "
                "Its operator concludes one for the whole term first."
            )
            % {"product": product.name, "code": product.code, "day": covered.isoformat()},
            field="plan",
            product=product.code,
        )


class Divider:
    """The agreements of every product and day, read once for a close."""

    def __init__(self) -> None:
        self.agreements: dict[int, list[DistributionAgreement]] = defaultdict(list)
        for agreement in DistributionAgreement.objects.select_related("product").order_by("product_id", "period", "id"):
            self.agreements[agreement.product_id].append(agreement)
        self.parts = {a.id: rules.read_parts(a.parts) for found in self.agreements.values() for a in found}
        self.parties = Organisation.objects.in_bulk({part.organisation_id for parts in self.parts.values() for part in parts})
        self.owned: dict[int, Division] = {}

    def division(self, product_id: int, on: date) -> Division:
        """The agreement of that day; for a product at market price without one, the whole to its seller. AgreementMissing."""
        for agreement in self.agreements[product_id]:
            if agreement.period.lower <= on and (agreement.period.upper is None or on < agreement.period.upper):
                return Division(agreement.number, agreement, None, self.parts[agreement.id])
        if product_id not in self.owned:
            product = DataProduct.objects.select_related("operator").get(pk=product_id)
            if not is_own(product):
                raise AgreementMissing(
                    _("No agreement divides the revenue of product %(product)s on %(day)s; add one, then close again.")
                    % {"product": product.code, "day": on.isoformat()},
                    product=product_id,
                )
            self.parties[product.operator_id] = product.operator
            whole = (rules.Part(product.operator_id, "operator", None),)
            self.owned[product_id] = Division(f"own:{product.code}", None, product, whole)
        return self.owned[product_id]

    def accruals(self, nets: Mapping[tuple[int, date], int]) -> list[Accrual]:
        """The division of one invoice: ``nets`` maps (product, day) to fen net of VAT. One split per agreement."""
        bases: dict[str, int] = defaultdict(int)
        divisions: dict[str, Division] = {}
        for (product, on), net in nets.items():
            if net:
                division = self.division(product, on)
                divisions[division.label] = division
                bases[division.label] += net
        found = []
        for label, division in sorted(divisions.items()):
            base = bases[label]
            if base < 0:
                raise NegativeShare(
                    _("Corrections under agreement %(number)s are larger than the month's revenue; a credit note is needed.")
                    % {"number": label},
                    agreement=label,
                )
            amounts = rules.split(base, division.parts)
            of = (division.agreement, division.product, label)
            for position, (part, amount) in enumerate(zip(division.parts, amounts, strict=True), 1):
                found.append(Accrual(*of, self.parties[part.organisation_id], part.role, position, base, amount))
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
                    product=a.product,
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
            lines[a.party.id].append([invoice.number, a.label, a.position, a.role, a.base_minor, a.amount_minor])
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
