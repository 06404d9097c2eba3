-- Purpose: a product by its code, for sandbox calls and to tell an unknown product from one that a key does not cover.
-- Parameters: code text.
-- Grain: at most one row.
-- Columns: product_id, state, release_id, release_version.
SELECT product.id AS product_id, product.state, release.id AS release_id, release.version AS release_version
FROM products_dataproduct AS product
LEFT JOIN products_release AS release ON release.product_id = product.id AND release.state = 'active'
WHERE product.code = %(code)s
