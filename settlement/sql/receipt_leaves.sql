-- Purpose: the leaves of one chunk of an hour's tree.
-- Parameters: hour timestamptz, end timestamptz (the next hour); first uuid, last uuid (both with); from_month, to_month date: the
--             months of these two ids.
-- Grain: one row an event, 1 024 at most.
-- Columns: id, digest; by id.
SELECT id, digest FROM settlement_usageevent
WHERE event_month BETWEEN %(from_month)s::date AND %(to_month)s::date AND id BETWEEN %(first)s::uuid AND %(last)s::uuid
  AND received_at >= %(hour)s::timestamptz AND received_at < %(end)s::timestamptz AND digest IS NOT NULL
ORDER BY id
