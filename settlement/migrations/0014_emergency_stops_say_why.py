"""An emergency stop has a part of its reason that everyone may read, and who started it; what it says is never rewritten."""

import django.db.models.deletion
from django.db import migrations, models

KEPT = """
CREATE FUNCTION emergency_stop_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.lifted_at IS NULL
       AND (NEW.kind, NEW.reason, NEW.public_reason, NEW.started_at, NEW.started_by_id, NEW.started_for_id)
           IS NOT DISTINCT FROM (OLD.kind, OLD.reason, OLD.public_reason, OLD.started_at, OLD.started_by_id, OLD.started_for_id)
       AND (NEW.product_id, NEW.organisation_id) IS NOT DISTINCT FROM (OLD.product_id, OLD.organisation_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an emergency stop is lifted once and never rewritten: bills depend on its days'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER emergency_stop_kept BEFORE UPDATE OR DELETE ON settlement_emergencystop
FOR EACH ROW EXECUTE FUNCTION emergency_stop_is_kept();
"""
UNDO = "DROP TRIGGER emergency_stop_kept ON settlement_emergencystop; DROP FUNCTION emergency_stop_is_kept();"


class Migration(migrations.Migration):
    dependencies = [("settlement", "0013_usage_by_the_hour"), ("products", "0012_gateway_ground")]
    operations = [
        migrations.AlterField(
            model_name="emergencystop",
            name="reason",
            field=models.TextField(help_text="For the file; not shown outside"),
        ),
        migrations.AddField(
            model_name="emergencystop",
            name="public_reason",
            field=models.CharField(default="–", help_text="What buyers, callers and the public read", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="emergencystop",
            name="started_for",
            field=models.ForeignKey(
                help_text="In whose name it was started",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="products.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencystop",
            constraint=models.CheckConstraint(condition=~models.Q(public_reason=""), name="emergency_stop_says_why"),
        ),
        migrations.RunSQL(KEPT, reverse_sql=UNDO),
    ]
