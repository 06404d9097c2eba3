"""A refusal to supply is lifted by a person with a reason, once; it is never edited."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION supply_refusal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a refusal to supply is kept', 'supply_refusal_is_kept'); END IF;
    IF to_jsonb(OLD) - ARRAY['lifted_by_id', 'lifted_at', 'lifted_reason', 'case_id']
       IS DISTINCT FROM to_jsonb(NEW) - ARRAY['lifted_by_id', 'lifted_at', 'lifted_reason', 'case_id']
    THEN PERFORM pricing_refuse('a refusal to supply keeps its content', 'supply_refusal_keeps_its_content'); END IF;
    IF OLD.lifted_at IS NOT NULL THEN PERFORM pricing_refuse('a lifted refusal stays so', 'supply_refusal_lifted_once'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supply_refusal_guard BEFORE UPDATE OR DELETE ON pricing_supplyrefusal
FOR EACH ROW EXECUTE FUNCTION supply_refusal_guard();
"""
UNGUARD = "DROP TRIGGER supply_refusal_guard ON pricing_supplyrefusal; DROP FUNCTION supply_refusal_guard();"


class Migration(migrations.Migration):
    dependencies = [("pricing", "0008_guard_cap_sets")]
    operations = [
        migrations.AddConstraint(
            model_name="supplyrefusal",
            constraint=models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_reason="")
                | (models.Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~models.Q(lifted_reason="")),
                name="supply_refusal_lifted_by_a_person",
            ),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
