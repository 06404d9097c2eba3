-- Purpose: what a runtime loads; a release never changes, so it is read once a process.
-- Parameters: release bigint.
-- Grain: at most one row.
-- Columns: as named.
SELECT product.code, product.type, release.id, release.version, release.config, release.artifact, release.input_schema,
    release.output_schema, release.sample_input, release.sample_output, release.sha256
FROM products_release AS release JOIN products_dataproduct AS product ON product.id = release.product_id
WHERE release.id = %(release)s
