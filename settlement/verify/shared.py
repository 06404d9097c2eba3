"""Revenue = shares: splits by the agreement of the day, what is payable as paid, statements, payouts."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from settlement.verify.mismatch import Mismatch, as_json, found, rows

BASES = """
SELECT i.id, i.number, g.id, o.id, coalesce(g.number, 'own:' || o.code), g.parts, (sum(l.net) * 100)::bigint, o.operator_id,
    o.regime = 'market' AND o.authorisation_id IS NULL
FROM settlement_invoiceline l JOIN settlement_invoice i ON i.id = l.invoice_id
JOIN settlement_charge c ON c.id = l.charge_id JOIN settlement_entitlement e ON e.id = c.entitlement_id
LEFT JOIN settlement_distributionagreement g ON g.product_id = e.product_id AND g.period @> (c.to_date - 1)
LEFT JOIN products_dataproduct o ON o.id = e.product_id AND g.id IS NULL
GROUP BY i.id, g.id, o.id ORDER BY i.id, g.id, o.id
"""
SHARES = """
SELECT s.id, s.invoice_id, s.agreement_id, s.position, s.party_id, s.role, s.base_minor, s.amount_minor, s.payable_minor,
    (i.total * 100)::bigint, ((i.drawn_from_deposit + i.paid) * 100)::bigint,
    s.product_id
FROM settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id ORDER BY s.id
"""
SETTLEMENTS = """
SELECT t.id, t.month_id, p.uscc, t.accrued_minor, t.digest,
    coalesce(json_agg(json_build_array(i.number, coalesce(g.number, 'own:' || w.code), s.position, s.role, s.base_minor,
        s.amount_minor) ORDER BY o.uscc COLLATE "C", b.uscc COLLATE "C", coalesce(g.number, 'own:' || w.code) COLLATE "C",
        s.position) FILTER (WHERE s.id IS NOT NULL), '[]')
FROM settlement_settlement t JOIN products_organisation p ON p.id = t.party_id
LEFT JOIN (settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id
    JOIN products_organisation o ON o.id = i.operator_id LEFT JOIN settlement_distributionagreement g ON g.id = s.agreement_id
    LEFT JOIN products_dataproduct w ON w.id = s.product_id
    JOIN products_organisation b ON b.id = i.buyer_id) ON s.party_id = t.party_id AND i.month_id = t.month_id
GROUP BY t.id, p.id ORDER BY t.id
"""
UNSETTLED = """
SELECT DISTINCT s.id, 'is in no settlement of its month' FROM settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id
WHERE NOT EXISTS (SELECT 1 FROM settlement_settlement t WHERE t.month_id = i.month_id AND t.party_id = s.party_id) ORDER BY 1
"""
ACCRUED = """
SELECT a.id, format('%s stands at %s, its shares at %s', a.path, b.in_minor - b.out_minor, coalesce(s.open, 0))
FROM settlement_account a JOIN settlement_accountbalance b ON b.account_id = a.id
LEFT JOIN (
    SELECT format('share:%s:%s', p.uscc, o.uscc) AS path, sum(s.amount_minor - s.payable_minor) AS open
    FROM settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id JOIN products_organisation p ON p.id = s.party_id
    JOIN products_organisation o ON o.id = i.operator_id GROUP BY 1) AS s ON s.path = a.path
WHERE a.kind = 'share' AND b.in_minor - b.out_minor <> coalesce(s.open, 0) ORDER BY a.id
"""
PAYABLE = """
WITH due AS (
    SELECT s.party_id, s.payable_minor AS minor FROM settlement_share s
    UNION ALL
    SELECT i.operator_id, CASE WHEN i.drawn_from_deposit + i.paid >= i.total THEN (i.vat * 100)::bigint
        ELSE floor((i.vat * 100) * ((i.drawn_from_deposit + i.paid) * 100) / (i.total * 100))::bigint END
    FROM settlement_invoice i WHERE i.drawn_from_deposit + i.paid > 0
    UNION ALL SELECT y.party_id, -y.amount_minor FROM settlement_payout y WHERE y.state = 'paid'
)
SELECT a.id, format('%s stands at %s, shares and VAT less payouts at %s', a.path, b.in_minor - b.out_minor, coalesce(d.minor, 0))
FROM settlement_account a JOIN settlement_accountbalance b ON b.account_id = a.id
LEFT JOIN (SELECT format('payable:%s', p.uscc) AS path, sum(d.minor) AS minor FROM due d
    JOIN products_organisation p ON p.id = d.party_id GROUP BY 1) AS d ON d.path = a.path
