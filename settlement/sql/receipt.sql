-- Purpose: all that a receipt says.
-- Parameters: month date, id uuid (the month is the one that the id carries).
-- Grain: at most one row.
-- Columns: as named; tariff_version is the one in force at the event's time (for a grant: of the product's first open plan).
SELECT event.id, event.event_month, event.event_time, event.received_at, event.book_month, event.source, event.event_id, event.purpose, event.units,
    event.is_free, event.request_digest, event.corrects, event.consent_digest, event.digest, event.entitlement_id,
    ent.code AS entitlement, ent.organisation_id, ent.operator_id, ent.anchor_date, ent.valid_from, buyer.uscc AS buyer, operator.uscc AS operator,
    product.code AS product, release.version AS release, release.sha256 AS release_digest, plan.code AS plan,
    tariff.version AS tariff_version, tariff.digest AS tariff_digest, tariff.document AS tariff
FROM settlement_usageevent AS event
JOIN settlement_entitlement AS ent ON ent.id = event.entitlement_id
JOIN products_organisation AS buyer ON buyer.id = ent.organisation_id
JOIN products_organisation AS operator ON operator.id = ent.operator_id
JOIN products_dataproduct AS product ON product.id = event.product_id
LEFT JOIN products_release AS release ON release.id = event.release_id
LEFT JOIN pricing_plan AS plan ON plan.id = ent.plan_id
LEFT JOIN LATERAL (
    SELECT filed.version, filed.digest, filed.document
    FROM pricing_plan AS offered
    JOIN pricing_tariff AS filed ON filed.plan_id = offered.id
    WHERE offered.product_id = product.id AND (offered.id = ent.plan_id OR (ent.plan_id IS NULL AND offered.state = 'open'))
      AND filed.state IN ('filed', 'accepted')
      AND filed.period @> (event.event_time AT TIME ZONE 'Asia/Shanghai')::date
    ORDER BY offered.id LIMIT 1
) AS tariff ON true
WHERE event.event_month = %(month)s::date AND event.id = %(id)s::uuid
