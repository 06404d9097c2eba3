-- Purpose: the month that bills late use: the earliest open one after every closed month, share-locked until the commit.
-- Parameters: none.
-- Grain: at most one row.
-- Columns: month.
SELECT month FROM settlement_billingmonth
WHERE state = 'open'
  AND month > COALESCE((SELECT max(month) FROM settlement_billingmonth WHERE state = 'closed'), '-infinity'::date)
ORDER BY month LIMIT 1 FOR SHARE
