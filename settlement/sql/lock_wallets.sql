-- Purpose: hold the prepaid balances that a batch may use up until the commit, in one order everywhere (no deadlock).
-- Parameters: entitlements bigint[].
-- Grain: one row a wallet, which is a buyer with an operator.
-- Columns: operator_id, organisation_id.
SELECT operator_id, organisation_id FROM (
    SELECT DISTINCT operator_id, organisation_id FROM settlement_entitlement
    WHERE id = ANY(%(entitlements)s::bigint[]) AND is_prepaid AND plan_id IS NOT NULL
    ORDER BY operator_id, organisation_id
) AS wallets
CROSS JOIN LATERAL pg_advisory_xact_lock(hashtextextended('wallet/' || operator_id || '/' || organisation_id, 0))
