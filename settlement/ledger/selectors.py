"""What stands on accounts, and what moved it."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from settlement.ledger import rules
from settlement.ledger.models import Account, AccountBalance, Posting


def balance_minor(*, path: str) -> int:
    """Fen on an account, seen from its side (`rules`); 0 where it does not exist yet."""
    row = AccountBalance.objects.filter(account__path=path).values_list("in_minor", "out_minor").first()
    return rules.balance(rules.kind_of(path), *row) if row else 0


def balances(*, kind: str | None = None, organisation_id: int | None = None) -> list[tuple[str, int]]:
    """(path, fen) of accounts, by path."""
    accounts = Account.objects.select_related("balance").filter(balance__isnull=False)
    if kind is not None:
        accounts = accounts.filter(kind=kind)
    if organisation_id is not None:
        accounts = accounts.filter(organisation_id=organisation_id)
    rows = accounts.order_by("path").values_list("path", "kind", "balance__in_minor", "balance__out_minor")
    return [(path, rules.balance(kind, came, went)) for path, kind, came, went in rows]


def postings_of(*, path: str) -> QuerySet[Posting]:
    """The postings of an account, newest first, with both accounts and the transaction."""
    return (
        Posting.objects.filter(Q(source__path=path) | Q(destination__path=path))
        .select_related("transaction", "source", "destination")
        .order_by("-id")
    )
