-- Purpose: correct an event one transaction at a time: what is corrected is held until the commit, in one order (no deadlock).
-- Parameters: ids uuid[], sorted.
-- Grain: one row an id.
-- Columns: none of use. An advisory lock, since a row lock asks for the right to update, which nobody has on usage events.
SELECT pg_advisory_xact_lock(hashtextextended('usage event ' || id, 0)) FROM unnest(%(ids)s::uuid[]) AS id
