-- Purpose: how many metered events fell in a month, by entitlement.
-- Parameters: month date (event month), entitlements bigint[].
-- Grain: entitlement with use.
-- Columns: entitlement_id, events.
SELECT entitlement_id, sum(events)::bigint AS events
FROM settlement_usagehour
WHERE entitlement_id = ANY(%(entitlements)s::bigint[]) AND event_month = %(month)s::date
GROUP BY entitlement_id
ORDER BY entitlement_id
