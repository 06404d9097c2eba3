-- Purpose: how many metered events of products fell in a month: all, and those under a grant.
-- Parameters: month date (event month), products bigint[].
-- Grain: product with use.
-- Columns: product_id, events, free (of them).
SELECT entitlement.product_id, sum(used.events)::bigint AS events,
    coalesce(sum(used.events) FILTER (WHERE entitlement.grant_id IS NOT NULL), 0)::bigint AS free
FROM settlement_entitlement AS entitlement
JOIN settlement_usagehour AS used ON used.entitlement_id = entitlement.id AND used.event_month = %(month)s::date
WHERE entitlement.product_id = ANY(%(products)s::bigint[])
GROUP BY entitlement.product_id
ORDER BY entitlement.product_id
