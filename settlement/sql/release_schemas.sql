-- Purpose: the contract of a release: what it takes and what it answers.
-- Parameters: release bigint.
-- Grain: at most one row.
-- Columns: as named.
SELECT product.code, release.version, release.input_schema, release.output_schema, release.sample_input
FROM products_release AS release JOIN products_dataproduct AS product ON product.id = release.product_id
WHERE release.id = %(release)s
