"""A delta of usage by the hour knows when it was written, so that what waits to be folded can be watched."""

from django.db import migrations

AGE = """
ALTER TABLE settlement_usagedelta ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN settlement_usagedelta.written_at IS 'by the database''s clock; only to watch how far the rollups lag';
"""
UNDO = "ALTER TABLE settlement_usagedelta DROP COLUMN written_at;"


class Migration(migrations.Migration):
    dependencies = [("settlement", "0014_emergency_stops_say_why")]
    operations = [migrations.RunSQL(AGE, reverse_sql=UNDO)]
