"""A what-if case stays as it was saved; only who may open it can change."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER what_if_immutable BEFORE UPDATE ON settlement_whatifcase
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('is_shared');
CREATE TRIGGER what_if_kept BEFORE DELETE OR TRUNCATE ON settlement_whatifcase
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
BACK = """
DROP TRIGGER what_if_immutable ON settlement_whatifcase;
DROP TRIGGER what_if_kept ON settlement_whatifcase;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0007_oversight_and_what_if")]
    operations = [migrations.RunSQL(GUARDS, BACK)]
