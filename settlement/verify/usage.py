"""Served = metered: identities, quotas, entitlements and months of the raw events, by plain SQL."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.verify import archived
from settlement.verify.mismatch import Mismatch, found, rows

IDENTITY_WITHOUT_EVENT = """
SELECT i.source || ' ' || i.event_id, 'its usage event ' || i.usage_id || ' is not there or is another'
FROM settlement_usageidentity i
LEFT JOIN settlement_usageevent u ON u.event_month = i.event_month AND u.id = i.usage_id
WHERE (u.id IS NULL AND i.event_month NOT IN (SELECT event_month FROM settlement_archivedmonth))
   OR (u.source, u.event_id, u.request_digest) <> (i.source, i.event_id, i.digest) ORDER BY 1
"""
EVENT_WITHOUT_IDENTITY = """
SELECT u.id, format('its identity %s %s is not there', u.source, u.event_id) FROM settlement_usageevent u
WHERE u.event_id <> u.id::text
  AND NOT EXISTS (SELECT 1 FROM settlement_usageidentity i WHERE i.source = u.source AND i.event_id = u.event_id
      AND i.usage_id = u.id)
ORDER BY u.id
"""
EVENTS = """
SELECT u.id, concat_ws('; ',
    CASE WHEN e.id IS NULL THEN 'its entitlement is not there' END,
    CASE WHEN e.product_id <> u.product_id THEN 'its product is not its entitlement''s' END,
    CASE WHEN u.is_free <> (e.grant_id IS NOT NULL) THEN 'free or not is not as its entitlement says' END,
    CASE WHEN NOT EXISTS (SELECT 1 FROM unnest(e.purposes) p WHERE u.purpose = p OR u.purpose LIKE p || '.%')
        THEN 'its purpose is outside its entitlement' END)
FROM settlement_usageevent u LEFT JOIN settlement_entitlement e ON e.id = u.entitlement_id
WHERE e.id IS NULL OR e.product_id <> u.product_id OR u.is_free <> (e.grant_id IS NOT NULL)
   OR NOT EXISTS (SELECT 1 FROM unnest(e.purposes) p WHERE u.purpose = p OR u.purpose LIKE p || '.%')
ORDER BY u.id
"""
QUOTAS = """
SELECT q.id, format('says %%s used of %%s; its events say %%s', q.used, q."limit", coalesce(u.used, 0) + coalesce(a.used, 0))
FROM settlement_quota q
LEFT JOIN unnest(%(quotas)s::bigint[], %(units)s::bigint[]) AS a (quota, used) ON a.quota = q.id
LEFT JOIN LATERAL (
    SELECT sum(stood.takes) AS used
    FROM (
        SELECT coalesce(
            ceil(coalesce(
                max(quantity) FILTER (WHERE component = 'calls'), max(quantity) FILTER (WHERE component = 'products'),
                max(quantity) FILTER (WHERE component = 'records'), max(quantity) FILTER (WHERE component = 'periods'))),
            bool_or(quantity <> 0)::int) AS takes
        FROM (
            SELECT coalesce(u.corrects, u.id) AS first, unit.key AS component, sum(unit.value::numeric) AS quantity
            FROM settlement_usageevent u CROSS JOIN LATERAL jsonb_each_text(u.units) AS unit
            WHERE u.entitlement_id = q.entitlement_id
              AND q.id = coalesce(
                (SELECT n.id FROM settlement_quota n
                 WHERE n.entitlement_id = q.entitlement_id
                   AND n.span_start <= (u.event_time AT TIME ZONE 'Asia/Shanghai')::date
                 ORDER BY n.span_start DESC LIMIT 1),
                (SELECT n.id FROM settlement_quota n WHERE n.entitlement_id = q.entitlement_id ORDER BY n.span_start LIMIT 1))
            GROUP BY 1, 2
        ) AS stated
        GROUP BY first
    ) AS stood
) AS u ON true
WHERE q.used <> coalesce(u.used, 0) + coalesce(a.used, 0) OR q.used > q."limit" ORDER BY q.id
"""
BOOKED = """
SELECT u.id, format('is booked to %s, whose month does not exist', u.book_month) FROM settlement_usageevent u
WHERE NOT EXISTS (SELECT 1 FROM settlement_billingmonth m WHERE m.month = u.book_month) ORDER BY u.id
"""
UNRATED = """
SELECT e.id, format('has usage of %s booked to closed %s and no charge for it', u.event_month, u.book_month)
FROM (SELECT DISTINCT entitlement_id, event_month, book_month FROM settlement_usagehour) AS u
JOIN settlement_billingmonth m ON m.month = u.book_month AND m.state = 'closed'
JOIN settlement_entitlement e ON e.id = u.entitlement_id
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_charge c
    WHERE c.entitlement_id = e.id AND c.service_month = u.event_month AND c.month_id = u.book_month)
ORDER BY 1, 2
"""


def events() -> Iterator[Mismatch]:
    yield from found("settlement_usageidentity", IDENTITY_WITHOUT_EVENT)
    yield from found("settlement_usageevent", EVENT_WITHOUT_IDENTITY)
    yield from found("settlement_usageevent", EVENTS)
    yield from found("settlement_usageevent", BOOKED)
    used = archived.quota_units()
    for quota, text in rows(QUOTAS, {"quotas": list(used), "units": list(used.values())}):
        yield Mismatch("settlement_quota", str(quota), text)
    yield from found("settlement_entitlement", UNRATED)
