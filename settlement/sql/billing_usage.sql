-- Purpose: what a closing month must rate: the units of every (entitlement, service month) that has usage booked into it.
-- Parameters: month date, the billing month that closes; products bigint[], the products to look at (null: all, as the close does).
-- Grain: one row an entitlement, service month, tariff version, side of the entitlement's anniversary, and component.
-- Columns: entitlement_id, service_month, tariff_id (null: a grant, or no tariff on that day), is_past_anniversary,
--          component, units and billed (millionths: all booked so far, and those that earlier months billed), booked (events
--          booked into this month).
WITH touched AS (
    SELECT DISTINCT entitlement_id, event_month FROM settlement_usageevent
    WHERE book_month = %(month)s AND event_month < %(month)s
      AND (%(products)s::bigint[] IS NULL OR product_id = ANY(%(products)s::bigint[]))
), events AS (
    SELECT u.entitlement_id, u.event_month, u.units, u.book_month, (u.event_time AT TIME ZONE 'Asia/Shanghai')::date AS day
    FROM settlement_usageevent u
    WHERE u.book_month = %(month)s AND u.event_month = %(month)s
      AND (%(products)s::bigint[] IS NULL OR u.product_id = ANY(%(products)s::bigint[]))
    UNION ALL
    SELECT u.entitlement_id, u.event_month, u.units, u.book_month, (u.event_time AT TIME ZONE 'Asia/Shanghai')::date
    FROM settlement_usageevent u
    JOIN touched t ON t.entitlement_id = u.entitlement_id AND t.event_month = u.event_month
    WHERE u.book_month <= %(month)s
)
SELECT
    v.entitlement_id, v.event_month, t.id, v.day >= v.anniversary, c.component,
    (sum(c.units::numeric) * 1000000)::bigint,
    coalesce((sum(c.units::numeric) FILTER (WHERE v.book_month < %(month)s) * 1000000)::bigint, 0),
    count(*) FILTER (WHERE v.book_month = %(month)s)
FROM (
    SELECT events.*, e.plan_id,
        (e.anchor_date + (extract(year FROM events.event_month) - extract(year FROM e.anchor_date))::int * interval '1 year')::date
            AS anniversary
    FROM events JOIN settlement_entitlement e ON e.id = events.entitlement_id
) AS v
LEFT JOIN pricing_tariff t ON t.plan_id = v.plan_id AND t.state NOT IN ('returned', 'withdrawn') AND t.period @> v.day
CROSS JOIN LATERAL jsonb_each_text(v.units) AS c (component, units)
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
