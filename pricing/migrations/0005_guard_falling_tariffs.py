"""A tariff's may_fall is a part of its content: what the author knew when it was filed is not changed afterwards."""

from django.db import migrations

GUARD = """
CREATE FUNCTION tariff_may_fall_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.may_fall IS DISTINCT FROM OLD.may_fall
    THEN PERFORM pricing_refuse('a tariff keeps its content', 'tariff_keeps_its_content'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tariff_may_fall_guard BEFORE UPDATE ON pricing_tariff FOR EACH ROW EXECUTE FUNCTION tariff_may_fall_guard();
"""
UNDO = """
DROP TRIGGER tariff_may_fall_guard ON pricing_tariff;
DROP FUNCTION tariff_may_fall_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0004_costs_permitted_revenue_and_bundles")]
    operations = [migrations.RunSQL(GUARD, reverse_sql=UNDO)]
