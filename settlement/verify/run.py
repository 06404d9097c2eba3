"""Every check, in the order in which usage becomes money."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from settlement.verify import archived, billed, chains, hours, papers, rated, receipts, shared, usage
from settlement.verify.mismatch import Mismatch

CHECKS: dict[str, Callable[[], Iterator[Mismatch]]] = {
    "audit trail": chains.audit_trail,
    "documents": papers.documents,
    "usage": usage.events,
    "events": hours.recorded,
    "hours": hours.summed,
    "archives": archived.files,
    "receipts": receipts.trees,
    "charges": rated.charges,
    "invoices": billed.invoices,
    "months": billed.months,
    "ledger chain": chains.ledger_chain,
    "balances": chains.balances,
    "money": billed.money,
    "shares": shared.shares,
    "statements": shared.statements,
    "payouts": shared.payouts,
}


def mismatches() -> Iterator[tuple[str, Mismatch]]:
    """(check, mismatch) of everything that does not hold; nothing where all is well."""
    for name, check in CHECKS.items():
        for mismatch in check():
            yield name, mismatch
