-- Purpose: whether a commit whose answer was lost had happened.
-- Parameters: months date[], ids uuid[].
-- Grain: one row an event that is in the table.
-- Columns: id, book_month.
SELECT id, book_month FROM settlement_usageevent WHERE event_month = ANY(%(months)s::date[]) AND id = ANY(%(ids)s::uuid[])
