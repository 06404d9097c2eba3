"""A finding of equal treatment keeps what was found; the one who explained does not decide."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION equal_treatment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - ARRAY['state', 'explanation', 'explained_by_id', 'explained_at', 'decided_by_id', 'decided_at',
                             'decision_reason', 'case_id']
       IS DISTINCT FROM
       to_jsonb(NEW) - ARRAY['state', 'explanation', 'explained_by_id', 'explained_at', 'decided_by_id', 'decided_at',
                             'decision_reason', 'case_id']
    THEN RAISE EXCEPTION 'a finding keeps what was found'
         USING ERRCODE = 'restrict_violation', CONSTRAINT = 'equal_treatment_keeps_what_was_found'; END IF;
    IF OLD.state IN ('upheld', 'dismissed')
    THEN RAISE EXCEPTION 'a decided finding stays so'
         USING ERRCODE = 'restrict_violation', CONSTRAINT = 'equal_treatment_decision_is_final'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER equal_treatment_guard BEFORE UPDATE ON settlement_equaltreatmentflag
FOR EACH ROW EXECUTE FUNCTION equal_treatment_guard();
CREATE TRIGGER equal_treatment_kept BEFORE DELETE OR TRUNCATE ON settlement_equaltreatmentflag
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNGUARD = """
DROP TRIGGER equal_treatment_kept ON settlement_equaltreatmentflag;
DROP TRIGGER equal_treatment_guard ON settlement_equaltreatmentflag;
DROP FUNCTION equal_treatment_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0008_what_if_cases_never_change")]
    operations = [
        migrations.AddConstraint(
            model_name="equaltreatmentflag",
            constraint=models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | models.Q(explained_by__isnull=True)
                | ~models.Q(decided_by=models.F("explained_by")),
                name="equal_treatment_by_two_people",
            ),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
