-- Purpose: charged use of each product by month, as it was known when a month's forecasts were made.
-- Parameters: before date (only use of months before it, booked before it: what came late is not known yet).
-- Grain: product × component × event month.
-- Columns: product_id, component, month, units (exact).
SELECT entitlement.product_id, used.component, used.event_month AS month, sum(used.units) AS units
FROM settlement_usagehour AS used
JOIN settlement_entitlement AS entitlement ON entitlement.id = used.entitlement_id AND entitlement.grant_id IS NULL
WHERE used.event_month < %(before)s::date AND used.book_month < %(before)s::date
GROUP BY entitlement.product_id, used.component, used.event_month
ORDER BY entitlement.product_id, used.component, used.event_month
