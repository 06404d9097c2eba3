-- Purpose: the stored inputs and amounts of charges, for a replay; late charges come after those on time.
-- Parameters: products bigint[], from_month date, to_month date (exclusive), by month of use.
-- Grain: one row a charge of a closed month.
-- Columns: entitlement_id, service_month, tariff_id (null: free for all), from_date, buyer_id, operator_id, product_id, code,
--          purposes, usage, total, net, vat, free_value.
SELECT c.entitlement_id, c.service_month, c.tariff_id, c.from_date, e.organisation_id, e.operator_id, e.product_id, e.code,
    e.purposes, c.usage, c.total, c.net, c.vat, c.free_value
FROM settlement_charge c
JOIN settlement_entitlement e ON e.id = c.entitlement_id
JOIN settlement_billingmonth m ON m.month = c.month_id AND m.state = 'closed'
WHERE e.product_id = ANY(%(products)s::bigint[])
    AND c.service_month >= %(from_month)s AND c.service_month < %(to_month)s
ORDER BY c.month_id, c.id
