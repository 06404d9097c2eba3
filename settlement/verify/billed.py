"""Rated = invoiced = posted = paid + open; deposits; the digests of invoices and months."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from settlement.verify.mismatch import Mismatch, as_json, found, rows

LINES = """
SELECT l.id, format('%s of %s is not as its charge says', l.component, i.number)
FROM settlement_invoiceline l JOIN settlement_invoice i ON i.id = l.invoice_id JOIN settlement_charge c ON c.id = l.charge_id
LEFT JOIN LATERAL jsonb_to_recordset(c.quote -> 'lines')
    AS q (component text, units numeric, gross numeric, discount numeric, payable numeric) ON q.component = l.component
WHERE c.invoice_id <> l.invoice_id
   OR (q.units, q.gross, q.discount, q.payable) IS DISTINCT FROM (l.units, l.gross, l.discount, l.payable) ORDER BY l.id
"""
CHARGE_LINES = """
SELECT c.id, format('its lines carry net %s and VAT %s of %s and %s', coalesce(sum(l.net), 0), coalesce(sum(l.vat), 0),
    c.net, c.vat)
FROM settlement_charge c LEFT JOIN settlement_invoiceline l ON l.charge_id = c.id WHERE c.invoice_id IS NOT NULL
GROUP BY c.id HAVING coalesce(sum(l.net), 0) <> c.net OR coalesce(sum(l.vat), 0) <> c.vat ORDER BY c.id
"""
CHARGE_PARTIES = """
SELECT c.id, 'its invoice is of another month, operator or buyer' FROM settlement_charge c
JOIN settlement_invoice i ON i.id = c.invoice_id JOIN settlement_entitlement e ON e.id = c.entitlement_id
WHERE (i.month_id, i.operator_id, i.buyer_id) <> (c.month_id, e.operator_id, e.organisation_id) ORDER BY c.id
"""
INVOICE_SUMS = """
SELECT i.number, format('total %s, net %s, VAT %s; its charges sum to %s, %s, %s', i.total, i.net, i.vat,
    coalesce(sum(c.total), 0), coalesce(sum(c.net), 0), coalesce(sum(c.vat), 0))
FROM settlement_invoice i LEFT JOIN settlement_charge c ON c.invoice_id = i.id GROUP BY i.id
HAVING (i.total, i.net, i.vat) <> (coalesce(sum(c.total), 0), coalesce(sum(c.net), 0), coalesce(sum(c.vat), 0)) ORDER BY i.number
"""
INVOICE_STATES = """
SELECT number, format('is %s with %s of %s paid', state, paid, due) FROM settlement_invoice
WHERE (state = 'paid') <> (paid = due) ORDER BY number
"""
SEQUENCE = """
SELECT number, format('comes after a gap: sequence %s, place %s', sequence, place) FROM (
    SELECT number, sequence, row_number() OVER (PARTITION BY operator_id ORDER BY sequence) AS place FROM settlement_invoice) AS n
WHERE sequence <> place ORDER BY number
"""
POSTED = """
WITH moved AS (
    SELECT t.cause_id AS number, s.kind AS source, d.kind AS destination,
        sum(p.amount_minor) AS minor
    FROM settlement_ledgertransaction t JOIN settlement_posting p ON p.transaction_id = t.id
    JOIN settlement_account s ON s.id = p.source_id JOIN settlement_account d ON d.id = p.destination_id
    WHERE t.cause_type = 'invoice' GROUP BY 1, 2, 3
), per_invoice AS (
    SELECT i.number, i.net, i.vat, i.drawn_from_deposit AS drawn, i.paid,
        coalesce(sum(minor) FILTER (WHERE source = 'receivable' AND destination = 'revenue'), 0) / 100 AS posted_net,
        coalesce(sum(minor) FILTER (WHERE source = 'receivable' AND destination = 'vat'), 0) / 100 AS posted_vat,
        coalesce(sum(minor) FILTER (WHERE source = 'deposit'), 0) / 100 AS posted_drawn,
        coalesce(sum(minor) FILTER (WHERE source = 'clearing'), 0) / 100 AS posted_paid
    FROM settlement_invoice i LEFT JOIN moved m ON m.number = i.number GROUP BY i.id
)
SELECT number, format('says net %s, VAT %s, drawn %s, paid %s; the ledger says %s, %s, %s, %s', net, vat, drawn, paid,
    round(posted_net, 2), round(posted_vat, 2), round(posted_drawn, 2), round(posted_paid, 2))
