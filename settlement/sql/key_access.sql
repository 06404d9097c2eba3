-- Purpose: all that a key may do at a moment, in one look: key, entitlement, product, authorisation, release, tariff, quota.
-- Parameters: digest bytea (SHA-256 of the key), at timestamptz, day date (the business date of at).
--             instead bigint (null: the key's own entitlement; else the paid one that it goes on under).
-- Grain: at most one row.
-- Columns: as named. Columns of the entitlement and below are null for sandbox and usage keys. A grant has no plan: it is valued
--          by the tariff of the product's first open plan. stop_*: the emergency stop that holds for the product, its operator
--          or the key's organisation, null where there is none.
SELECT
    key.id AS key_id, key.mode, key.expires_at, key.revoked_at, key.scopes, key.networks,
    owner.id AS organisation_id, owner.slug AS organisation_slug, owner.kind AS organisation_kind, owner.state AS organisation_state,
    ent.id AS entitlement_id, ent.code AS entitlement, ent.state AS entitlement_state, ent.valid_from, ent.valid_to, ent.purposes,
    ent.scenario, ent.grant_id IS NOT NULL AS is_free, ent.is_prepaid, ent.rate_per_minute,
    product.id AS product_id, product.code AS product, product.state AS product_state, product.purposes AS product_purposes,
    product.scenarios AS product_scenarios, product.operator_id, operator.state AS operator_state,
    product.regime = 'market' AND product.authorisation_id IS NULL AS is_market,
    auth.state AS authorisation_state, auth.from_date AS authorisation_from, auth.to_date AS authorisation_to,
    COALESCE(product.needs_consent, false) AS needs_consent,
    release.id AS release_id, release.version AS release_version,
    tariff.version AS tariff_version, tariff.document AS tariff,
    quota.id AS quota_id, quota."limit" AS quota_limit, quota.used AS quota_used,
    (
        SELECT paid.id FROM pricing_freeusegrant AS free
        JOIN settlement_entitlement AS paid ON paid.plan_id = free.continues_on_id
            AND paid.product_id = ent.product_id AND paid.organisation_id = ent.organisation_id
        WHERE free.id = ent.grant_id AND paid.state IN ('active', 'overdue')
        ORDER BY
            -- One that is over or has not begun comes last; it is named so that the refusal can say why.
            NOT (paid.valid_from <= %(at)s::timestamptz AND %(at)s::timestamptz < paid.valid_to),
            NOT EXISTS (
                SELECT FROM unnest(paid.purposes) AS purpose
                WHERE free.purpose = purpose OR starts_with(free.purpose, purpose || '.')
            ),
            paid.state, paid.valid_to DESC, paid.id
        LIMIT 1
    ) AS continues_id,
    EXISTS (SELECT FROM settlement_quota AS any_quota WHERE any_quota.entitlement_id = ent.id) AS has_quota,
    stop.kind AS stop_kind, stop.started_at AS stop_since, stop.public_reason AS stop_reason
FROM settlement_apikey AS key
JOIN products_organisation AS owner ON owner.id = key.organisation_id
LEFT JOIN settlement_entitlement AS ent ON ent.id = coalesce(%(instead)s::bigint, key.entitlement_id)
LEFT JOIN products_dataproduct AS product ON product.id = ent.product_id
LEFT JOIN products_organisation AS operator ON operator.id = product.operator_id
LEFT JOIN products_authorisation AS auth ON auth.id = product.authorisation_id
LEFT JOIN products_release AS release ON release.product_id = product.id AND release.state = 'active'
LEFT JOIN LATERAL (
    SELECT filed.version, filed.document
    FROM pricing_plan AS plan
    JOIN pricing_tariff AS filed ON filed.plan_id = plan.id
    WHERE plan.product_id = product.id
      AND (plan.id = ent.plan_id OR (ent.plan_id IS NULL AND plan.state = 'open'))
      AND filed.state IN ('filed', 'accepted') AND filed.period @> %(day)s::date
    ORDER BY plan.id LIMIT 1
) AS tariff ON true
LEFT JOIN LATERAL (
    SELECT id, "limit", used FROM settlement_quota
    WHERE entitlement_id = ent.id AND span_start <= %(day)s::date
    ORDER BY span_start DESC LIMIT 1
) AS quota ON true
LEFT JOIN LATERAL (
    SELECT kind, started_at, public_reason FROM settlement_emergencystop
    WHERE lifted_at IS NULL AND (product_id = product.id OR (kind = 'operator' AND organisation_id = product.operator_id)
        OR (kind = 'buyer' AND organisation_id = owner.id))
    ORDER BY id LIMIT 1
) AS stop ON true
WHERE key.digest = %(digest)s
