-- Purpose: the document of a report release behind a delivery link, whatever release is active now.
-- Parameters: code text, version integer.
-- Grain: at most one row.
-- Columns: as release_content, and the product's state.
SELECT product.code, product.type, product.state, release.id, release.version, release.config, release.artifact, release.input_schema,
    release.output_schema
FROM products_release AS release JOIN products_dataproduct AS product ON product.id = release.product_id
WHERE product.code = %(code)s AND product.type = 'report' AND release.version = %(version)s
