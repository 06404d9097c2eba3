-- Purpose: the document of a report release behind a delivery link, whatever release is active now.
-- Parameters: code text, version integer.
-- Grain: at most one row.
-- Columns: as release_content, and the product's state; stop_* of an emergency stop that holds for it.
SELECT product.code, product.type, product.state, release.id, release.version, release.config, release.artifact, release.input_schema,
    release.output_schema, stop.kind AS stop_kind, stop.started_at AS stop_since, stop.public_reason AS stop_reason
FROM products_release AS release JOIN products_dataproduct AS product ON product.id = release.product_id
LEFT JOIN LATERAL (
    SELECT kind, started_at, public_reason FROM settlement_emergencystop
    WHERE lifted_at IS NULL AND (product_id = product.id OR (kind = 'operator' AND organisation_id = product.operator_id))
    ORDER BY id LIMIT 1
) AS stop ON true
WHERE product.code = %(code)s AND product.type = 'report' AND release.version = %(version)s
