-- Purpose: whether every event yet to be booked will be received at or after a moment, so that the hours before it are final.
-- Parameters: until timestamptz.
-- Grain: one row.
-- Columns: is_final (false where no month is open: nothing would carry the moment).
SELECT coalesce(bool_and(coalesce(sealed_until, '-infinity') >= %(until)s), false) FROM settlement_billingmonth WHERE state = 'open'
