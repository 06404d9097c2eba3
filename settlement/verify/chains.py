"""The two hash chains, the balances and the flows of the ledger, from the rows alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC

from django.db import connection

from products.record.audit import check_chain
from settlement.verify.mismatch import Mismatch, as_json, found

FLOWS = {  # which kinds may pay which, written down a second time on purpose
    ("clearing", "deposit"),
    ("clearing", "receivable"),
    ("deposit", "receivable"),
    ("receivable", "revenue"),
    ("receivable", "vat"),
    ("revenue", "share"),
    ("vat", "payable"),
    ("share", "payable"),
    ("payable", "clearing"),
    ("payable", "outside"),
    ("outside", "clearing"),
    ("memo", "memo"),
}

TRANSACTIONS = """
SELECT t.id, t.key, t.input_digest, t.at, t.cause_type, t.cause_id, t.text, t.reverses_id, t.posting_count,
    t.previous_hash, t.hash,
    coalesce(json_agg(json_build_array(s.path, d.path, p.amount_minor) ORDER BY p.position)
        FILTER (WHERE p.id IS NOT NULL), '[]'),
    coalesce(array_agg(DISTINCT s.kind || '>' || d.kind) FILTER (WHERE p.id IS NOT NULL), '{}')
FROM settlement_ledgertransaction t
LEFT JOIN settlement_posting p ON p.transaction_id = t.id
LEFT JOIN settlement_account s ON s.id = p.source_id LEFT JOIN settlement_account d ON d.id = p.destination_id
GROUP BY t.id ORDER BY t.id
"""
BALANCES = """
SELECT a.id, format('%s: balance says in %s, out %s; its postings say in %s, out %s', a.path, b.in_minor, b.out_minor,
    coalesce(p.came, 0), coalesce(p.went, 0))
FROM settlement_account a LEFT JOIN settlement_accountbalance b ON b.account_id = a.id
LEFT JOIN (
    SELECT account_id, sum(came) AS came, sum(went) AS went FROM (
        SELECT destination_id AS account_id, amount_minor AS came, 0 AS went FROM settlement_posting
        UNION ALL SELECT source_id, 0, amount_minor FROM settlement_posting) AS moved GROUP BY 1
) AS p ON p.account_id = a.id
WHERE (coalesce(b.in_minor, 0), coalesce(b.out_minor, 0)) <> (coalesce(p.came, 0), coalesce(p.went, 0)) ORDER BY a.id
"""
ACCOUNTS = """
SELECT id, format('%s is kept as %s', path, kind) FROM settlement_account WHERE split_part(path, ':',
    1) <> kind OR currency <> 'CNY'
"""
CURRENCIES = """
SELECT id, format('currency %s', currency) FROM settlement_posting WHERE currency <> 'CNY' ORDER BY id
"""


def audit_trail() -> Iterator[Mismatch]:
    for broken in check_chain():
        yield Mismatch("products_auditentry", str(broken.entry_id), f"the audit chain is broken here: {broken.kind}")


def ledger_chain() -> Iterator[Mismatch]:
    """Each transaction's input and place: an edited row no longer has its hash, a removed one leaves a gap."""
    expected, previous = 1, "0" * 64
    table = "settlement_ledgertransaction"
    with connection.cursor() as cursor:
        cursor.execute(TRANSACTIONS)
        for number, key, digest, at, cause, cause_id, text, reverses, count, before, own, postings, flows in cursor:
            postings = as_json(postings)
            if number != expected:
                yield Mismatch(table, str(expected), f"transactions {expected} to {number - 1} are missing")
            elif before != previous:
                yield Mismatch(table, str(number), "does not follow the transaction before it")
            wanted = json.dumps([cause, cause_id, text, reverses, postings], ensure_ascii=False, separators=(",", ":"))
            if hashlib.sha256(wanted.encode()).hexdigest() != digest:
                yield Mismatch(table, str(number), "its cause, text or postings are not those that were posted")
            moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            if hashlib.sha256("\n".join((before, str(number), key, digest, moment)).encode()).hexdigest() != own:
                yield Mismatch(table, str(number), "its hash is not the hash of its content")
            if len(postings) != count:
                yield Mismatch(table, str(number), f"has {len(postings)} postings of {count}")
            for flow in flows:
                kinds = flow.split(">")
                if (kinds[0], kinds[1]) not in FLOWS and not (reverses and (kinds[1], kinds[0]) in FLOWS):
                    yield Mismatch(table, str(number), f"money may not flow from {kinds[0]} to {kinds[1]}")
            expected, previous = number + 1, own


def balances() -> Iterator[Mismatch]:
    yield from found("settlement_accountbalance", BALANCES)
    yield from found("settlement_account", ACCOUNTS)
    yield from found("settlement_posting", CURRENCIES)
