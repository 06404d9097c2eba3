-- Purpose: the curve of an entitlement's use, for pages.
-- Parameters: entitlements bigint[], since timestamptz, until timestamptz (exclusive).
-- Grain: entitlement × business day (Asia/Shanghai) with use.
-- Columns: entitlement_id, day, events.
SELECT entitlement_id, (event_time AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) AS events
FROM settlement_usageevent
WHERE entitlement_id = ANY(%(entitlements)s::bigint[])
  AND event_month >= date_trunc('month', %(since)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
  AND event_time >= %(since)s AND event_time < %(until)s
GROUP BY entitlement_id, day
ORDER BY entitlement_id, day
