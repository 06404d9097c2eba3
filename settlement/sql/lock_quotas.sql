-- Purpose: lock the hard limits of entitlements until the commit, in one order everywhere (no deadlock).
-- Parameters: entitlements bigint[].
-- Grain: one row a quota.
-- Columns: id, entitlement_id, span_start, left (units not used).
SELECT id, entitlement_id, span_start, "limit" - used AS left_units FROM settlement_quota
WHERE entitlement_id = ANY(%(entitlements)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
