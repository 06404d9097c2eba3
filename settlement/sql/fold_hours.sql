-- Purpose: take deltas of usage by the hour and add them to the rollups: one statement, so whatever was taken was added, once.
-- Parameters: most bigint (deltas to take at once), turn bigint (the advisory lock that lets one folder work at a time).
-- Grain: one row. The lock ends with the transaction; who does not get it takes nothing.
-- Columns: taken (deltas).
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(%(turn)s) AS is_mine
), taken AS (
    DELETE FROM settlement_usagedelta
    WHERE ctid = ANY(ARRAY(SELECT delta.ctid FROM turn JOIN settlement_usagedelta AS delta ON turn.is_mine LIMIT %(most)s))
    RETURNING entitlement_id, event_month, book_month, hour, purpose, component, units, events
), added AS (
    INSERT INTO settlement_usagerollup AS kept (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
    SELECT entitlement_id, event_month, book_month, hour, purpose, component, sum(units), sum(events)
    FROM taken
    GROUP BY entitlement_id, event_month, book_month, hour, purpose, component
    ORDER BY entitlement_id, event_month, book_month, hour, purpose, component
    ON CONFLICT ON CONSTRAINT usage_rollup_pkey
    DO UPDATE SET units = kept.units + excluded.units, events = kept.events + excluded.events
)
SELECT count(*) FROM taken
