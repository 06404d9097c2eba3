-- Purpose: what counters over a year or the term had before a service month, as that month's own close knew it.
-- Parameters: arrays of one length: entitlements bigint[], months date[] (service months), starts date[] (first day of the span).
-- Grain: one row an entitlement, service month, span start and component.
-- Columns: entitlement_id, service_month, span_start, component, units (millionths).
SELECT w.entitlement_id, w.service_month, w.span_start, u.component, trunc(sum(u.units) * 1000000)
FROM unnest(%(entitlements)s::bigint[], %(months)s::date[], %(starts)s::date[]) AS w (entitlement_id, service_month, span_start)
JOIN settlement_usagehour u ON u.entitlement_id = w.entitlement_id
    AND u.event_month >= date_trunc('month', w.span_start)::date AND u.event_month < w.service_month
    AND u.hour >= (w.span_start::timestamp AT TIME ZONE 'Asia/Shanghai')
    AND u.book_month <= w.service_month
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
