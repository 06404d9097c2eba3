"""Join rules keep content and start; three examples of them; the parameters of protection."""

from datetime import date

from django.db import migrations

from products import reference

GUARDS = """
CREATE FUNCTION join_rule_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.name, NEW.name_en, NEW.concepts, NEW.explanation, NEW.explanation_en, NEW.from_date, NEW.proposed_by_id, NEW.decided_by_id)
       IS DISTINCT FROM
       (OLD.id, OLD.name, OLD.name_en, OLD.concepts, OLD.explanation, OLD.explanation_en, OLD.from_date, OLD.proposed_by_id, OLD.decided_by_id)
    THEN
        RAISE EXCEPTION 'content and start of a join rule never change'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'join_rule_content_is_kept';
    END IF;
    IF OLD.to_date IS NOT NULL AND NEW.to_date IS DISTINCT FROM OLD.to_date THEN
        RAISE EXCEPTION 'the end of a join rule is set once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'join_rule_end_is_set_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER join_rule_is_kept BEFORE UPDATE ON products_joinrule FOR EACH ROW EXECUTE FUNCTION join_rule_refuse_change();
CREATE TRIGGER join_rule_stays BEFORE DELETE OR TRUNCATE ON products_joinrule FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER join_rule_stays ON products_joinrule;
DROP TRIGGER join_rule_is_kept ON products_joinrule;
DROP FUNCTION join_rule_refuse_change();
"""
EXAMPLES = [
    (
        "出生日期、性别与网格（示例）",
        "Birth date, gender and grid cell (example)",
        ["person.birth_date", "person.gender", "place.grid"],
        "出生日期、性别与小范围居住地合在一起，往往只对应一个人，即使三者都不含姓名。",
        "Date of birth, gender and a small area of residence together mostly fit one person only, though none holds a name.",
    ),
    (
        "工作单位、收入与社保（示例）",
        "Employer, income and social insurance (example)",
        ["person.employer", "person.income_band", "person.social_security"],
        "工作单位、收入区间与社会保险记录合在一起，可在小单位中认出个人并得知其收入。",
        "Employer, income band and social-insurance record together single out people of a small employer and tell their income.",
    ),
    (
        "医疗保险与住址（示例）",
        "Health insurance and home address (example)",
        ["person.health_insurance", "person.address"],
        "医疗保险情况与住址合在一起，可推知一户人家的健康与就医情况。",
        "Health-insurance status and a home address together tell of the health of a household.",
    ),
]


def load(apps, schema_editor):
    reference.extend_rule_sets(apps)
    rules = apps.get_model("products", "JoinRule").objects
    for name, name_en, concepts, explanation, explanation_en in EXAMPLES:
        texts = {"name_en": name_en, "concepts": concepts, "explanation": explanation, "explanation_en": explanation_en}
        rules.create(name=name, from_date=date(2026, 1, 1), **texts)


class Migration(migrations.Migration):
    dependencies = [("products", "0013_protection")]
    operations = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
    ]
