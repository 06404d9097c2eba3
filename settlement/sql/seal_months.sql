-- Purpose: make the hours before a moment final. The table is locked before: nobody records.
-- Parameters: until timestamptz.
-- Grain: none.
-- Columns: none.
UPDATE settlement_billingmonth SET sealed_until = %(until)s
WHERE state = 'open' AND coalesce(sealed_until, '-infinity') < %(until)s
