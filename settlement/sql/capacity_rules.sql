-- Purpose: how the capacity of a product is shared and what one organisation may ask of the market, by the most local rule set.
-- Parameters: product bigint, day date (business date).
-- Grain: at most one row.
-- Columns: product_id, calls_per_minute (null: not bounded), free_share and paid_share (of the capacity, 0 to 1; null: no rule says),
--          organisation_calls (a minute; null: not bounded).
WITH place AS (
    SELECT product.id AS product_id, product.calls_per_minute, CASE
        WHEN auth.id IS NULL THEN operator.region ELSE coalesce(nullif(auth.region, ''), body.region)
    END AS region
    FROM products_dataproduct AS product
    JOIN products_organisation AS operator ON operator.id = product.operator_id
    LEFT JOIN products_authorisation AS auth ON auth.id = product.authorisation_id
    LEFT JOIN products_organisation AS body ON body.id = auth.authorising_body_id
    WHERE product.id = %(product)s
), rules AS (
    SELECT setting.name, setting.value, row_number() OVER (PARTITION BY setting.name ORDER BY step.nearness) AS rank
    FROM place
    CROSS JOIN LATERAL unnest(ARRAY[region, left(region, 4) || '00', left(region, 2) || '0000', 'CN'])
        WITH ORDINALITY AS step (jurisdiction, nearness)
    JOIN products_ruleset AS held ON held.jurisdiction = step.jurisdiction AND held.period @> %(day)s::date
    CROSS JOIN LATERAL jsonb_each_text(held.parameters) AS setting (name, value)
    WHERE setting.name IN ('capacity_share_free', 'capacity_share_paid', 'organisation_calls_per_minute')
)
SELECT
    place.product_id, place.calls_per_minute,
    (SELECT value::numeric FROM rules WHERE name = 'capacity_share_free' AND rank = 1) AS free_share,
    (SELECT value::numeric FROM rules WHERE name = 'capacity_share_paid' AND rank = 1) AS paid_share,
    (SELECT value::bigint FROM rules WHERE name = 'organisation_calls_per_minute' AND rank = 1) AS organisation_calls
FROM place
