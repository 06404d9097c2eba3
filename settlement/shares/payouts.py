"""Payouts: one person of the platform proposes to pay a party what is payable, another confirms that the bank has paid it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, User
from products.record import audit
from products.record.refusals import Refused
from settlement.ledger.services import post
from settlement.shares.models import Payout, PayoutLine, Share
from settlement.shares.rules import payable


class NothingPayable(Refused):
    code = "nothing-payable"


class PayoutOpen(Refused):
    """Another payout to the party waits for its confirmation."""

    code = "payout-open"


class PayoutNotProposed(Refused):
    code = "payout-not-proposed"


class NoteMissing(Refused):
    """A payout is paid with the bank's reference and rejected with a reason."""

    code = "note-missing"


class SamePerson(Refused):
    code = "same-person"


def payable_lines(*, party: Organisation) -> list[PayoutLine]:
    """What can be paid to a party now, unsaved: the payable part of each share, and of the VAT of its own invoices."""
    shares = (
        Share.objects.filter(party=party, payable_minor__gt=0)
        .annotate(taken=Coalesce(Sum("payout_lines__amount_minor", filter=_live("payout_lines")), 0))
        .filter(payable_minor__gt=F("taken"))
        .order_by("id")
    )
    lines = [PayoutLine(share=share, amount_minor=share.payable_minor - share.taken) for share in shares]
    invoices = (
        party.invoices_issued.filter(vat__gt=0)
        .annotate(taken=Coalesce(Sum("vat_payout_lines__amount_minor", filter=_live("vat_payout_lines")), 0))
        .order_by("id")
    )
    for invoice in invoices:
        vat, total, paid = (int(x.scaleb(2)) for x in (invoice.vat, invoice.total, invoice.drawn_from_deposit + invoice.paid))
        left = payable(vat, paid, total) - invoice.taken
        if left > 0:
            lines.append(PayoutLine(invoice=invoice, amount_minor=left))
    return lines


@transaction.atomic
def payout_propose(*, party: Organisation, user: User, at: datetime) -> Payout:
    """Propose to pay a party all that is payable and in no other payout. Raises NothingPayable, PayoutOpen."""
    Organisation.objects.select_for_update().get(pk=party.pk)
    if Payout.objects.filter(party=party, state=Payout.State.PROPOSED).exists():
        raise PayoutOpen(_("A payout to this party waits for its confirmation."))
    lines = payable_lines(party=party)
    amount = sum(line.amount_minor for line in lines)
    if not amount:
        raise NothingPayable(_("Nothing is payable to this party."))
    count = Payout.objects.filter(party=party).count() + 1
    payout = Payout.objects.create(
        number=f"P-{party.uscc}-{count:04d}", party=party, amount_minor=amount, proposed_by=user, proposed_at=at
    )
    for line in lines:
        line.payout = payout
    PayoutLine.objects.bulk_create(lines)
    audit.record(action="payout.proposed", obj=payout, actor=user, organisation=party, at=at, facts={"amount_minor": amount})
    return payout


@transaction.atomic
def payout_confirm(*, payout: Payout, user: User, bank_reference: str, at: datetime) -> Payout:
    """Another person confirms that the bank has paid: the money leaves custody.

    Raises SamePerson, PayoutNotProposed, NoteMissing.
    """
    if not bank_reference:
        raise NoteMissing(_("Give the bank's reference of the payment."), field="note")
    payout = _decide(payout, user, "paid", at, bank_reference=bank_reference)
    post(
        key=f"payout:{payout.number}",
        cause=("payout", payout.number),
        text=f"Payout {payout.number}",
        postings=[(f"payable:{payout.party.uscc}", "clearing:bank", payout.amount_minor)],
        at=at,
    )
    facts = {"amount_minor": payout.amount_minor, "bank_reference": bank_reference}
    audit.record(action="payout.paid", obj=payout, actor=user, organisation=payout.party, at=at, facts=facts)
    return payout


@transaction.atomic
def payout_reject(*, payout: Payout, user: User, reason: str, at: datetime) -> Payout:
    """Another person rejects it; what it would have paid stays payable."""
    if not reason:
        raise NoteMissing(_("Say why the payout is rejected."), field="note")
    payout = _decide(payout, user, "rejected", at)
    audit.record(action="payout.rejected", obj=payout, actor=user, organisation=payout.party, at=at, reason=reason)
    return payout


def _decide(payout: Payout, user: User, state: str, at: datetime, **changes: str) -> Payout:
    if payout.proposed_by_id == user.pk:
        raise SamePerson(_("Who proposed a payout does not decide on it."))
    claimed = Payout.objects.filter(pk=payout.pk, state=Payout.State.PROPOSED).update(
        state=state, confirmed_by=user, confirmed_at=at, **changes
    )
    if not claimed:
        raise PayoutNotProposed(_("This payout was decided before."))
    return Payout.objects.select_related("party").get(pk=payout.pk)


def _live(relation: str) -> Q:
    """Lines of payouts that were not rejected."""
    return ~Q(**{f"{relation}__payout__state": Payout.State.REJECTED})
