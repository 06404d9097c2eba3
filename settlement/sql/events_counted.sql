-- Purpose: how many metered events stand behind a charge.
-- Parameters: entitlement bigint, event_month date, booked_until date (the last billing month that counts).
-- Grain: one row.
-- Columns: events.
SELECT coalesce(sum(events), 0)::bigint AS events
FROM settlement_usagehour
WHERE entitlement_id = %(entitlement)s AND event_month = %(event_month)s::date AND book_month <= %(booked_until)s::date
