"""The parameters that cost filings, permitted revenues and their supervision follow."""

from django.db import migrations

from products import reference


class Migration(migrations.Migration):
    dependencies = [("products", "0008_guided_pricing_ground")]
    operations = [migrations.RunPython(lambda apps, schema_editor: reference.extend_rule_sets(apps), migrations.RunPython.noop)]
