-- Purpose: whether a consent was taken back; looked up for each call that names one, never cached.
-- Parameters: organisation bigint, reference bytea (keyed digest of the consent's reference).
-- Grain: at most one row (unique index consent_withdrawn_once).
-- Columns: withdrawn_at timestamptz.
SELECT withdrawn_at FROM settlement_consentwithdrawal
WHERE organisation_id = %(organisation)s AND reference_digest = %(reference)s
