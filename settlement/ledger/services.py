"""Writes to the books: post, post many, reverse. Nothing else inserts transactions or postings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation
from products.record import audit
from products.record.refusals import Refused
from settlement.ledger import rules
from settlement.ledger.models import Account, LedgerTransaction
from settlement.ledger.rules import Movement

LOCK = 7_200_001  # advisory: one writer at a time numbers and chains transactions

PostingInput = tuple[str, str, int]


class PostingInvalid(Refused):
    code = "posting-invalid"


class FlowForbidden(Refused):
    code = "flow-forbidden"


class KeyUsedDifferently(Refused):
    code = "ledger-key-used-differently"


class AlreadyReversed(Refused):
    code = "already-reversed"


class AccountOverdrawn(Refused):
    code = "account-overdrawn"


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction to post. ``cause`` names what it comes from: ("invoice", "harbour-2026-000001")."""

    key: str
    cause: tuple[str, str]
    text: str
    postings: Sequence[PostingInput]
    at: datetime
    reverses: int | None = None
    movements: tuple[Movement, ...] = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        movements = tuple(Movement(*posting) for posting in self.postings)
        object.__setattr__(self, "movements", movements)
        object.__setattr__(self, "digest", rules.input_digest(*self.cause, self.text, movements, self.reverses))


def post(*, key: str, cause: tuple[str, str], text: str, postings: Sequence[PostingInput], at: datetime) -> LedgerTransaction:
    """Post one transaction: ``postings`` are (source path, destination path, fen > 0); accounts appear as they are named.

    The same key with the same content returns the transaction that is there; with other content KeyUsedDifferently.
    Raises FlowForbidden where `rules.MAY_PAY` does not allow a pair, PostingInvalid for an empty or non-positive one,
    AccountOverdrawn where the database says that an account has less.
    """
    (number,) = post_many(entries=[Entry(key=key, cause=cause, text=text, postings=postings, at=at)])
    return LedgerTransaction.objects.get(id=number)


def reverse(*, key: str, of: LedgerTransaction, cause: tuple[str, str], text: str, at: datetime) -> LedgerTransaction:
    """Take a transaction back by a new one with its postings turned round; once only."""
    with transaction.atomic():
        _lock()
        later = LedgerTransaction.objects.filter(reverses=of).first()
        if later is not None and later.key != key:
            raise AlreadyReversed(_("This transaction was reversed before."), transaction=of.id, by=later.id)
        rows = of.postings.order_by("position").values_list("destination__path", "source__path", "amount_minor")
        entry = Entry(key=key, cause=cause, text=text, postings=list(rows), at=at, reverses=of.id)
        (number,) = post_many(entries=[entry])
    return LedgerTransaction.objects.get(id=number)


def post_many(*, entries: Sequence[Entry]) -> list[int]:
    """Post transactions in order, all or none; their numbers, in order. Repeats of a key count as in `post`."""
    for entry in entries:
        _check(entry)
    with transaction.atomic():
        _lock()
        known = _known(entry.key for entry in entries)
        fresh: list[Entry] = []
        for entry in entries:
            digest = known.setdefault(entry.key, (0, entry.digest))[1]
            if digest != entry.digest:
                raise KeyUsedDifferently(_("This key was used for another transaction."), key=entry.key)
            if known[entry.key][0] == 0:
                known[entry.key] = (-1, digest)
                fresh.append(entry)
        known.update(_insert(fresh))
    return [known[entry.key][0] for entry in entries]


def _check(entry: Entry) -> None:
    if not entry.movements:
        raise PostingInvalid(_("A transaction needs at least one posting."), key=entry.key)
    for movement in entry.movements:
        if type(movement.amount_minor) is not int or movement.amount_minor <= 0 or movement.source == movement.destination:
            raise PostingInvalid(_("A posting moves a positive amount between two accounts."), key=entry.key)
        if not rules.may_pay(movement.source, movement.destination, is_reversal=entry.reverses is not None):
            raise FlowForbidden(
                _("Money may not flow from %(source)s to %(destination)s.")
                % {"source": movement.source, "destination": movement.destination},
                source=movement.source,
                destination=movement.destination,
            )


def _lock() -> None:
    """Be the only writer until the commit. The audit trail's lock comes first, so that whoever writes both, in whatever order,
    takes the two locks in one order and no two writers wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [audit.CHAIN_LOCK])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _known(keys: Iterable[str]) -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:  # one array, not thousands of parameters
        cursor.execute("SELECT key, id, input_digest FROM settlement_ledgertransaction WHERE key = ANY(%s)", [list(keys)])
        return {key: (number, digest) for key, number, digest in cursor.fetchall()}


def _insert(entries: Sequence[Entry]) -> dict[str, tuple[int, str]]:
    """Number, chain and copy new transactions with their postings; triggers keep the balances."""
    if not entries:
        return {}
    accounts = _accounts({path for e in entries for m in e.movements for path in (m.source, m.destination)})
    last = LedgerTransaction.objects.order_by("-id").values_list("id", "hash").first()
    number, previous = last or (0, rules.GENESIS)
    transactions, postings, numbers = [], [], {}
    for entry in entries:
        number += 1
        digest = rules.chain_hash(previous, number, entry.key, entry.digest, entry.at)
        row = (number, entry.key, entry.digest, entry.at, *entry.cause, entry.text, entry.reverses)
        transactions.append((*row, len(entry.movements), previous, digest))
        postings += [
            (number, position, accounts[m.source], accounts[m.destination], m.amount_minor, rules.CURRENCY)
            for position, m in enumerate(entry.movements, 1)
        ]
        numbers[entry.key] = (number, entry.digest)
        previous = digest
    columns = "id, key, input_digest, at, cause_type, cause_id, text, reverses_id, posting_count, previous_hash, hash"
    _copy("settlement_ledgertransaction", columns, transactions)
    _copy("settlement_posting", "transaction_id, position, source_id, destination_id, amount_minor, currency", postings)
    return numbers


def _copy(table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    try:
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if diagnosis is not None and diagnosis.constraint_name == "account_never_overdrawn":
            raise AccountOverdrawn(_("There is not enough on the account."), reason=diagnosis.message_primary) from error
        raise


def _accounts(paths: set[str]) -> dict[str, int]:
    """Account ids by path; missing accounts are opened, theirs being the organisation whose USCC follows the kind."""
    found = dict(Account.objects.filter(path__in=paths).values_list("path", "id"))
    missing = sorted(paths - found.keys())
    if not missing:
        return found
    codes = {path: path.split(":")[1] for path in missing if ":" in path}
    owners = dict(Organisation.objects.filter(uscc__in=set(codes.values())).values_list("uscc", "id"))
    opened = Account.objects.bulk_create(
        [Account(path=path, kind=rules.kind_of(path), organisation_id=owners.get(codes.get(path, ""))) for path in missing]
    )
    return found | {account.path: account.id for account in opened}
