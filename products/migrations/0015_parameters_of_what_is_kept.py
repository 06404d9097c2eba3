"""The parameters that say how long logs and single calls are kept."""

from django.db import migrations

from products import reference


class Migration(migrations.Migration):
    dependencies = [("products", "0014_join_rules_are_kept")]
    operations = [migrations.RunPython(lambda apps, schema_editor: reference.extend_rule_sets(apps), migrations.RunPython.noop)]
