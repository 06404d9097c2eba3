-- Purpose: forget windows that are over.
-- Parameters: before bigint (first second of the oldest window to keep).
-- Grain: none.
-- Columns: none.
DELETE FROM settlement_ratelease
WHERE (bucket, began) IN (
    SELECT bucket, began FROM settlement_ratelease WHERE began < %(before)s::bigint LIMIT 10000 FOR UPDATE SKIP LOCKED
)
