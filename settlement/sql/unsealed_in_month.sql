-- Purpose: whether a month has events that are in no tree of receipts yet.
-- Parameters: month date (event month).
-- Grain: one row.
-- Columns: is_unsealed.
SELECT EXISTS (
    SELECT FROM settlement_usageevent
    WHERE event_month = %(month)s::date
      AND received_at >= coalesce((SELECT max(hour) + interval '1 hour' FROM settlement_receipttree), '-infinity')
) AS is_unsealed
