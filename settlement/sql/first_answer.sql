-- Purpose: what was answered the first time under an Idempotency-Key.
-- Parameters: source text, event_id text, at timestamptz.
-- Grain: at most one row.
-- Columns: digest, usage_id, answer (null once it is forgotten).
SELECT known.digest, known.usage_id, kept.answer
FROM settlement_usageidentity AS known
LEFT JOIN settlement_idempotentanswer AS kept
    ON kept.source = known.source AND kept.event_id = known.event_id AND kept.expires_at > %(at)s
WHERE known.source = %(source)s AND known.event_id = %(event_id)s
