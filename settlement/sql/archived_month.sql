-- Purpose: whether a month of events was moved to the archive.
-- Parameters: month date.
-- Grain: at most one row.
-- Columns: event_month, file_name.
SELECT event_month, file_name FROM settlement_archivedmonth WHERE event_month = %(month)s::date
