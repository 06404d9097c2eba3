-- Purpose: what the close rates: units of everything booked into one month.
-- Parameters: book_month date.
-- Grain: entitlement × event month × tariff's component.
-- Columns: entitlement_id, event_month, component, units (exact), events.
SELECT event.entitlement_id, event.event_month, unit.key AS component, sum(unit.value::numeric) AS units, count(*) AS events
FROM settlement_usageevent AS event
CROSS JOIN LATERAL jsonb_each_text(event.units) AS unit
WHERE event.book_month = %(book_month)s::date
GROUP BY event.entitlement_id, event.event_month, unit.key
ORDER BY event.entitlement_id, event.event_month, unit.key
