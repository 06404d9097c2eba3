-- Purpose: what a closing month must rate: the units of every (entitlement, service month) that has usage booked into it, from
--          usage by the hour (hours of Shanghai are whole, so a day, a month and a tariff's dates never cut one).
-- Parameters: month date, the billing month that closes; products bigint[], the products to look at (null: all, as the close does).
-- Grain: one row an entitlement, service month, tariff version, side of the entitlement's anniversary, and component.
-- Columns: entitlement_id, service_month, tariff_id (null: a grant, or no tariff on that day), is_past_anniversary,
--          component, units and billed (millionths: all booked so far, and those that earlier months billed).
WITH touched AS (
    SELECT DISTINCT entitlement_id, event_month FROM settlement_usagehour
    WHERE book_month = %(month)s AND event_month < %(month)s
), chosen AS (
    SELECT id FROM settlement_entitlement WHERE product_id = ANY(%(products)s::bigint[])
), hours AS (
    SELECT u.entitlement_id, u.event_month, u.book_month, u.hour, u.component, u.units
    FROM settlement_usagehour u
    WHERE u.book_month = %(month)s AND u.event_month = %(month)s
      AND (%(products)s::bigint[] IS NULL OR u.entitlement_id IN (SELECT id FROM chosen))
    UNION ALL
    SELECT u.entitlement_id, u.event_month, u.book_month, u.hour, u.component, u.units
    FROM touched t JOIN settlement_usagehour u ON u.entitlement_id = t.entitlement_id AND u.event_month = t.event_month
    WHERE u.book_month <= %(month)s
      AND (%(products)s::bigint[] IS NULL OR u.entitlement_id IN (SELECT id FROM chosen))
)
SELECT h.entitlement_id, h.event_month, t.id, d.day >= a.anniversary, h.component, trunc(sum(h.units) * 1000000),
    coalesce(trunc(sum(h.units) FILTER (WHERE h.book_month < %(month)s) * 1000000), 0)
FROM hours h
JOIN settlement_entitlement e ON e.id = h.entitlement_id
CROSS JOIN LATERAL (SELECT (h.hour AT TIME ZONE 'Asia/Shanghai')::date) AS d (day)
CROSS JOIN LATERAL (
    SELECT (e.anchor_date + (extract(year FROM h.event_month) - extract(year FROM e.anchor_date))::int * interval '1 year')::date
) AS a (anniversary)
LEFT JOIN pricing_tariff t ON t.plan_id = e.plan_id AND t.state NOT IN ('returned', 'withdrawn') AND t.period @> d.day
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
