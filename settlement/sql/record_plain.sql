-- Purpose: write usage events that have no identity and no limit, all of them in months that are open; or none (its count is 0).
-- Parameters: rows settlement_usagerow_1[], hours settlement_usagehourrow_1[], months date[] (distinct), received timestamptz.
-- Grain: one row an event. The shared lock on the months holds until the commit, so a month cannot close in between.
--        Received is never before what is sealed.
-- Columns: none; the row count says all or none.
WITH open_months AS MATERIALIZED (
    SELECT month, sealed_until FROM settlement_billingmonth
    WHERE month = ANY(%(months)s::date[]) AND state = 'open'
    ORDER BY month FOR SHARE
), hours AS (
    INSERT INTO settlement_usagedelta (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, micro::numeric * 0.000001, events
    FROM unnest(%(hours)s::settlement_usagehourrow_1[])
    WHERE (SELECT count(*) FROM open_months) = cardinality(%(months)s::date[])
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects, digest, consent_digest
)
SELECT
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    greatest(%(received)s::timestamptz, (SELECT max(sealed_until) FROM open_months)), is_free, request_digest, corrects, digest,
    consent_digest
FROM unnest(%(rows)s::settlement_usagerow_1[])
WHERE (SELECT count(*) FROM open_months) = cardinality(%(months)s::date[])
