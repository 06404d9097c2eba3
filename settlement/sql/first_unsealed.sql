-- Purpose: when the first event was received that is in no tree of receipts yet, among those before a moment.
-- Parameters: until timestamptz.
-- Grain: one row.
-- Columns: received_at, null where there is none.
SELECT min(received_at) FROM settlement_usageevent
WHERE received_at >= coalesce((SELECT max(hour) + interval '1 hour' FROM settlement_receipttree), '-infinity')
  AND received_at < %(until)s AND digest IS NOT NULL
