-- Purpose: charged use of each product by month, as it was known when a month's forecasts were made.
-- Parameters: before date (only use of months before it, booked before it: what came late is not known yet).
-- Grain: product × component × event month.
-- Columns: product_id, component, month, units (exact).
SELECT event.product_id, unit.key AS component, event.event_month AS month, sum(unit.value::numeric) AS units
FROM settlement_usageevent AS event
CROSS JOIN LATERAL jsonb_each_text(event.units) AS unit
WHERE event.event_month < %(before)s::date AND event.book_month < %(before)s::date AND NOT event.is_free
GROUP BY event.product_id, unit.key, event.event_month
ORDER BY event.product_id, unit.key, event.event_month
