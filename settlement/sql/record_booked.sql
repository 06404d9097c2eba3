-- Purpose: write usage events with the months that bill them given (late use of a closed month goes to the earliest open one),
--          what they add to usage by the hour, and answers to keep.
-- Parameters: rows settlement_usagerow_1[], hours settlement_usagehourrow_1[], months date[] (the months that bill them, locked
--             before by lock_months), received timestamptz, until timestamptz (how long answers are kept).
-- Grain: one row an event. Received is never before what is sealed.
-- Columns: none.
WITH hours AS (
    INSERT INTO settlement_usagedelta (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, micro::numeric * 0.000001, events
    FROM unnest(%(hours)s::settlement_usagehourrow_1[])
), answers AS (
    INSERT INTO settlement_idempotentanswer (source, event_id, answer, expires_at)
    SELECT source, event_id, answer, %(until)s::timestamptz
    FROM unnest(%(rows)s::settlement_usagerow_1[]) WHERE answer IS NOT NULL
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects, digest, consent_digest
)
SELECT
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    greatest(%(received)s::timestamptz, (SELECT max(sealed_until) FROM settlement_billingmonth WHERE month = ANY(%(months)s::date[]))),
    is_free, request_digest, corrects, digest, consent_digest
FROM unnest(%(rows)s::settlement_usagerow_1[])
