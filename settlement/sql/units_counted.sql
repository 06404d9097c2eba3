-- Purpose: units of a span that were booked before a given month: what counters stand at when late use is rated.
-- Parameters: entitlement bigint, from_month date, to_month date (exclusive, event months), booked_before date.
-- Grain: event month × component.
-- Columns: event_month, component, units.
SELECT event.event_month, unit.key AS component, sum(unit.value::numeric) AS units
FROM settlement_usageevent AS event
CROSS JOIN LATERAL jsonb_each_text(event.units) AS unit
WHERE event.entitlement_id = %(entitlement)s
  AND event.event_month >= %(from_month)s::date AND event.event_month < %(to_month)s::date
  AND event.book_month < %(booked_before)s::date
GROUP BY event.event_month, unit.key
ORDER BY event.event_month, unit.key
