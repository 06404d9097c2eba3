-- Purpose: which events are known already.
-- Parameters: rows settlement_usagerow_1[].
-- Grain: one row an event whose identity exists.
-- Columns: id (the event asked about), digest, usage_id (the event that is known).
SELECT asked.id, known.digest, known.usage_id
FROM unnest(%(rows)s::settlement_usagerow_1[]) AS asked
JOIN settlement_usageidentity AS known ON known.source = asked.source AND known.event_id = asked.event_id
WHERE asked.is_named
