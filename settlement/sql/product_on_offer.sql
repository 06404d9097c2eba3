-- Purpose: a product by its code, for sandbox calls and to tell an unknown product from one that a key does not cover.
-- Parameters: code text.
-- Grain: at most one row.
-- Columns: product_id, operator_id, state, needs_consent, release_id, release_version; stop_* of an emergency stop that holds.
SELECT product.id AS product_id, product.operator_id, product.state, product.needs_consent, release.id AS release_id,
    release.version AS release_version,
    stop.kind AS stop_kind, stop.started_at AS stop_since, stop.public_reason AS stop_reason
FROM products_dataproduct AS product
LEFT JOIN products_release AS release ON release.product_id = product.id AND release.state = 'active'
LEFT JOIN LATERAL (
    SELECT kind, started_at, public_reason FROM settlement_emergencystop
    WHERE lifted_at IS NULL AND (product_id = product.id OR (kind = 'operator' AND organisation_id = product.operator_id))
    ORDER BY id LIMIT 1
) AS stop ON true
WHERE product.code = %(code)s
