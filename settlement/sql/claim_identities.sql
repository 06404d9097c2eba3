-- Purpose: take (source, event id) once for ever; who comes second, even at the same moment, gets no row.
-- Parameters: sources text[], event_ids text[], digests bytea[], usage_ids uuid[], months date[] (same length, sorted by source and id).
-- Grain: one row an identity taken.
-- Columns: source, event_id.
INSERT INTO settlement_usageidentity (source, event_id, digest, usage_id, event_month)
SELECT * FROM unnest(%(sources)s::text[], %(event_ids)s::text[], %(digests)s::bytea[], %(usage_ids)s::uuid[], %(months)s::date[])
ON CONFLICT (source, event_id) DO NOTHING
RETURNING source, event_id
