-- Purpose: forget refusals of calls that were kept long enough; the database itself keeps six months of them.
-- Parameters: before timestamptz, most bigint (rows at once).
-- Grain: one row a refusal.
-- Columns: none.
DELETE FROM settlement_refusal
WHERE id = ANY(ARRAY(SELECT id FROM settlement_refusal WHERE at < %(before)s ORDER BY id LIMIT %(most)s))
