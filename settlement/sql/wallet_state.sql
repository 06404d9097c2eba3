-- Purpose: what the next closes will draw from wallets and what they can draw from: deposits, rights, tariffs, use that is not
--          billed yet. One statement, so one snapshot: a close that commits beside it is seen whole or not at all.
-- Parameters: operators bigint[], organisations bigint[] (of one length, a wallet each), months date[] (of the use to be judged).
-- Grain: one row a wallet.
-- Columns: operator_id, organisation_id, deposits_minor (fen not drawn), months (open months, in order, up to the last that has
--          use), holders (paid entitlements), tariffs (versions of their plans), hours (entitlement, event month, book month,
--          tariff, side of the anniversary, component, millionths); the last three are JSON, null where there is none.
WITH wallets AS (
    SELECT * FROM unnest(%(operators)s::bigint[], %(organisations)s::bigint[]) AS wallet (operator_id, organisation_id)
), closed AS (
    SELECT (max(month) + interval '1 month')::date AS next FROM settlement_billingmonth WHERE state = 'closed'
), begun AS (
    SELECT coalesce(
        (SELECT next FROM closed),
        least((SELECT min(month) FROM settlement_billingmonth), (SELECT min(month) FROM unnest(%(months)s::date[]) AS month))
    ) AS first
), holders AS (
    SELECT ent.* FROM settlement_entitlement AS ent JOIN wallets USING (operator_id, organisation_id) WHERE ent.plan_id IS NOT NULL
), touched AS (
    SELECT DISTINCT used.entitlement_id, used.event_month FROM settlement_usagehour AS used
    WHERE used.entitlement_id IN (SELECT id FROM holders) AND used.book_month >= (SELECT first FROM begun)
    UNION
    SELECT holders.id, month FROM holders CROSS JOIN unnest(%(months)s::date[]) AS month
), hours AS (
    SELECT
        used.entitlement_id, used.event_month, used.book_month, tariff.id AS tariff_id, used.day >= side.anniversary AS is_past,
        used.component, trunc(sum(used.units) * 1000000) AS units
    FROM (
        SELECT entitlement_id, event_month, book_month, component, sum(units) AS units, (hour AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM touched JOIN settlement_usagehour USING (entitlement_id, event_month) GROUP BY 1, 2, 3, 4, 6
    ) AS used
    JOIN holders AS ent ON ent.id = used.entitlement_id
    CROSS JOIN LATERAL (
        SELECT (ent.anchor_date + (extract(year FROM used.event_month) - extract(year FROM ent.anchor_date))::int * interval '1 year')::date
            AS anniversary
    ) AS side
    LEFT JOIN pricing_tariff AS tariff
        ON tariff.plan_id = ent.plan_id AND tariff.state NOT IN ('returned', 'withdrawn') AND tariff.period @> used.day
    GROUP BY 1, 2, 3, 4, 5, 6
), bounds AS (
    SELECT first, greatest(
        first, (SELECT max(month) FROM unnest(%(months)s::date[]) AS month), (SELECT max(book_month) FROM hours)
    ) AS last FROM begun
)
SELECT
    operator_id, organisation_id,
    (
        SELECT coalesce(sum(amount_minor - drawn_minor), 0)::bigint FROM settlement_deposit AS deposit
        WHERE deposit.operator_id = wallets.operator_id AND deposit.organisation_id = wallets.organisation_id
    ) AS deposits_minor,
    (
        SELECT array_agg(month::date ORDER BY month) FROM bounds
        CROSS JOIN LATERAL generate_series(first::timestamp, last::timestamp, interval '1 month') AS month
    ) AS months,
    (
        SELECT json_agg(json_build_array(
            id, code, organisation_id, operator_id, product_id, plan_id, grant_id, valid_from, valid_to, ended_at, anchor_date, discounts
        ) ORDER BY id)::text FROM holders
        WHERE holders.operator_id = wallets.operator_id AND holders.organisation_id = wallets.organisation_id
    ) AS holders,
    (
        SELECT json_agg(json_build_array(
            tariff.id, tariff.plan_id, plan.product_id, plan.state, lower(tariff.period), upper(tariff.period), tariff.digest,
            tariff.document::text
        ) ORDER BY tariff.plan_id, tariff.period, tariff.id)::text
        FROM pricing_tariff AS tariff JOIN pricing_plan AS plan ON plan.id = tariff.plan_id CROSS JOIN bounds
        WHERE tariff.state NOT IN ('returned', 'withdrawn')
          AND plan.id IN (
              SELECT plan_id FROM holders
              WHERE holders.operator_id = wallets.operator_id AND holders.organisation_id = wallets.organisation_id
          )
          AND tariff.period && daterange(
              least(first, (SELECT min(event_month) FROM hours), (SELECT min(month) FROM unnest(%(months)s::date[]) AS month)),
              (last + interval '1 month')::date
          )
    ) AS tariffs,
    (
        SELECT json_agg(json_build_array(entitlement_id, event_month, book_month, tariff_id, is_past, component, units))::text
        FROM hours
        WHERE entitlement_id IN (
            SELECT id FROM holders
            WHERE holders.operator_id = wallets.operator_id AND holders.organisation_id = wallets.organisation_id
        )
    ) AS hours
FROM wallets ORDER BY operator_id, organisation_id
