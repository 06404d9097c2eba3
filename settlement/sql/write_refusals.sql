-- Purpose: keep a batch of refusals.
-- Parameters: one array a column, all of one length.
-- Grain: one row a call that was not served.
-- Columns: none.
INSERT INTO settlement_refusal (at, key_id, entitlement_id, product_id, status, reason, purpose)
SELECT * FROM unnest(
    %(at)s::timestamptz[], %(key_id)s::bigint[], %(entitlement_id)s::bigint[], %(product_id)s::bigint[], %(status)s::smallint[],
    %(reason)s::text[], %(purpose)s::text[]
)
