-- Purpose: whether the account that asks owns the usage events, and so may take a partition off.
-- Parameters: none.
-- Grain: one row.
-- Columns: owns.
SELECT pg_has_role(relowner, 'USAGE') AS owns FROM pg_class WHERE oid = 'settlement_usageevent'::regclass
