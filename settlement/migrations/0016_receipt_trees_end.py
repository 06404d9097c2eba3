"""A tree of receipts knows its last event too, and a billing month made later starts as sealed as the others are."""

from django.db import migrations, models

NEW_MONTHS = """
CREATE FUNCTION billing_month_starts_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sealed_until := greatest(NEW.sealed_until, (SELECT max(sealed_until) FROM settlement_billingmonth));
    RETURN NEW;
END $$;
CREATE TRIGGER billing_month_starts_sealed BEFORE INSERT ON settlement_billingmonth
FOR EACH ROW EXECUTE FUNCTION billing_month_starts_sealed();
"""
UNDO = """
DROP TRIGGER billing_month_starts_sealed ON settlement_billingmonth;
DROP FUNCTION billing_month_starts_sealed();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0015_deltas_know_their_age")]
    operations = [
        migrations.AddField(
            model_name="receipttree",
            name="last_id",
            field=models.UUIDField(help_text="The last event", default="00000000-0000-0000-0000-000000000000"),
            preserve_default=False,
        ),
        migrations.RunSQL(NEW_MONTHS, reverse_sql=UNDO),
    ]
