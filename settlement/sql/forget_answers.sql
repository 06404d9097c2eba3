-- Purpose: forget answers kept for repeats, after their 24 hours.
-- Parameters: at timestamptz.
-- Grain: one row an answer.
-- Columns: none.
DELETE FROM settlement_idempotentanswer WHERE expires_at < %(at)s