WHERE a.kind = 'payable' AND b.in_minor - b.out_minor <> coalesce(d.minor, 0) ORDER BY a.id
"""
PAYOUTS = """
SELECT y.number, format('pays %s; its lines say %s, the ledger %s', y.amount_minor, coalesce(l.minor, 0), coalesce(t.minor, 0))
FROM settlement_payout y
LEFT JOIN (SELECT payout_id, sum(amount_minor) AS minor FROM settlement_payoutline GROUP BY 1) AS l ON l.payout_id = y.id
LEFT JOIN (SELECT t.cause_id, sum(p.amount_minor) AS minor FROM settlement_ledgertransaction t
    JOIN settlement_posting p ON p.transaction_id = t.id WHERE t.cause_type = 'payout' GROUP BY 1) AS t ON t.cause_id = y.number
WHERE y.amount_minor <> coalesce(l.minor, 0) OR coalesce(t.minor, 0) <> CASE WHEN y.state = 'paid' THEN y.amount_minor ELSE 0 END
ORDER BY y.number
"""
PAYOUT_LINES = """
SELECT l.id, 'pays more than is payable, or another party''s part' FROM settlement_payoutline l
JOIN settlement_payout y ON y.id = l.payout_id LEFT JOIN settlement_share s ON s.id = l.share_id
LEFT JOIN settlement_invoice i ON i.id = l.invoice_id
WHERE (s.id IS NOT NULL AND (s.party_id <> y.party_id OR s.payable_minor < (
        SELECT sum(o.amount_minor) FROM settlement_payoutline o JOIN settlement_payout z ON z.id = o.payout_id
        WHERE o.share_id = s.id AND z.state <> 'rejected')))
   OR (i.id IS NOT NULL AND (i.operator_id <> y.party_id OR i.vat * 100 < (
        SELECT sum(o.amount_minor) FROM settlement_payoutline o JOIN settlement_payout z ON z.id = o.payout_id
        WHERE o.invoice_id = i.id AND z.state <> 'rejected')))
ORDER BY l.id
"""


def divided(total: int, parts: list[dict]) -> list[int]:
    """The split, once more: whole fen to each, what is left to the largest remainders, in order."""
    percents = [None if part.get("rest") else Fraction(part["percent"]) for part in parts]
    rest = 100 - sum((percent for percent in percents if percent is not None), Fraction(0))
    exact = [total * (rest if percent is None else percent) / 100 for percent in percents]
    fen = [int(amount) for amount in exact]
    order = sorted(range(len(fen)), key=lambda place: (fen[place] - exact[place], place))
    for place in order[: total - sum(fen)]:
        fen[place] += 1
    return fen


def shares() -> Iterator[Mismatch]:
    table = "settlement_share"
    kept: dict[tuple, dict[int, tuple]] = defaultdict(dict)
    for row in rows(SHARES):
        kept[row[1], row[2], row[11]][row[3]] = row
    for invoice, number, agreement, product, name, parts, base, seller, is_own in rows(BASES):
        if base == 0:
            continue
        if agreement is None and not is_own:
            yield Mismatch("settlement_invoice", number, f"has {base} fen that no agreement divides")
            continue
        whole = [{"organisation": seller, "role": "operator", "rest": True}]
        read = as_json(parts) if agreement else whole
        mine = kept.pop((invoice, agreement, product), {})
        for position, (part, amount) in enumerate(zip(read, divided(base, read), strict=True), 1):
            if position not in mine:
                yield Mismatch(table, f"{number} {name} {position}", f"is missing: {amount} fen")
                continue
            row = mine[position]
            if (row[4], row[5], row[6], row[7]) != (part["organisation"], part["role"], base, amount):
                yield Mismatch(table, str(row[0]), f"is {row[7]} of {row[6]}; agreement {name} gives {amount} of {base}")
            paid_part = amount if row[10] >= row[9] else amount * row[10] // row[9]
            if row[8] != paid_part:
                yield Mismatch(table, str(row[0]), f"has {row[8]} payable; as paid it is {paid_part}")
    for rest in kept.values():
        for row in rest.values():
            yield Mismatch(table, str(row[0]), "divides nothing that was invoiced")
    yield from found(table, UNSETTLED)


def statements() -> Iterator[Mismatch]:
    for number, month, uscc, accrued, digest, lines in rows(SETTLEMENTS):
        lines = as_json(lines)
        text = json.dumps([month.isoformat(), uscc, lines], ensure_ascii=False, separators=(",", ":"))
        if sum(line[5] for line in lines) != accrued or hashlib.sha256(text.encode()).hexdigest() != digest:
            yield Mismatch("settlement_settlement", str(number), "is not the statement over its shares")


def payouts() -> Iterator[Mismatch]:
    yield from found("settlement_account", ACCRUED)
    yield from found("settlement_account", PAYABLE)
    yield from found("settlement_payout", PAYOUTS)
    yield from found("settlement_payoutline", PAYOUT_LINES)
