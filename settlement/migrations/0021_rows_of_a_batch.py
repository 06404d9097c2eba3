"""Row types in which the recorder sends a batch as one parameter; corrections are found by what they correct."""

from django.db import migrations

ROWS = """
CREATE TYPE settlement_usagerow_1 AS (
    event_month date, id uuid, book_month date, event_time timestamptz, event_id text, request_digest bytea, digest bytea,
    corrects uuid, consent_digest bytea, answer bytea,
    entitlement_id bigint, product_id bigint, release_id bigint, key_id bigint, source text, purpose text, units jsonb,
    is_free boolean, is_named boolean
);
CREATE TYPE settlement_usagehourrow_1 AS (
    entitlement_id bigint, event_month date, book_month date, hour timestamptz, purpose text, component text, micro text,
    events bigint
);
CREATE INDEX usage_event_by_corrected ON settlement_usageevent (corrects) WHERE corrects IS NOT NULL;

CREATE FUNCTION record_in_steps() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a billing month closed in this moment' USING ERRCODE = 'GS001';
END $$;
"""
UNDO = """
DROP FUNCTION record_in_steps();
DROP INDEX usage_event_by_corrected;
DROP TYPE settlement_usagehourrow_1;
DROP TYPE settlement_usagerow_1;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0020_partitions_archives_and_what_is_forgotten")]
    operations = [migrations.RunSQL(ROWS, reverse_sql=UNDO)]
