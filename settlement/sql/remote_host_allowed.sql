-- Purpose: the entry of the egress allow-list by which the gateway may call a host for a product: one of the product's operator.
-- Parameters: code text, host text, port integer.
-- Grain: one row; none where the host is not allowed.
-- Columns: remote_host_id.
SELECT remote.id AS remote_host_id
FROM products_remotehost AS remote JOIN products_dataproduct AS product ON product.operator_id = remote.operator_id
WHERE product.code = %(code)s AND remote.host = %(host)s AND remote.port = %(port)s AND remote.state = 'allowed'
