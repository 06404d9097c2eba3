-- Purpose: how far the rollups are behind what was recorded, by the database's clock.
-- Parameters: most bigint (rows to look at, so that watching stays cheap whatever waits).
-- Grain: one row.
-- Columns: seconds (age of the oldest delta looked at, 0 without any), waiting (deltas, counted up to most).
SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(written_at)), 0), 0)::float8 AS seconds, count(*) AS waiting
FROM (SELECT written_at FROM settlement_usagedelta LIMIT %(most)s) AS watched
