"""The rules of Zhejiang since 2025; sources say what was not checked; from here on a rule set's content and start are kept."""

from django.db import migrations

from products import reference

GUARDS = """
CREATE FUNCTION rule_set_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.jurisdiction, NEW.name, NEW.name_en, NEW.source, lower(NEW.period))
       IS DISTINCT FROM (OLD.id, OLD.jurisdiction, OLD.name, OLD.name_en, OLD.source, lower(OLD.period))
       OR (NEW.parameters IS DISTINCT FROM OLD.parameters AND NOT (
           coalesce(current_setting('gongshu.extending_rule_sets', true), '') = 'on' AND NEW.parameters @> OLD.parameters))
    THEN
        RAISE EXCEPTION 'content and start of a rule set never change'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_set_content_is_kept';
    END IF;
    IF upper(OLD.period) IS NOT NULL AND upper(NEW.period) IS DISTINCT FROM upper(OLD.period) THEN
        RAISE EXCEPTION 'the end of a rule set is set once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_set_end_is_set_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_set_is_kept BEFORE UPDATE ON products_ruleset FOR EACH ROW EXECUTE FUNCTION rule_set_refuse_change();
CREATE TRIGGER rule_set_stays BEFORE DELETE OR TRUNCATE ON products_ruleset FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER rule_set_stays ON products_ruleset;
DROP TRIGGER rule_set_is_kept ON products_ruleset;
DROP FUNCTION rule_set_refuse_change();
"""


def load(apps, schema_editor):
    rule_sets = apps.get_model("products", "RuleSet").objects
    rule_sets.filter(jurisdiction="330000", source="浙政办发〔2023〕44号").update(source=reference.ZHEJIANG_2023_SOURCE)
    rule_sets.filter(jurisdiction="460000", source__endswith="产品全量登记").update(source=reference.HAINAN_SOURCE)
    reference.load_rule_sets(apps)


class Migration(migrations.Migration):
    dependencies = [("products", "0010_documents_have_readers_and_never_change")]
    operations = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
    ]
