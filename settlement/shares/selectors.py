"""Reads of shares: what is payable to whom."""

from __future__ import annotations

from products.organisations.models import Organisation
from settlement.ledger.models import Account
from settlement.shares.models import Payout


def payable_by_party() -> list[tuple[Organisation, int]]:
    """(party, fen) that the ledger says is payable and no proposed payout takes yet, by USCC."""
    rows = (
        Account.objects.filter(kind="payable", organisation__isnull=False)
        .select_related("organisation", "balance")
        .order_by("path")
    )
    taken = dict(Payout.objects.filter(state=Payout.State.PROPOSED).values_list("party_id", "amount_minor"))
    found = [
        (row.organisation, row.balance.in_minor - row.balance.out_minor - taken.get(row.organisation_id, 0))
        for row in rows
        if row.organisation is not None
    ]
    return [(party, amount) for party, amount in found if amount > 0]
