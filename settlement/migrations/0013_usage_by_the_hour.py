"""Usage by the hour, kept exactly; digests of events; one index of events less, since closing no longer reads them."""

from django.db import migrations

HOURS = """
ALTER TABLE settlement_usageevent ADD COLUMN digest bytea, ADD COLUMN consent_digest bytea;
CREATE INDEX usage_event_by_receipt ON settlement_usageevent USING brin (received_at) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE settlement_usagedelta (
    entitlement_id bigint NOT NULL,
    event_month date NOT NULL,
    book_month date NOT NULL,
    hour timestamptz NOT NULL,
    purpose varchar(80) NOT NULL,
    component varchar(60) NOT NULL,
    units numeric(30, 6) NOT NULL,
    events bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE settlement_usagerollup (
    entitlement_id bigint NOT NULL,
    event_month date NOT NULL,
    book_month date NOT NULL,
    hour timestamptz NOT NULL,
    purpose varchar(80) NOT NULL,
    component varchar(60) NOT NULL,
    units numeric(30, 6) NOT NULL,
    events bigint NOT NULL,
    CONSTRAINT usage_rollup_pkey PRIMARY KEY (entitlement_id, event_month, book_month, hour, purpose, component),
    CONSTRAINT usage_rollup_hour_is_in_its_month
        CHECK (event_month = date_trunc('month', hour AT TIME ZONE 'Asia/Shanghai')::date),
    CONSTRAINT usage_rollup_counts_events CHECK (events >= 0)
) WITH (fillfactor = 80);
CREATE INDEX usage_rollup_by_book_month ON settlement_usagerollup (book_month, entitlement_id);

CREATE VIEW settlement_usagehour AS
SELECT entitlement_id, event_month, book_month, hour, purpose, component, units, events FROM settlement_usagerollup
UNION ALL
SELECT entitlement_id, event_month, book_month, hour, purpose, component, units, events FROM settlement_usagedelta;

INSERT INTO settlement_usagerollup (entitlement_id, event_month, book_month, hour, purpose, component, units, events)
SELECT event.entitlement_id, event.event_month, event.book_month, date_trunc('hour', event.event_time), event.purpose, unit.key,
    sum(unit.value::numeric), count(*) FILTER (WHERE unit.key = first.component)
FROM settlement_usageevent AS event
CROSS JOIN LATERAL jsonb_each_text(event.units) AS unit
CROSS JOIN LATERAL (SELECT min(key COLLATE "C") AS component FROM jsonb_object_keys(event.units) AS key) AS first
GROUP BY 1, 2, 3, 4, 5, 6;

DROP INDEX usage_event_by_book_month;
CREATE TRIGGER usage_rollup_not_deleted BEFORE DELETE OR TRUNCATE ON settlement_usagerollup
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_tree_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_receipttree
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER consent_withdrawal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_consentwithdrawal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER consent_withdrawal_append_only ON settlement_consentwithdrawal;
DROP TRIGGER receipt_tree_append_only ON settlement_receipttree;
DROP VIEW settlement_usagehour;
DROP TABLE settlement_usagerollup;
DROP TABLE settlement_usagedelta;
DROP INDEX usage_event_by_receipt;
CREATE INDEX usage_event_by_book_month ON settlement_usageevent (book_month, entitlement_id);
ALTER TABLE settlement_usageevent DROP COLUMN digest, DROP COLUMN consent_digest;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0012_gateway_ground")]
    operations = [migrations.RunSQL(HOURS, reverse_sql=UNDO)]
