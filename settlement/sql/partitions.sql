-- Purpose: the months of usage events that have a partition of their own.
-- Parameters: none.
-- Grain: one row a partition, in order of months.
-- Columns: month, events (the planner's estimate), size (bytes, with indexes).
SELECT to_date(right(child.relname, 6), 'YYYYMM') AS month, greatest(child.reltuples, 0)::bigint AS events,
    pg_total_relation_size(child.oid) AS size
FROM pg_inherits JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'settlement_usageevent'::regclass AND child.relname ~ '^settlement_usageevent_[0-9]{6}$'
ORDER BY month
