-- Purpose: take (source, event id) once for ever; who comes second, even at the same moment, gets no row.
-- Parameters: rows settlement_usagerow_1[], sorted by source and event_id (no deadlock).
-- Grain: one row an identity taken.
-- Columns: usage_id.
INSERT INTO settlement_usageidentity (source, event_id, digest, usage_id, event_month)
SELECT source, event_id, request_digest, id, event_month FROM unnest(%(rows)s::settlement_usagerow_1[]) WHERE is_named
ON CONFLICT (source, event_id) DO NOTHING
RETURNING usage_id
