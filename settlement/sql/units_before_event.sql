-- Purpose: where an entitlement's counters stood just before one use: all use before it, by event time and then id.
-- Parameters: entitlement bigint; components text[] and since timestamptz[] (of one length: since when each counts, whole hours);
--             the use: month date, hour timestamptz, time timestamptz, id uuid.
-- Grain: one row a component that was used before.
-- Columns: component, units numeric.
WITH counted AS (
    SELECT * FROM unnest(%(components)s::text[], %(since)s::timestamptz[]) AS counted (component, since)
), used AS (
    SELECT rolled.component, rolled.units
    FROM counted
    JOIN settlement_usagehour AS rolled
        ON rolled.component = counted.component AND rolled.hour >= counted.since
    WHERE rolled.entitlement_id = %(entitlement)s AND rolled.event_month <= %(month)s::date
      AND rolled.hour < %(hour)s::timestamptz
    UNION ALL
    SELECT unit.key, unit.value::numeric
    FROM settlement_usageevent AS event
    CROSS JOIN LATERAL jsonb_each_text(event.units) AS unit
    WHERE event.entitlement_id = %(entitlement)s AND event.event_month = %(month)s::date
      AND event.event_time >= %(hour)s::timestamptz
      AND (event.event_time, event.id) < (%(time)s::timestamptz, %(id)s::uuid)
      AND unit.key = ANY(%(components)s::text[])
)
SELECT component, sum(units) AS units FROM used GROUP BY component
