-- Purpose: whether the gateway may call a host for a product: the allow-list of the product's operator.
-- Parameters: code text, host text, port integer.
-- Grain: one row.
-- Columns: is_allowed.
SELECT EXISTS (
    SELECT 1
    FROM products_remotehost AS remote JOIN products_dataproduct AS product ON product.operator_id = remote.operator_id
    WHERE product.code = %(code)s AND remote.host = %(host)s AND remote.port = %(port)s AND remote.state = 'allowed'
) AS is_allowed
