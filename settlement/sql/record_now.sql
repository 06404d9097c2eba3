-- Purpose: write usage events whose own month is open: all of them, or none when one month is not open (then: record_booked).
-- Parameters: months date[] (distinct event months), and one array a column, all of one length; received timestamptz.
-- Grain: one row an event. The shared lock on the months holds until the commit, so a month cannot close in between.
--        The h_ arrays are what the batch adds to usage by the hour. Received is never before what is sealed.
-- Columns: none; the row count says all or none.
WITH open_months AS MATERIALIZED (
    SELECT month, sealed_until FROM settlement_billingmonth
    WHERE month = ANY(%(months)s::date[]) AND state = 'open'
    ORDER BY month FOR SHARE
), hours AS (
    INSERT INTO settlement_usagedelta (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, units::numeric, events
    FROM unnest(
        %(h_entitlement_id)s::bigint[], %(h_event_month)s::date[], %(h_book_month)s::date[], %(h_hour)s::timestamptz[],
        %(h_purpose)s::text[], %(h_component)s::text[], %(h_units)s::text[], %(h_events)s::bigint[]
    ) AS added (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    WHERE (SELECT count(*) FROM open_months) = cardinality(%(months)s::date[])
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects, digest, consent_digest
)
SELECT
    event_month, id, event_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units::jsonb, event_time,
    greatest(%(received)s::timestamptz, (SELECT max(sealed_until) FROM open_months)), is_free, request_digest, corrects, digest,
    consent_digest
FROM unnest(
    %(event_month)s::date[], %(id)s::uuid[], %(entitlement_id)s::bigint[], %(product_id)s::bigint[], %(release_id)s::bigint[],
    %(key_id)s::bigint[], %(source)s::text[], %(event_id)s::text[], %(purpose)s::text[], %(units)s::text[],
    %(event_time)s::timestamptz[], %(is_free)s::boolean[], %(request_digest)s::bytea[], %(corrects)s::uuid[],
    %(digest)s::bytea[], %(consent_digest)s::bytea[]
) AS incoming (
    event_month, id, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time, is_free,
    request_digest, corrects, digest, consent_digest
)
WHERE (SELECT count(*) FROM open_months) = cardinality(%(months)s::date[])
