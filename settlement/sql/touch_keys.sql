-- Purpose: when keys were last used, a batch of them; in the order of ids, so that two gateways do not deadlock.
-- Parameters: ids bigint[], moments timestamptz[].
-- Grain: one row a key.
-- Columns: none.
WITH used AS (
    SELECT key.id, seen.moment FROM settlement_apikey AS key
    JOIN unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS seen (id, moment) ON seen.id = key.id
    WHERE key.last_used_at IS NULL OR key.last_used_at < seen.moment
    ORDER BY key.id FOR NO KEY UPDATE OF key
)
UPDATE settlement_apikey AS key SET last_used_at = used.moment FROM used WHERE used.id = key.id
