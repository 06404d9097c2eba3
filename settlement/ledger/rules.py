"""Which accounts may pay which, how accounts are named, and how transactions are chained. Pure.

A posting moves an amount from a source to a destination. Accounts have a side: on the holding side (custody, receivables) the
balance is what went out less what came in, everywhere else it is what came in less what went out. So `clearing:bank` shows
what the bank account holds, `receivable:…` what a buyer still owes, `deposit:…` what a buyer still has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64
CURRENCY = "CNY"
KINDS = ("clearing", "deposit", "receivable", "revenue", "vat", "share", "payable", "memo", "outside")
HOLDING = frozenset({"clearing", "receivable"})
MAY_PAY: dict[str, frozenset[str]] = {
    "clearing": frozenset({"deposit", "receivable"}),  # money arrived: before use, or for an invoice
    "deposit": frozenset({"receivable"}),  # the close draws a deposit down
    "receivable": frozenset({"revenue", "vat"}),  # an invoice is posted
    "revenue": frozenset({"share"}),  # revenue net of VAT is divided
    "vat": frozenset({"payable"}),  # VAT is the operator's; due to it as the invoice is paid
    "share": frozenset({"payable"}),  # pro rata as the invoice is paid
    "payable": frozenset({"clearing", "outside"}),  # a payout leaves the custody account
    "outside": frozenset({"clearing"}),
    "memo": frozenset({"memo"}),  # the value of free use never meets money
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting to be: paths of two accounts and fen > 0."""

    source: str
    destination: str
    amount_minor: int


def kind_of(path: str) -> str:
    """The kind of an account: the first word of its path."""
    return path.split(":", 1)[0]


def may_pay(source: str, destination: str, *, is_reversal: bool = False) -> bool:
    """Whether money may flow between two paths; a reversal goes the same way backwards."""
    if is_reversal:
        source, destination = destination, source
    return kind_of(destination) in MAY_PAY.get(kind_of(source), frozenset())


def balance(kind: str, in_minor: int, out_minor: int) -> int:
    """Fen on an account of the kind, seen from its side."""
    return out_minor - in_minor if kind in HOLDING else in_minor - out_minor


def input_digest(cause_type: str, cause_id: str, text: str, movements: Sequence[Movement], reverses: int | None) -> str:
    """SHA-256 over what the caller asked for: the same key with another digest is another request."""
    wanted = [cause_type, cause_id, text, reverses, [[m.source, m.destination, m.amount_minor] for m in movements]]
    return hashlib.sha256(json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def chain_hash(previous_hash: str, number: int, key: str, digest: str, at: datetime) -> str:
    """The hash of a transaction: over the one before it, its number, key and input, and its moment (UTC, microseconds)."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return hashlib.sha256("\n".join((previous_hash, str(number), key, digest, moment)).encode()).hexdigest()
