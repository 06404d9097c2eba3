-- Purpose: share-lock billing months until the commit, so that none of them closes while events are booked into it.
-- Parameters: months date[].
-- Grain: one row a month that exists.
-- Columns: month, state.
SELECT month, state FROM settlement_billingmonth WHERE month = ANY(%(months)s::date[]) ORDER BY month FOR SHARE
