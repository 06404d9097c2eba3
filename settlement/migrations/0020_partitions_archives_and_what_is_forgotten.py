"""Partitions that the running account may have made (and nothing else); digests of events recorded before there were any;
refusals that may be forgotten once the law lets them."""

from django.db import connection, migrations

PARTITIONS = """
-- Make the partition of a month and move there what stood in the default one. Runs as the owner of the tables, so that an account
-- that may only add rows can call it; it can do nothing else. Returns the events moved; null where there was nothing to make.
CREATE FUNCTION usage_partition_make(first date) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    partition text := 'settlement_usageevent_' || to_char(first, 'YYYYMM');
    moved bigint;
BEGIN
    IF first IS NULL OR first <> date_trunc('month', first)::date THEN
        RAISE EXCEPTION 'a month is named by its first day' USING ERRCODE = 'check_violation';
    END IF;
    IF to_regclass('public.' || partition) IS NOT NULL
        OR EXISTS (SELECT FROM settlement_archivedmonth WHERE event_month = first) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE settlement_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    LOCK TABLE settlement_usageevent_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('INSERT INTO %I SELECT * FROM settlement_usageevent_other WHERE event_month = %L', partition, first);
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved > 0 THEN
        ALTER TABLE settlement_usageevent_other DISABLE TRIGGER usage_event_append_only;
        DELETE FROM settlement_usageevent_other WHERE event_month = first;
        ALTER TABLE settlement_usageevent_other ENABLE TRIGGER usage_event_append_only;
    END IF;
    EXECUTE format('ALTER TABLE settlement_usageevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, first, (first + interval '1 month')::date);
    RETURN moved;
END $$;

-- Refusals are a network log: kept at least six months (Cybersecurity Law), by the database's own clock.
CREATE FUNCTION refusal_kept_half_a_year() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at > now() - interval '6 months' THEN
        RAISE EXCEPTION 'a refusal is kept for six months at least' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'refusal_kept_half_a_year';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER refusal_append_only ON settlement_refusal;
CREATE TRIGGER refusal_never_changed BEFORE UPDATE OR TRUNCATE ON settlement_refusal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refusal_kept_half_a_year BEFORE DELETE ON settlement_refusal
FOR EACH ROW EXECUTE FUNCTION refusal_kept_half_a_year();
"""
UNDO = """
DROP TRIGGER refusal_kept_half_a_year ON settlement_refusal;
DROP TRIGGER refusal_never_changed ON settlement_refusal;
CREATE TRIGGER refusal_append_only BEFORE UPDATE OR DELETE ON settlement_refusal
FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refusal_kept_half_a_year();
DROP FUNCTION usage_partition_make(date);
"""
WITHOUT = """
SELECT u.event_month, u.id, u.event_time, e.code, p.code, r.version, u.purpose, u.units::text, u.is_free, u.source, u.event_id,
    u.request_digest, u.corrects, u.consent_digest
FROM settlement_usageevent u
JOIN settlement_entitlement e ON e.id = u.entitlement_id
JOIN products_dataproduct p ON p.id = u.product_id
LEFT JOIN products_release r ON r.id = u.release_id
WHERE u.digest IS NULL LIMIT 5000
"""
GIVE = """
UPDATE settlement_usageevent AS u SET digest = given.digest
FROM unnest(%s::date[], %s::uuid[], %s::bytea[]) AS given (event_month, id, digest)
WHERE u.event_month = given.event_month AND u.id = given.id
"""


def give_digests(apps, schema_editor) -> None:
    """Events of before migration 0013 get the digest of what they say now, so that none may be without one from here on."""
    from settlement.verify.content import NAMES, digest

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE settlement_usageevent DISABLE TRIGGER usage_event_append_only")
        while True:
            cursor.execute(WITHOUT)
            rows = cursor.fetchall()
            if not rows:
                break
            digests = [digest(dict(zip(NAMES, said, strict=True))) for _month, *said in rows]
            cursor.execute(GIVE, [[row[0] for row in rows], [row[1] for row in rows], digests])
        cursor.execute("ALTER TABLE settlement_usageevent ENABLE TRIGGER usage_event_append_only")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0019_join_reviews_have_conditions")]
    operations = [
        migrations.RunSQL(PARTITIONS, reverse_sql=UNDO),
        migrations.RunPython(give_digests, migrations.RunPython.noop),
    ]
