-- Purpose: write usage events whose own month is open: all of them, or none when one month is not open (then: record_booked).
-- Parameters: months date[] (distinct event months), and one array a column, all of one length; received timestamptz.
-- Grain: one row an event. The shared lock on the months holds until the commit, so a month cannot close in between.
-- Columns: none; the row count says all or none.
WITH open_months AS MATERIALIZED (
    SELECT month FROM settlement_billingmonth
    WHERE month = ANY(%(months)s::date[]) AND state = 'open'
    ORDER BY month FOR SHARE
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects
)
SELECT
    event_month, id, event_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units::jsonb, event_time,
    %(received)s::timestamptz, is_free, request_digest, corrects
FROM unnest(
    %(event_month)s::date[], %(id)s::uuid[], %(entitlement_id)s::bigint[], %(product_id)s::bigint[], %(release_id)s::bigint[],
    %(key_id)s::bigint[], %(source)s::text[], %(event_id)s::text[], %(purpose)s::text[], %(units)s::text[],
    %(event_time)s::timestamptz[], %(is_free)s::boolean[], %(request_digest)s::bytea[], %(corrects)s::uuid[]
) AS incoming (
    event_month, id, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time, is_free,
    request_digest, corrects
)
WHERE (SELECT count(*) FROM open_months) = cardinality(%(months)s::date[])
