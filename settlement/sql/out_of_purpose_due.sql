-- Purpose: how many calls of an entitlement stated a purpose outside its own since a moment, and since its last case was closed.
-- Parameters: entitlement bigint, since timestamptz (first moment that counts).
-- Grain: one row, or none where the entitlement is not there or a case of it is open.
-- Columns: refusals bigint. A purpose that the entitlement holds and the product was narrowed by does not count: it was promised.
SELECT count(refusal.id) AS refusals
FROM settlement_entitlement AS ent
CROSS JOIN LATERAL (
    SELECT COALESCE(bool_or(risk.state <> 'closed'), false) AS is_open, max(risk.closed_at) AS closed_at
    FROM products_case AS risk
    WHERE risk.object_type = 'settlement.entitlement' AND risk.object_id = ent.id::text AND risk.kind = 'out_of_purpose'
) AS before
LEFT JOIN settlement_refusal AS refusal
    ON refusal.entitlement_id = ent.id AND refusal.at >= %(since)s AND refusal.reason = 'purpose-outside' AND refusal.purpose <> ''
    AND (before.closed_at IS NULL OR refusal.at > before.closed_at)
    AND NOT EXISTS (
        SELECT FROM unnest(ent.purposes) AS held (code)
        WHERE refusal.purpose = held.code OR starts_with(refusal.purpose, held.code || '.')
    )
WHERE ent.id = %(entitlement)s AND NOT before.is_open
GROUP BY ent.id
