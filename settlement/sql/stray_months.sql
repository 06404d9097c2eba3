-- Purpose: months whose events stand in the default partition, for want of one of their own (archived months have none).
-- Parameters: none.
-- Grain: one row a month.
-- Columns: event_month.
SELECT DISTINCT event_month FROM settlement_usageevent_other
EXCEPT SELECT event_month FROM settlement_archivedmonth
ORDER BY event_month
