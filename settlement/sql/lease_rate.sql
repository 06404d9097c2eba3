-- Purpose: take calls of a limit for this minute, at once for many: a block, less near the end, always enough for those who wait.
-- Parameters: bucket text, began bigint (first second of the window), limit bigint, block bigint, waiting bigint.
-- Grain: one row. Who comes at the same moment waits for the row, so no more than the limit is ever handed out.
-- Columns: granted (0: nothing is left), taken (by all gateways, this lease included).
INSERT INTO settlement_ratelease AS held (bucket, began, taken, granted)
SELECT %(bucket)s, %(began)s, granted, granted
FROM (SELECT least(%(limit)s::bigint, greatest(%(waiting)s::bigint, %(block)s::bigint)) AS granted) AS first
ON CONFLICT (bucket, began) DO UPDATE SET
    granted = greatest(0, least(
        %(limit)s::bigint - held.taken,
        greatest(%(waiting)s::bigint, least(%(block)s::bigint, (%(limit)s::bigint - held.taken) / 8))
    )),
    taken = held.taken + greatest(0, least(
        %(limit)s::bigint - held.taken,
        greatest(%(waiting)s::bigint, least(%(block)s::bigint, (%(limit)s::bigint - held.taken) / 8))
    ))
RETURNING granted, taken
