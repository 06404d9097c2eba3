-- Purpose: the digest of a billing month: SHA-256 over its charges, invoices, lines, shares and settlements, by codes and numbers
--          that people see and in their order, never by database ids; what may still move (paid, state, payable) is left out.
-- Parameters: month date.
-- Grain: one row.
-- Columns: digest (hex), charges, invoices (counts).
WITH charges AS (
    SELECT e.code AS a, c.service_month AS b, c.from_date AS c, '' AS d, 0 AS e, concat_ws('|', 'charge', e.code, c.service_month,
        c.from_date, c.to_date, t.digest, i.number, c.usage, c.quote, c.total, c.net, c.vat, c.free_value, c.inputs_digest) AS line
    FROM settlement_charge c JOIN settlement_entitlement e ON e.id = c.entitlement_id
    LEFT JOIN pricing_tariff t ON t.id = c.tariff_id LEFT JOIN settlement_invoice i ON i.id = c.invoice_id
    WHERE c.month_id = %(month)s
), invoices AS (
    SELECT i.number AS a, NULL::date AS b, NULL::date AS c, '' AS d, 0 AS e, concat_ws('|', 'invoice', i.number, o.uscc, b.uscc,
        i.total, i.net, i.vat, i.drawn_from_deposit, i.due, i.issued_date, i.due_date, i.digest) AS line
    FROM settlement_invoice i JOIN products_organisation o ON o.id = i.operator_id JOIN products_organisation b ON b.id = i.buyer_id
    WHERE i.month_id = %(month)s
), lines AS (
    SELECT i.number AS a, NULL::date AS b, NULL::date AS c, '' AS d, l.position AS e, concat_ws('|', 'line', i.number, l.position,
        e.code, l.component, l.label, l.units, l.gross, l.discount, l.payable, l.net, l.vat) AS line
    FROM settlement_invoiceline l JOIN settlement_invoice i ON i.id = l.invoice_id
    JOIN settlement_charge c ON c.id = l.charge_id JOIN settlement_entitlement e ON e.id = c.entitlement_id
    WHERE i.month_id = %(month)s
), shares AS (
    SELECT i.number AS a, NULL::date AS b, NULL::date AS c, coalesce(g.number, 'own:' || w.code) AS d, s.position AS e,
        concat_ws('|', 'share', i.number, coalesce(g.number, 'own:' || w.code), s.position, p.uscc, s.role, s.base_minor, s.amount_minor) AS line
    FROM settlement_share s JOIN settlement_invoice i ON i.id = s.invoice_id
    LEFT JOIN settlement_distributionagreement g ON g.id = s.agreement_id LEFT JOIN products_dataproduct w ON w.id = s.product_id
    JOIN products_organisation p ON p.id = s.party_id
    WHERE i.month_id = %(month)s
), settlements AS (
    SELECT p.uscc AS a, NULL::date AS b, NULL::date AS c, '' AS d, 0 AS e,
        concat_ws('|', 'settlement', p.uscc, s.accrued_minor, s.digest) AS line
    FROM settlement_settlement s JOIN products_organisation p ON p.id = s.party_id
    WHERE s.month_id = %(month)s
), everything AS (
    SELECT 1 AS part, * FROM charges UNION ALL SELECT 2, * FROM invoices UNION ALL SELECT 3, * FROM lines
    UNION ALL SELECT 4, * FROM shares UNION ALL SELECT 5, * FROM settlements
)
SELECT
    encode(sha256(convert_to(coalesce(string_agg(
        encode(sha256(convert_to(line, 'UTF8')), 'hex'), '' ORDER BY part, a COLLATE "C", b, c, d COLLATE "C", e, line COLLATE "C"
    ), ''), 'UTF8')), 'hex'),
    count(*) FILTER (WHERE part = 1),
    count(*) FILTER (WHERE part = 2)
FROM everything
