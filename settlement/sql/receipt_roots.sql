-- Purpose: the published roots of receipts, in the order of time.
-- Parameters: after timestamptz, most bigint.
-- Grain: one row an hour that had events.
-- Columns: hour, size, root, chain, sealed_at.
SELECT hour, size, root, chain, sealed_at FROM settlement_receipttree
WHERE hour > %(after)s::timestamptz ORDER BY hour LIMIT %(most)s