FROM per_invoice WHERE (net, vat, drawn, paid) <> (posted_net, posted_vat, posted_drawn, posted_paid) ORDER BY number
"""
OPEN = """
SELECT a.id, format('%s stands at %s, open invoices at %s', a.path, b.out_minor - b.in_minor, coalesce(i.open, 0))
FROM settlement_account a JOIN settlement_accountbalance b ON b.account_id = a.id
LEFT JOIN (
    SELECT format('receivable:%s:%s', u.uscc, o.uscc) AS path, (sum(v.due - v.paid) * 100)::bigint AS open
    FROM settlement_invoice v JOIN products_organisation u ON u.id = v.buyer_id
        JOIN products_organisation o ON o.id = v.operator_id
    GROUP BY 1) AS i ON i.path = a.path
WHERE a.kind = 'receivable' AND b.out_minor - b.in_minor <> coalesce(i.open, 0) ORDER BY a.id
"""
DEPOSITS = """
SELECT d.id, format('says %s; the ledger received %s', d.amount_minor, coalesce(p.minor, 0)) FROM settlement_deposit d
JOIN products_organisation u ON u.id = d.organisation_id JOIN products_organisation o ON o.id = d.operator_id
LEFT JOIN LATERAL (
    SELECT sum(p.amount_minor) AS minor FROM settlement_ledgertransaction t JOIN settlement_posting p ON p.transaction_id = t.id
    JOIN settlement_account a ON a.id = p.destination_id
    WHERE t.key = d.key AND a.path = format('deposit:%s:%s', u.uscc, o.uscc)) AS p ON true
WHERE d.amount_minor <> coalesce(p.minor, 0) ORDER BY d.id
"""
DRAWN = """
SELECT d.ids, format('say %s drawn; invoices say %s', d.drawn, coalesce(i.drawn, 0)) FROM (
    SELECT organisation_id, operator_id, string_agg(id::text, ',' ORDER BY id) AS ids, sum(drawn_minor) AS drawn
    FROM settlement_deposit GROUP BY 1, 2) AS d
LEFT JOIN (SELECT buyer_id, operator_id,
    (sum(drawn_from_deposit) * 100)::bigint AS drawn FROM settlement_invoice GROUP BY 1, 2) AS i
    ON (i.buyer_id, i.operator_id) = (d.organisation_id, d.operator_id)
WHERE d.drawn <> coalesce(i.drawn, 0) ORDER BY d.ids
"""
FREE = """
SELECT c.id, format('is worth %s; its memo says %s', c.free_value, round(coalesce(p.minor, 0) / 100.0, 2))
FROM settlement_charge c JOIN settlement_entitlement e ON e.id = c.entitlement_id AND e.grant_id IS NOT NULL
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN d.path LIKE '%:received:%' THEN p.amount_minor ELSE -p.amount_minor END) AS minor
    FROM settlement_ledgertransaction t JOIN settlement_posting p ON p.transaction_id = t.id
    JOIN settlement_account d ON d.id = p.destination_id
    WHERE t.key = format('free:%s:%s:%s', to_char(c.month_id, 'YYYY-MM'), e.code, to_char(c.service_month,
        'YYYY-MM'))) AS p ON true
WHERE c.free_value * 100 <> coalesce(p.minor, 0) ORDER BY c.id
"""
INVOICES = """
SELECT i.id, i.number, o.uscc, b.uscc, i.month_id, i.issued_date, i.due_date, i.total, i.net, i.vat, i.drawn_from_deposit, i.due,
    i.digest, coalesce(json_agg(json_build_array(c.inputs_digest, l.component, trim_scale(l.units)::text, l.gross::text,
    l.discount::text, l.payable::text, l.net::text, l.vat::text) ORDER BY l.position) FILTER (WHERE l.id IS NOT NULL), '[]')
