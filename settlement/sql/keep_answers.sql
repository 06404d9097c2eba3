-- Purpose: keep the first answers of calls with an Idempotency-Key, encrypted, for 24 hours.
-- Parameters: sources text[], event_ids text[], answers bytea[], until timestamptz.
-- Grain: one row an answer.
-- Columns: none.
INSERT INTO settlement_idempotentanswer (source, event_id, answer, expires_at)
SELECT source, event_id, answer, %(until)s::timestamptz
FROM unnest(%(sources)s::text[], %(event_ids)s::text[], %(answers)s::bytea[]) AS kept (source, event_id, answer)
