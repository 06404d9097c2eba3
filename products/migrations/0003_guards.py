"""Triggers of the ground floor: the audit trail only grows; nobody is regulator and operator at once."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON products_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION membership_refuse_conflict() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE side text;
BEGIN
    IF NOT NEW.is_active THEN RETURN NEW; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('membership', NEW.user_id));
    SELECT CASE WHEN kind IN ('price_regulator', 'data_bureau') THEN 'regulates'
                WHEN kind = 'operator' THEN 'operates' END INTO side
    FROM products_organisation WHERE id = NEW.organisation_id;
    IF side IS NOT NULL AND EXISTS (
        SELECT 1 FROM products_membership m JOIN products_organisation o ON o.id = m.organisation_id
        WHERE m.user_id = NEW.user_id AND m.is_active AND m.id IS DISTINCT FROM NEW.id
          AND CASE WHEN side = 'regulates' THEN o.kind = 'operator'
                   ELSE o.kind IN ('price_regulator', 'data_bureau') END)
    THEN
        RAISE EXCEPTION 'a person is not regulator and operator at once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_regulator_is_not_operator';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_regulator_is_not_operator BEFORE INSERT OR UPDATE ON products_membership
FOR EACH ROW EXECUTE FUNCTION membership_refuse_conflict();

CREATE FUNCTION organisation_refuse_kind_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind IS DISTINCT FROM OLD.kind AND OLD.state <> 'unverified' THEN
        RAISE EXCEPTION 'the kind of a verified organisation does not change'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_kind_is_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_kind_is_kept BEFORE UPDATE ON products_organisation
FOR EACH ROW EXECUTE FUNCTION organisation_refuse_kind_change();

CREATE TRIGGER evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON products_evidence
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER evidence_append_only ON products_evidence;
DROP TRIGGER organisation_kind_is_kept ON products_organisation;
DROP FUNCTION organisation_refuse_kind_change();
DROP TRIGGER membership_regulator_is_not_operator ON products_membership;
DROP FUNCTION membership_refuse_conflict();
DROP TRIGGER audit_entry_append_only ON products_auditentry;
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0002_public_record")]
    operations = [migrations.RunSQL(GUARDS, reverse_sql=UNDO)]
