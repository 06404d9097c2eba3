-- Purpose: which events are known already.
-- Parameters: sources text[], event_ids text[] (same length).
-- Grain: one row an identity that exists.
-- Columns: source, event_id, digest, usage_id, event_month.
SELECT known.source, known.event_id, known.digest, known.usage_id, known.event_month
FROM unnest(%(sources)s::text[], %(event_ids)s::text[]) AS asked (source, event_id)
JOIN settlement_usageidentity AS known ON known.source = asked.source AND known.event_id = asked.event_id
