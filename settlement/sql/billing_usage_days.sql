-- Purpose: what some entitlements used on each day of some service months, where a bill is cut at the days of an emergency stop.
-- Parameters: entitlements bigint[] and months date[], pairs; month date, the billing month that closes.
-- Grain: one row an entitlement, service month, day of Shanghai and component.
-- Columns: entitlement_id, service_month, day, component, units and billed (millionths: all booked so far, and those that earlier
--          months billed).
SELECT u.entitlement_id, u.event_month, (u.hour AT TIME ZONE 'Asia/Shanghai')::date, u.component,
    trunc(sum(u.units) * 1000000), coalesce(trunc(sum(u.units) FILTER (WHERE u.book_month < %(month)s) * 1000000), 0)
FROM unnest(%(entitlements)s::bigint[], %(months)s::date[]) AS asked (entitlement_id, event_month)
JOIN settlement_usagehour u ON u.entitlement_id = asked.entitlement_id AND u.event_month = asked.event_month
WHERE u.book_month <= %(month)s
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
