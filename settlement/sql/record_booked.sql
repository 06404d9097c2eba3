-- Purpose: write usage events with the months that bill them given (late use of a closed month goes to the earliest open one).
-- Parameters: one array a column, all of one length; received timestamptz. The months are locked before (lock_months).
-- Grain: one row an event.
-- Columns: none.
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects
)
SELECT
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units::jsonb, event_time,
    %(received)s::timestamptz, is_free, request_digest, corrects
FROM unnest(
    %(event_month)s::date[], %(id)s::uuid[], %(book_month)s::date[], %(entitlement_id)s::bigint[], %(product_id)s::bigint[],
    %(release_id)s::bigint[], %(key_id)s::bigint[], %(source)s::text[], %(event_id)s::text[], %(purpose)s::text[],
    %(units)s::text[], %(event_time)s::timestamptz[], %(is_free)s::boolean[], %(request_digest)s::bytea[], %(corrects)s::uuid[]
) AS incoming (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    is_free, request_digest, corrects
)
