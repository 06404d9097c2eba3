-- Purpose: all that reported use is checked against, of many entitlements in one look.
-- Parameters: codes text[].
-- Grain: one row an entitlement that exists.
-- Columns: code, terms (JSON text: settlement.metering.terms.Terms, member by member). Stops are those of its product, of its
--          operator and of its buyer, past ones too; tariffs those of its plan that were ever in force.
SELECT ent.code, json_build_object(
    'entitlement_id', ent.id,
    'code', ent.code,
    'organisation_id', ent.organisation_id,
    'operator_id', ent.operator_id,
    'operator', operator.slug,
    'product_id', product.id,
    'product', product.code,
    'valid_from', ent.valid_from,
    'valid_to', least(ent.valid_to, ent.ended_at),
    'purposes', ent.purposes,
    'is_free', ent.grant_id IS NOT NULL,
    'is_prepaid', ent.is_prepaid,
    'has_plan', ent.plan_id IS NOT NULL,
    'has_quota', EXISTS (SELECT FROM settlement_quota AS quota WHERE quota.entitlement_id = ent.id),
    'tariffs', coalesce((
        SELECT json_agg(json_build_array(
            lower(tariff.period),
            upper(tariff.period),
            ARRAY(SELECT each ->> 'code' FROM jsonb_array_elements(tariff.document -> 'components') AS each WHERE each ->> 'model' <> 'flat')
        ) ORDER BY tariff.version)
        FROM pricing_tariff AS tariff
        WHERE tariff.plan_id = ent.plan_id AND tariff.state IN ('filed', 'accepted') AND NOT isempty(tariff.period)
    ), '[]'),
    'stops', coalesce((
        SELECT json_agg(json_build_array(stop.started_at, stop.lifted_at))
        FROM settlement_emergencystop AS stop
        WHERE stop.product_id = ent.product_id
           OR (stop.kind = 'operator' AND stop.organisation_id = ent.operator_id)
           OR (stop.kind = 'buyer' AND stop.organisation_id = ent.organisation_id)
    ), '[]')
)::text AS terms
FROM settlement_entitlement AS ent
JOIN products_organisation AS operator ON operator.id = ent.operator_id
JOIN products_dataproduct AS product ON product.id = ent.product_id
WHERE ent.code = ANY(%(codes)s::text[])
