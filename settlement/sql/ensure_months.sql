-- Purpose: make the rows of months that events fall in; a month before a closed one is never opened again, and where every
--          month is closed, the one after the last.
-- Parameters: months date[].
-- Grain: none.
-- Columns: none.
WITH last_closed AS (SELECT max(month) AS month FROM settlement_billingmonth WHERE state = 'closed')
INSERT INTO settlement_billingmonth (month, state, is_forced, digest)
SELECT DISTINCT wanted, 'open', false, ''
FROM (
    SELECT unnest(%(months)s::date[]) AS wanted
    UNION
    SELECT (last_closed.month + interval '1 month')::date FROM last_closed
) AS asked, last_closed
WHERE wanted IS NOT NULL AND (last_closed.month IS NULL OR wanted > last_closed.month)
ORDER BY wanted
ON CONFLICT (month) DO NOTHING
