-- Purpose: take the identities of events that are most likely new and write them, in one statement: all of them, or none.
--          An identity that is taken is an error (usage_identity_once), a month that closes meanwhile too (GS001); a month that is
--          not open writes nothing (the count is 0). Then the steps one by one tell what is what.
-- Parameters: rows settlement_usagerow_1[] (sorted by source and event_id), hours settlement_usagehourrow_1[],
--             months date[] (distinct), received timestamptz, until timestamptz (how long answers are kept).
-- Grain: one row an event. Identities are taken before the months are locked, as everywhere: who holds a month waits for nothing.
--        Each part reads the count of the one before it, which is what puts them in this order.
-- Columns: none; the row count says all or none.
WITH identities AS (
    INSERT INTO settlement_usageidentity (source, event_id, digest, usage_id, event_month)
    SELECT source, event_id, request_digest, id, event_month
    FROM unnest(%(rows)s::settlement_usagerow_1[])
    WHERE is_named AND cardinality(%(months)s::date[]) = (
        SELECT count(*) FROM settlement_billingmonth WHERE month = ANY(%(months)s::date[]) AND state = 'open'
    )
    RETURNING 1
), taken AS MATERIALIZED (
    SELECT count(*) AS identities FROM identities
), open_months AS MATERIALIZED (
    SELECT month, sealed_until FROM settlement_billingmonth
    WHERE month = ANY(%(months)s::date[]) AND state = 'open' AND (SELECT identities FROM taken) > 0
    ORDER BY month FOR SHARE
), gate AS MATERIALIZED (
    SELECT CASE
        WHEN count(*) = cardinality(%(months)s::date[]) THEN greatest(%(received)s::timestamptz, max(sealed_until))
        WHEN (SELECT identities FROM taken) > 0 THEN record_in_steps()
    END AS received_at
    FROM open_months
), hours AS (
    INSERT INTO settlement_usagedelta (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, micro::numeric * 0.000001, events
    FROM unnest(%(hours)s::settlement_usagehourrow_1[])
    WHERE (SELECT received_at FROM gate) IS NOT NULL
), answers AS (
    INSERT INTO settlement_idempotentanswer (source, event_id, answer, expires_at)
    SELECT source, event_id, answer, %(until)s::timestamptz
    FROM unnest(%(rows)s::settlement_usagerow_1[])
    WHERE answer IS NOT NULL AND (SELECT received_at FROM gate) IS NOT NULL
)
INSERT INTO settlement_usageevent (
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    received_at, is_free, request_digest, corrects, digest, consent_digest
)
SELECT
    event_month, id, book_month, entitlement_id, product_id, release_id, key_id, source, event_id, purpose, units, event_time,
    (SELECT received_at FROM gate), is_free, request_digest, corrects, digest, consent_digest
FROM unnest(%(rows)s::settlement_usagerow_1[])
WHERE (SELECT received_at FROM gate) IS NOT NULL
