-- Purpose: use up units of quotas; a quota that would be overspent is left alone (and the row count tells).
-- Parameters: ids bigint[], units bigint[].
-- Grain: one row a quota.
-- Columns: none.
UPDATE settlement_quota AS quota SET used = quota.used + moved.units
FROM unnest(%(ids)s::bigint[], %(units)s::bigint[]) AS moved (id, units)
WHERE quota.id = moved.id AND quota.used + moved.units <= quota."limit"
