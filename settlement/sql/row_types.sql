-- Purpose: the numbers of the row types in which batches are sent; they differ from database to database.
-- Parameters: none.
-- Grain: one row a type.
-- Columns: name, number.
SELECT typname, oid::bigint FROM pg_type
WHERE typname IN ('settlement_usagerow_1', 'settlement_usagehourrow_1') AND typnamespace = current_schema()::regnamespace
