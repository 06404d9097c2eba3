-- Purpose: units of a span that were booked before a given month: what counters stand at when late use is rated.
-- Parameters: entitlement bigint, from_month date, to_month date (exclusive, event months), booked_before date.
-- Grain: event month × component.
-- Columns: event_month, component, units (exact).
SELECT event_month, component, sum(units) AS units
FROM settlement_usagehour
WHERE entitlement_id = %(entitlement)s
  AND event_month >= %(from_month)s::date AND event_month < %(to_month)s::date
  AND book_month < %(booked_before)s::date
GROUP BY event_month, component
ORDER BY event_month, component
