-- Purpose: give back what a gateway leased and did not use (it stops).
-- Parameters: buckets text[], began bigint[], units bigint[] (of one length).
-- Grain: one row a bucket and window.
-- Columns: none.
UPDATE settlement_ratelease AS held SET taken = greatest(0, held.taken - given.units)
FROM (
    SELECT bucket, began, sum(units)::bigint AS units
    FROM unnest(%(buckets)s::text[], %(began)s::bigint[], %(units)s::bigint[]) AS each (bucket, began, units)
    GROUP BY bucket, began ORDER BY bucket
) AS given
WHERE held.bucket = given.bucket AND held.began = given.began
