-- Purpose: events that are to be corrected, with the sum of their units and of all that corrects them already.
-- Parameters: ids uuid[], months date[] (the months that the ids carry).
-- Grain: one row an event that exists.
-- Columns: id, entitlement_id, event_time, purpose, is_correction, units (component to decimal string, as JSON text).
SELECT event.id, event.entitlement_id, event.event_time, event.purpose, event.corrects IS NOT NULL AS is_correction, total.units
FROM settlement_usageevent AS event
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(component, quantity::text)::text AS units
    FROM (
        SELECT unit.key AS component, sum(unit.value::numeric) AS quantity
        FROM (
            SELECT event.units
            UNION ALL
            SELECT later.units FROM settlement_usageevent AS later
            WHERE later.corrects = event.id AND later.event_month = event.event_month
        ) AS stated
        CROSS JOIN LATERAL jsonb_each_text(stated.units) AS unit
        GROUP BY unit.key
    ) AS summed
) AS total
WHERE event.event_month = ANY(%(months)s::date[]) AND event.id = ANY(%(ids)s::uuid[])
