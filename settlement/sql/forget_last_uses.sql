-- Purpose: forget when keys were last used, where that is long ago.
-- Parameters: before timestamptz, most bigint (rows at once).
-- Grain: one row a key.
-- Columns: none.
UPDATE settlement_apikey SET last_used_at = NULL
WHERE id = ANY(ARRAY(SELECT id FROM settlement_apikey WHERE last_used_at < %(before)s ORDER BY id LIMIT %(most)s))
