-- Purpose: the leaves of the trees of receipts of some hours.
-- Parameters: begin timestamptz, end timestamptz (exclusive; both whole hours).
-- Grain: one row an event that has a digest.
-- Columns: hour, id, digest; by hour and id.
SELECT date_trunc('hour', received_at), id, digest FROM settlement_usageevent
WHERE received_at >= %(begin)s AND received_at < %(end)s AND digest IS NOT NULL
ORDER BY 1, 2
