-- Purpose: a month of usage events as its archive file holds them: the row's own columns, and the codes that its digest is over.
-- Parameters: month date (event month).
-- Grain: one row an event, in the order of entitlement, time and id.
-- Columns: as settlement.metering.archive.COLUMNS.
SELECT event.id, event.book_month, event.entitlement_id, entitlement.code AS entitlement, event.product_id, product.code AS product,
    event.release_id, release.version AS release, event.key_id, event.source, event.event_id, event.purpose,
    event.units::text AS units, event.event_time, event.received_at, event.is_free, event.request_digest, event.corrects,
    event.digest, event.consent_digest
FROM settlement_usageevent AS event
LEFT JOIN settlement_entitlement AS entitlement ON entitlement.id = event.entitlement_id
LEFT JOIN products_dataproduct AS product ON product.id = event.product_id
LEFT JOIN products_release AS release ON release.id = event.release_id
WHERE event.event_month = %(month)s::date
ORDER BY event.entitlement_id, event.event_time, event.id
