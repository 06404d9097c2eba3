-- Purpose: the curve of an entitlement's use, for pages.
-- Parameters: entitlements bigint[], since timestamptz, until timestamptz (exclusive): hours that begin in between.
-- Grain: entitlement × business day (Asia/Shanghai) with use.
-- Columns: entitlement_id, day, events.
SELECT entitlement_id, (hour AT TIME ZONE 'Asia/Shanghai')::date AS day, sum(events)::bigint AS events
FROM settlement_usagehour
WHERE entitlement_id = ANY(%(entitlements)s::bigint[])
  AND event_month >= date_trunc('month', %(since)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
  AND hour >= %(since)s AND hour < %(until)s
GROUP BY entitlement_id, day
ORDER BY entitlement_id, day