FROM settlement_invoice i JOIN products_organisation o ON o.id = i.operator_id JOIN products_organisation b ON b.id = i.buyer_id
LEFT JOIN settlement_invoiceline l ON l.invoice_id = i.id LEFT JOIN settlement_charge c ON c.id = l.charge_id
GROUP BY i.id, o.id, b.id ORDER BY i.number
"""
CLOSED = "SELECT month, digest FROM settlement_billingmonth WHERE state = 'closed' ORDER BY month"
MONTH_PARTS = (
    """SELECT concat_ws('|', 'charge', e.code, c.service_month, c.from_date, c.to_date, t.digest, i.number, c.usage,
        c.quote, c.total,
        c.net, c.vat, c.free_value, c.inputs_digest)
    FROM settlement_charge c JOIN settlement_entitlement e ON e.id = c.entitlement_id
        LEFT JOIN pricing_tariff t ON t.id = c.tariff_id
    LEFT JOIN settlement_invoice i ON i.id = c.invoice_id WHERE c.month_id = %(month)s
    ORDER BY e.code COLLATE "C", c.service_month, c.from_date, 1""",
    """SELECT concat_ws('|', 'invoice', i.number, o.uscc, b.uscc, i.total, i.net, i.vat, i.drawn_from_deposit, i.due,
        i.issued_date,
        i.due_date, i.digest)
    FROM settlement_invoice i JOIN products_organisation o ON o.id = i.operator_id
        JOIN products_organisation b ON b.id = i.buyer_id
    WHERE i.month_id = %(month)s ORDER BY i.number COLLATE "C" """,
    """SELECT concat_ws('|', 'line', i.number, l.position, e.code, l.component, l.label, l.units, l.gross, l.discount,
        l.payable, l.net,
        l.vat)
    FROM settlement_invoiceline l JOIN settlement_invoice i ON i.id = l.invoice_id JOIN settlement_charge c ON c.id = l.charge_id
    JOIN settlement_entitlement e ON e.id = c.entitlement_id WHERE i.month_id = %(month)s ORDER BY i.number COLLATE "C",
        l.position""",
    """SELECT concat_ws('|', 'share', i.number, coalesce(g.number, 'own:' || w.code), s.position, p.uscc, s.role, s.base_minor,
        s.amount_minor)
    FROM settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id JOIN products_organisation p ON p.id = s.party_id
    LEFT JOIN settlement_distributionagreement g ON g.id = s.agreement_id LEFT JOIN products_dataproduct w ON w.id = s.product_id
    WHERE i.month_id = %(month)s
    ORDER BY i.number COLLATE "C", coalesce(g.number, 'own:' || w.code) COLLATE "C", s.position""",
    """SELECT concat_ws('|', 'settlement', p.uscc, s.accrued_minor, s.digest)
    FROM settlement_settlement s JOIN products_organisation p ON p.id = s.party_id
    WHERE s.month_id = %(month)s ORDER BY p.uscc COLLATE "C" """,
)


def invoices() -> Iterator[Mismatch]:
    yield from found("settlement_invoiceline", LINES)
    yield from found("settlement_charge", CHARGE_LINES)
    yield from found("settlement_charge", CHARGE_PARTIES)
    yield from found("settlement_charge", FREE)
    for query in (INVOICE_SUMS, INVOICE_STATES, SEQUENCE, POSTED):
        yield from found("settlement_invoice", query)
    yield from digests()


def digests() -> Iterator[Mismatch]:
    """Each invoice still says what it said when it was issued."""
    for row in rows(INVOICES):
        _id, number, operator, buyer, month, issued, due, *amounts, digest, lines = row
        lines = as_json(lines)
        said = [
            [number, operator, buyer, month.isoformat()],
            [issued.isoformat(), due.isoformat()],
            [str(Decimal(amount).quantize(Decimal("0.01"))) for amount in amounts],
            lines,
        ]
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            yield Mismatch("settlement_invoice", number, "does not say what was issued (its digest differs)")


def months() -> Iterator[Mismatch]:
    for month, digest in rows(CLOSED):
        if month_digest(month) != digest:
            yield Mismatch("settlement_billingmonth", f"{month:%Y-%m}", "does not hold what was closed (its digest differs)")


def month_digest(month: date) -> str:
    """SHA-256 over the SHA-256 of each of its lines, in order (docs/settlement.md says which)."""
    whole = hashlib.sha256()
    for part in MONTH_PARTS:
        for (line,) in rows(part, {"month": month}):
            whole.update(hashlib.sha256(line.encode()).hexdigest().encode())
    return whole.hexdigest()


def money() -> Iterator[Mismatch]:
    yield from found("settlement_account", OPEN)
    yield from found("settlement_deposit", DEPOSITS)
    yield from found("settlement_deposit", DRAWN)
