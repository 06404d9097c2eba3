-- Purpose: units of everything booked into one month.
-- Parameters: book_month date.
-- Grain: entitlement × event month × tariff's component.
-- Columns: entitlement_id, event_month, component, units (exact).
SELECT entitlement_id, event_month, component, sum(units) AS units
FROM settlement_usagehour
WHERE book_month = %(book_month)s::date
GROUP BY entitlement_id, event_month, component
ORDER BY entitlement_id, event_month, component
