-- Purpose: write usage events with the months that bill them given (late use of a closed month goes to the earliest open one).
-- Parameters: one array a column, all of one length; received timestamptz. The months are locked before (lock_months).
--             The h_ arrays are what the batch adds to usage by the hour. Received is never before what is sealed.
-- Grain: one row an event.
-- Columns: none.
WITH hours AS (
    INSERT INTO settlement_usagedelta (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, units::numeric, events
    FROM unnest(
        %(h_entitlement_id)s::bigint[], %(h_event_month)s::date[], %(h_book_month)s::date[], %(h_hour)s::timestamptz[],
        %(h_purpose)s::text[], %(h_component)s::text[], %(h_units)s::text[], %(h_events)s::bigint[]
    ) AS added (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects, digest, consent_digest
)
SELECT
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units::jsonb, event_time,
    greatest(%(received)s::timestamptz, (SELECT max(sealed_until) FROM settlement_billingmonth WHERE month = ANY(%(book_month)s::date[]))),
    is_free, request_digest, corrects, digest, consent_digest
FROM unnest(
    %(event_month)s::date[], %(id)s::uuid[], %(book_month)s::date[], %(entitlement_id)s::bigint[], %(product_id)s::bigint[],
    %(release_id)s::bigint[], %(key_id)s::bigint[], %(source)s::text[], %(event_id)s::text[], %(purpose)s::text[],
    %(units)s::text[], %(event_time)s::timestamptz[], %(is_free)s::boolean[], %(request_digest)s::bytea[], %(corrects)s::uuid[],
    %(digest)s::bytea[], %(consent_digest)s::bytea[]
) AS incoming (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    is_free, request_digest, corrects, digest, consent_digest
)
